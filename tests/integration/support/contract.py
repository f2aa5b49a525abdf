# SPDX-License-Identifier: MIT
"""Holds what the running system says against schema/asyncapi.yaml and schema/openapi.yaml.

Rule: the documents let clients ignore unknown members, but the tests do not: every object schema
that lists its members is closed here, so that a member nobody documented fails a test.
"""
import functools
import json
import pathlib
import re

import jsonschema
import yaml

SCHEMA = pathlib.Path(__file__).resolve().parents[3] / "schema"
MESSAGES_PER_DEVICE = 60  # validating is slow: floods and long pages are sampled
BYTES_PER_DEVICE = 500_000


@functools.lru_cache(maxsize=None)
def _document(name):
    with open(SCHEMA / name, encoding="utf-8") as file:
        return _closed(yaml.safe_load(file))


def _closed(node):
    """A copy in which objects with listed members allow no others."""
    if isinstance(node, list):
        return [_closed(item) for item in node]
    if not isinstance(node, dict):
        return node
    copy = {key: _closed(value) for key, value in node.items()}
    if copy.get("type") == "object" and "properties" in copy and not (
            copy.keys() & {"oneOf", "anyOf", "allOf", "additionalProperties"}):
        copy["additionalProperties"] = False
    return copy


@functools.lru_cache(maxsize=None)
def _validator(document, pointer):
    whole = _document(document)
    schema = {"$ref": pointer, **{key: whole[key] for key in ("components", "paths")
                                  if key in whole}}
    return jsonschema.Draft202012Validator(schema)


def _problems(validator, value):
    return [f"{'/'.join(map(str, error.absolute_path))}: {error.message[:300]}"
            for error in validator.iter_errors(value)][:3]


# ---------------------------------------------------------------- MQTT

FROM_SERVER = (
    (re.compile(r"chat/[^/]+"), "entry"),
    (re.compile(r"chat/[^/]+/typing"), "typing"),
    (re.compile(r"chat/[^/]+/cursor"), "cursor"),
    (re.compile(r"presence/[^/]+"), "presence"),
    (re.compile(r"me/heads"), "heads"),
    (re.compile(r"me/ready"), "ready"),
    (re.compile(r"me/receipt"), "receipt"),
    (re.compile(r"me/sync"), "syncPage"),
    (re.compile(r"me/event"), "event"),
    (re.compile(r"\$CONTROL/chat/v1/response"), "responses"),
)


def message_problems(topic, payload):
    """What is wrong with one message from the server, as a list of sentences."""
    for pattern, schema in FROM_SERVER:
        if pattern.fullmatch(topic):
            break
    else:
        return [f"no topic of the contract: {topic}"]
    try:
        value = json.loads(payload.decode("utf-8"))
    except ValueError as error:
        return [f"{topic}: {error}"]
    found = _problems(_validator("asyncapi.yaml", f"#/components/schemas/{schema}"), value)
    return [f"{topic} {sentence} in {payload[:150]!r}" for sentence in found]


def device_problems(device):
    """Looks at a sample of everything the device received: the first and the last of it."""
    messages = list(device.messages)
    if len(messages) > MESSAGES_PER_DEVICE:
        half = MESSAGES_PER_DEVICE // 2
        messages = messages[:half] + messages[-half:]
    found, checked = [], 0
    for message in messages:
        if message.topic not in device.response_topics and checked < BYTES_PER_DEVICE:
            found += message_problems(message.topic, message.payload)
            checked += len(message.payload)
    return found


# ---------------------------------------------------------------- HTTP

def _resolve(node):
    while isinstance(node, dict) and "$ref" in node:
        target = _document("openapi.yaml")
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part.replace("~1", "/").replace("~0", "~")]
        node = target
    return node


def _pointer(*parts):
    return "#/" + "/".join(part.replace("~", "~0").replace("/", "~1") for part in parts)


def _template_of(path):
    """The path template of openapi.yaml that this path is one of, or None; literals win."""
    templates = sorted(_document("openapi.yaml")["paths"], key=lambda t: t.count("{"))
    for template in templates:
        if re.fullmatch(re.sub(r"\{[^/]+\}", "[^/]+", template), path):
            return template
    return None


def answer_problems(method, path, status, content_type, body):
    """What openapi.yaml does not allow about this answer. Unknown paths and methods are not of the
    contract, but their answers are problem documents like all errors."""
    path = path.split("?")[0]
    media = (content_type or "").split(";")[0]
    template = _template_of(path)
    if method == "OPTIONS" and template and (status, body) == (204, b""):
        return []  # tells the methods; no operation of its own
    if method == "HEAD":
        return [f"HEAD {path}: a body"] if body else []
    operation = _document("openapi.yaml")["paths"].get(template, {}).get(method.lower())
    if operation is None:
        if status < 400 or media != "application/problem+json":
            return [f"{method} {path} is not in openapi.yaml and answered {status} {media}"]
        return []
    responses = operation["responses"]
    key = str(status) if str(status) in responses else "default"
    if key not in responses:
        return [f"{method} {template}: status {status} is not documented"]
    response = responses[key]
    pointer = response["$ref"] if "$ref" in response else _pointer(
        "paths", template, method.lower(), "responses", key)
    content = _resolve(response).get("content", {})
    if not content:
        return [f"{method} {template} {status}: a body nobody documented"] if body else []
    if media not in content:
        return [f"{method} {template} {status}: {media or 'no content type'} is not documented"]
    if "json" not in media or "ndjson" in media or "schema" not in content[media]:
        return []
    validator = _validator("openapi.yaml",
                           pointer + "/" + _pointer("content", media, "schema")[2:])
    return [f"{method} {template} {status}: {sentence} in {body[:150]!r}"
            for sentence in _problems(validator, json.loads(body))]
