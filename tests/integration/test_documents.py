# SPDX-License-Identifier: MIT
"""The contract exists four times: in the C headers, in asyncapi.yaml, in openapi.yaml and, for
people, in docs/protocol.md. Here they are compared, so that none of them can drift alone."""
import re

import pytest
import yaml

from support.system import REPOSITORY

pytestmark = pytest.mark.once


def text_of(path):
    return (REPOSITORY / path).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def documents():
    names = ("asyncapi", "openapi")
    return {name: yaml.safe_load(text_of(f"schema/{name}.yaml")) for name in names}


def limits():
    """The numbers of limits.h: plain ones, products and shifts."""
    found = {}
    header = text_of("schema/wire/limits.h")
    for name, value in re.findall(r"^ +([A-Z_]+) = ([^,]+),", header, re.M):
        value = re.sub(r"\b[A-Z_]+\b", lambda m: str(found[m.group()]), value)
        assert re.fullmatch(r"[\d +*<]+", value), value
        found[name] = eval(value)  # arithmetic only: checked above
    assert len(found) > 20
    return found


def codes():
    """name -> HTTP status, from the table in codes.c."""
    rows = re.findall(r'\[CODE_\w+\] = \{"(\w+)", (\d+), (?:true|false)\}',
                      text_of("schema/wire/codes.c"))
    return {name: int(status) for name, status in rows if name != "ok"}


def test_every_document_has_every_error_code(documents):
    known = codes()
    assert len(known) > 10
    asyncapi = documents["asyncapi"]["components"]["schemas"]["error"]["properties"]["code"]["enum"]
    openapi = documents["openapi"]["components"]["schemas"]["code"]["enum"]
    assert set(asyncapi) == set(openapi) == set(known)
    rows = re.findall(r"^\| `(\w+)` \| (\d{3}) \|", text_of("docs/protocol.md"), re.M)
    assert {name: int(status) for name, status in rows} == known


def test_the_limits_are_the_limits(documents):
    limit = limits()
    for name, document in documents.items():
        schemas = document["components"]["schemas"]
        wanted = {
            ("text", "maxLength"): limit["TEXT_MAX_CHARACTERS"],
            ("draftId", "maxLength"): limit["DRAFT_ID_MAX_CHARACTERS"],
            ("title", "maxLength"): limit["TITLE_MAX_CHARACTERS"],
            ("emoji", "maxLength"): limit["EMOJI_MAX_CHARACTERS"],
            ("reactions", "maxProperties"): limit["REACTIONS_SHOWN"],
        }
        for (schema, keyword), value in wanted.items():
            assert schemas[schema][keyword] == value, (name, schema)
        assert schemas["query"]["maxLength"] == limit["SEARCH_MAX_CHARACTERS"]
        handle = schemas["handle"]["pattern"]
        assert f"{{{limit['HANDLE_MIN_LENGTH'] - 1},{limit['HANDLE_MAX_LENGTH'] - 1}}}" in handle
        assert f"{{1,{limit['DEVICE_MAX_LENGTH']}}}" in schemas["device"]["pattern"]
        request = schemas["syncRequest"]["properties"]
        assert request["limit"]["maximum"] == limit["SYNC_LIMIT_MAX"]
        assert request["cursors"]["maxProperties"] == limit["SYNC_CONVERSATIONS_MAX"]
        unread = schemas["syncConversation"]["properties"]["unread"]
        assert unread["maximum"] == limit["UNREAD_MAX"]
    commands = documents["asyncapi"]["components"]["schemas"]["commands"]["properties"]["commands"]
    assert commands["maxItems"] == limit["COMMANDS_MAX_COUNT"]


def test_the_page_for_people_has_the_same_limits():
    limit = limits()
    table = text_of("docs/protocol.md").split("## Limits")[1].split("##")[0]
    for name, phrase in {
            "TEXT_MAX_CHARACTERS": "1 to {:,} Unicode characters",
            "DRAFT_ID_MAX_CHARACTERS": "| draft id | {:,} characters, no control characters",
            "EMOJI_MAX_CHARACTERS": "| emoji | {:,} characters, no control characters",
            "EDITS_MAX": "| edits of one message | {:,} |",
            "JSON_MAX_DEPTH": "{:,} levels",
            "GROUP_MEMBERS_DEFAULT": "{:,} members",
            "GROUP_MEMBERS_CEILING": "up to {:,}",
            "CHANNEL_MEMBERS_MAX": "| channel | {:,} members",
            "INVITE_USES_MAX": "{:,} uses",
            "TITLE_MAX_CHARACTERS": "| title, name | {:,} characters",
            "PASSWORD_MIN_LENGTH": "| password | {:,} to",
            "PASSWORD_MAX_LENGTH": "to {:,} bytes",
            "EMAIL_MAX_LENGTH": "| e-mail | {:,} bytes",
            "TOKEN_MAX_LENGTH": "| token | {:,} bytes",
            "COMMANDS_MAX_COUNT": "| commands in one envelope | {:,} |",
            "CORRELATION_MAX_LENGTH": "Correlation Data | {:,} bytes",
            "RESPONSE_TOPIC_MAX_LENGTH": "| Response Topic | {:,} bytes",
            "SEARCH_MAX_CHARACTERS": "| what is searched for | {:,} characters",
            "AVATAR_SIDE_MAX": "{:,} pixels on each side",
            "HISTORY_LIMIT_DEFAULT": "{:,} by default",
            "HISTORY_LIMIT_MAX": "at most {:,} |",
            "SYNC_CONVERSATIONS_MAX": "| cursors in one sync | {:,} |"}.items():
        assert phrase.format(limit[name]) in table, name
    assert limit["HISTORY_LIMIT_MAX"] == limit["LIST_LIMIT_MAX"] == limit["SYNC_LIMIT_MAX"]
    assert limit["PACKET_MAX_BYTES"] == 1 << 20 and "| packet, HTTP body | 1 MiB |" in table


def test_entries_look_the_same_in_both(documents):
    """Live entries and replayed ones are one thing: the schemas are equal to the letter."""
    schemas = [document["components"]["schemas"] for document in documents.values()]
    for name in ("entry", "textEntry", "deletedEntry", "editEntry", "deleteEntry",
                 "reactionEntry", "reactions", "emoji", "createdEntry", "membersEntry",
                 "leftEntry", "seq", "time",
                 "conversation", "conversationDetails", "conversationId", "conversationKind",
                 "member", "profile", "ownProfile", "avatar", "avatarId", "visibility", "query",
                 "name", "email", "userPage", "foundUser", "hitPage", "hit", "role", "handle",
                 "device", "draftId", "text", "conversationLimits", "channelName", "posting",
                 "renamedEntry", "roleChangedEntry", "modifiedEntry", "joinedEntry"):
        assert schemas[0][name] == schemas[1][name], name


def test_every_command_is_in_the_table_for_people():
    table = text_of("bridge/core/command_table.c")
    commands = set(re.findall(r'\{"(\w+)",', table))
    assert "createGroup" in commands
    page = text_of("docs/protocol.md").split("## Commands")[1].split("##")[0]
    assert set(re.findall(r"^\| `(\w+)`", page, re.M)) == commands
    asyncapi = text_of("schema/asyncapi.yaml")
    assert set(re.findall(r"command: \{const: (\w+)\}", asyncapi)) == commands


def test_every_route_is_in_openapi(documents):
    table = text_of("bridge/api/routes.c")
    routes = re.findall(r'\{"([^"]+)", (GET|POST|PATCH|PUT|DELETE),', table)
    assert len(routes) > 10
    paths = documents["openapi"]["paths"]
    for path, method in routes:
        assert path == "/metrics" or method.lower() in paths[path], (method, path)
    served = {(path, method.upper()) for path, item in paths.items() for method in item
              if method in ("get", "post", "patch", "put", "delete")}
    assert served == {route for route in routes if route[0] != "/metrics"}
