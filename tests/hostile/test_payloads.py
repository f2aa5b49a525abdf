# SPDX-License-Identifier: MIT
"""JSON that breaks things, wherever JSON is read: drafts, commands, syncs, cursors, forms. Each is
refused with a code of docs/protocol.md, and that is never `internal`."""
import json

import pytest

from support.bad_drafts import DRAFTS
from support.wire import PUBLISH, packet, text

from outcomes import Receipted
from test_connects import WAYS
from test_rights import NOBODYS, execute, publish

SOURCE = "127.1.5.1"
MINE = "send/@{mallory}"

BOMBS = {
    "depth 17": b"[" * 17 + b"]" * 17,
    "depth 100000": b"[" * 100_000,
    "objects without end": b'{"a":' * 50_000,
    "a number of 100000 digits": b"9" * 100_000,
    "1e131071": b"1e131071",
    "1e999999999": b"1e999999999",
    "-1e400": b"-1e400",
    "2^63": b"9223372036854775808",
    "-2^63-1": b"-9223372036854775809",
    "a minus": b"-",
    "Infinity": b"Infinity",
    "a lone surrogate": b'"\\ud800"',
    "surrogates swapped": b'"\\udc00\\ud800"',
    "a thousand surrogates": b'"' + b"\\ud800" * 1000 + b'"',
    "escaped NUL": b'"\\u0000"',
    "NUL": b'"\0"',
    "bad UTF-8": b'"\xff\xfe\xfd"',
    "overlong": b'"\xe0\x80\x80"',
    "a cut code point": b'"\xf0\x9f\x98',
    "control characters": b'"\x01\x02\x1b[2J"',
    "half an escape": b'"\\u12',
    "a string without end": b'"' + b"a" * 500_000,
    "trailing comma": b"[1,]",
    "a comment": b"/* */ 1",
    "nothing": b"",
}


def whole(name, prefix, suffix=b"}"):
    return prefix + BOMBS[name] + suffix


def one_receipt(siege, way, payload, code):
    wire = siege.dial(*way, source=SOURCE).log_in()
    topic = MINE.replace("{mallory}", siege.mallory.handle)
    problem = Receipted(code).problem(wire.attack(publish(wire, topic, payload)), wire)
    assert problem is None, problem


@WAYS
@pytest.mark.parametrize("name", DRAFTS)
def test_bad_drafts(siege, way, name):
    payload, code, _ = DRAFTS[name]
    one_receipt(siege, way, payload, code)


@WAYS
@pytest.mark.parametrize("name", BOMBS)
def test_bombs_in_drafts(siege, way, name):
    one_receipt(siege, way, whole(name, b'{"id":"h","text":"HOSTILE","z":'), "invalid")


def answer_to(siege, way, topic, answer_topic, payload):
    wire = siege.dial(*way, source=SOURCE).log_in()
    seen = wire.attack(publish(wire, topic, payload))
    _, found = wire.until(lambda on, _: on == answer_topic, seen)
    return json.loads(found)


def codes_in(found):
    """Of a response or a sync's answer."""
    errors = [found.get("error")] + [one.get("error") for one in found.get("responses", ())]
    return {error["code"] for error in errors if error}


REFUSALS = {"invalid", "too_large"}


@WAYS
@pytest.mark.parametrize("name", BOMBS)
def test_bombs_in_commands(siege, way, name):
    found = answer_to(siege, way, "$CONTROL/chat/v1", "$CONTROL/chat/v1/response",
                      whole(name, b'{"commands":[{"command":"createGroup","title":"HOSTILE","z":',
                            b"}]}"))
    assert codes_in(found) and codes_in(found) <= REFUSALS, found


@WAYS
@pytest.mark.parametrize("name", BOMBS)
def test_bombs_in_syncs(siege, way, name):
    found = answer_to(siege, way, "send/me/sync", "me/sync", whole(name, b'{"limit":1,"z":'))
    assert codes_in(found) and codes_in(found) <= REFUSALS, found


PATHS = {
    "messages": ("POST", "/v1/conversations/@{mallory}/messages",
                 b'{"id":"h","text":"HOSTILE","z":'),
    "cursor": ("POST", "/v1/conversations/{c}/cursor", b'{"read":1,"z":'),
    "control": ("POST", "/v1/control", b'{"commands":[],"z":'),
    "sync": ("POST", "/v1/sync", b'{"z":'),
    "profile": ("PATCH", "/v1/me", b'{"name":"HOSTILE","z":'),
    "push": ("POST", "/v1/push/registrations", b'{"provider":"webhook","z":'),
    "login": ("POST", "/v1/login", b'{"handle":"nobody-here","password":"wrong password","z":'),
    "signup": ("POST", "/v1/signup", b'{"handle":"hostile","password":"long enough","z":'),
}


@pytest.mark.parametrize("route", PATHS)
@pytest.mark.parametrize("name", BOMBS)
def test_bombs_over_http(siege, route, name):
    method, path, prefix = PATHS[route]
    path = path.format(c=siege.conversation, mallory=siege.mallory.handle)
    answer = siege.system.request(method, path, whole(name, prefix), siege.mallory,
                                  headers={"Content-Type": "application/json"}, source=SOURCE)
    if route == "control":  # commands stand alone, so the answer is always an envelope
        assert answer.status == 200 and codes_in(answer.json()) == {"invalid"}, answer
    else:
        assert answer.status in (400, 413) and answer.json()["code"] in REFUSALS, answer


# ---------------------------------------------------------------- values of wrong kinds

VALUES = [None, True, 0, -1, 1.5, 2 ** 62, "", " ", "x" * 5000, "a\nb",
          "'; DROP TABLE banter.users --",
          "%", "\\", "\u202e", [], [[]], {}, {"a": 1}, [None], ["x"] * 200]
ARGUMENTS = {
    "createDirect": {"user": "x"},
    "createGroup": {"title": "x", "members": ["x"]},
    "createChannel": {"title": "x", "name": "x", "public": True, "posting": "all"},
    "addMembers": {"conversation": NOBODYS, "members": ["x"]},
    "removeMember": {"conversation": NOBODYS, "user": "x"},
    "leave": {"conversation": NOBODYS},
    "getConversation": {"conversation": NOBODYS},
    "listConversations": {"after": NOBODYS, "limit": 1},
    "getProfile": {"user": "x"},
    "modifyProfile": {"email": "a@b.example", "email_visibility": "nobody",
                      "last_seen_visibility": "nobody"},
    "searchUsers": {"query": "x", "limit": 1},
    "searchMessages": {"query": "x", "conversation": NOBODYS, "from": "x",
                       "after": "2020-01-01T00:00:00Z", "before": "2020-01-01T00:00:00Z",
                       "next": "x", "limit": 1},
    "listMembers": {"conversation": NOBODYS, "after": "x", "limit": 1},
    "revokeDevice": {"device": "none"},
    "setRole": {"conversation": NOBODYS, "user": "x", "role": "admin"},
    "modifyConversation": {"conversation": NOBODYS, "title": "x", "retention_days": 1},
    "deleteConversation": {"conversation": NOBODYS},
    "join": {"conversation": NOBODYS},
    "createInvite": {"conversation": NOBODYS, "expires_in": 1, "uses": 1},
    "listInvites": {"conversation": NOBODYS, "after": NOBODYS, "limit": 1},
    "revokeInvite": {"conversation": NOBODYS},
    "mute": {"conversation": NOBODYS, "until": "2030-01-01T00:00:00Z"},
    "registerPush": {"provider": "webhook", "url": "https://example.org/", "secret": "x" * 16},
    "unregisterPush": {"registration": NOBODYS},
    "block": {"user": "x"},
    "unblock": {"user": "x"},
    "listBlocks": {"after": "x", "limit": 1},
    "createUser": {"user": "xy", "password": "x" * 8, "name": "x"},
    "disableUser": {"user": "xy"},
    "enableUser": {"user": "xy"},
    "eraseUser": {"user": "xy"},
    "exportUser": {"user": "xy"},
    "kickUser": {"user": "xy", "device": "x"},
    "listSessions": {"user": "xy"},
}
# What may be left out, or be any text, is answered; only what it says may not be damage.
ANSWERS = {"invalid", "not_found", "too_large", "forbidden", "limit_reached", None}


@pytest.mark.parametrize("command", ARGUMENTS)
def test_arguments_of_wrong_kinds(siege, command):
    """Each argument in turn is each of the values; none is answered with `internal` or not at
    all."""
    commands = [{"command": command, **ARGUMENTS[command], name: value}
                for name in ARGUMENTS[command] for value in VALUES]
    wire = siege.dial(source="127.1.5.2").log_in()
    for start in range(0, len(commands), 100):
        part = commands[start:start + 100]
        found = execute(siege, wire, part)
        assert len(found) == len(part)
        wrong = [(sent, answer) for sent, answer in zip(part, found)
                 if answer.get("error", {}).get("code") not in ANSWERS]
        assert not wrong


ENVELOPES = {
    "an array": b"[]", "a string": b'"x"', "a number": b"1", "null": b"null", "empty": b"{}",
    "no array": b'{"commands":{}}', "null commands": b'{"commands":null}',
    "commands of numbers": b'{"commands":[1]}', "nested": b'{"commands":[[{}]]}',
    "no name": b'{"commands":[{}]}', "a name of a number": b'{"commands":[{"command":1}]}',
    "an empty name": b'{"commands":[{"command":""}]}',
    "a long name": b'{"commands":[{"command":"' + b"x" * 10_000 + b'"}]}',
    "a name with a quote": b'{"commands":[{"command":"a\\"b\\nc"}]}',
    "a name with percent signs": b'{"commands":[{"command":"%s%n%s%n"}]}',
    "101 commands": b'{"commands":[' + b",".join([b'{"command":"getProfile"}'] * 101) + b"]}",
    "two lists": b'{"commands":[],"commands":[]}',
    "two names": b'{"commands":[{"command":"getProfile","command":"leave"}]}',
    "correlation of a number": b'{"commands":[{"command":"getProfile","correlationData":1}]}',
    "correlation of 129": b'{"commands":[{"command":"getProfile","correlationData":"'
                          + b"x" * 129 + b'"}]}',
}


@WAYS
@pytest.mark.parametrize("name", ENVELOPES)
def test_envelopes(siege, way, name):
    found = answer_to(siege, way, "$CONTROL/chat/v1", "$CONTROL/chat/v1/response", ENVELOPES[name])
    assert codes_in(found) and codes_in(found) <= REFUSALS | {"not_found"}, found


SYNCS = {
    "an array": b"[]", "a string": b'"x"', "a number": b"1", "null": b"null", "not JSON": b"x",
    "cursors a list": b'{"cursors":[]}', "cursors a number": b'{"cursors":1}',
    "a cursor for no conversation": b'{"cursors":{"x":1}}',
    "a cursor of text": b'{"cursors":{"%s":"1"}}' % NOBODYS.encode(),
    "a cursor below 0": b'{"cursors":{"%s":-1}}' % NOBODYS.encode(),
    "a cursor of 2^63": b'{"cursors":{"%s":9223372036854775808}}' % NOBODYS.encode(),
    "a cursor of 1.5": b'{"cursors":{"%s":1.5}}' % NOBODYS.encode(),
    "a cursor twice": b'{"cursors":{"%s":1,"%s":2}}' % (NOBODYS.encode(), NOBODYS.encode()),
    "limit -1": b'{"limit":-1}', "limit 1001": b'{"limit":1001}', "limit text": b'{"limit":"5"}',
    "limit 2^63": b'{"limit":9223372036854775808}', "view of nothing": b'{"view":"x"}',
    "view a number": b'{"view":1}',
    "10001 cursors": b'{"cursors":{' + b",".join(
        b'"00000000-0000-4000-8000-%012x":1' % n for n in range(10_001)) + b"}}",
}


@WAYS
@pytest.mark.parametrize("name", SYNCS)
def test_syncs(siege, way, name):
    found = answer_to(siege, way, "send/me/sync", "me/sync", SYNCS[name])
    assert codes_in(found) and codes_in(found) <= REFUSALS, found


@WAYS
def test_cursors_of_others_in_a_sync(siege, way):
    """Asked for, they are not there."""
    found = answer_to(siege, way, "send/me/sync", "me/sync", json.dumps(
        {"cursors": {siege.conversation: 0, NOBODYS: 0}}).encode())
    named = {one["conversation"] for one in found["conversations"]}
    assert not named & {siege.conversation, NOBODYS}


@WAYS
def test_garbage_for_signals(siege, way):
    """Dropped; 0x87 or 0x97 is all that is said."""
    wire = siege.dial(*way, source=SOURCE).log_in()
    for bomb in BOMBS.values():
        for topic in (f"send/{siege.conversation}/cursor", f"send/{siege.conversation}/typing",
                      "send/me/presence"):
            seen = wire.attack(packet(PUBLISH, 2, text(topic) + b"\0\7" + wire.properties({})
                                      + b'{"state":' + bomb))
            assert not seen.ended and len(seen.answers) == 1
            if way[0] == 5:
                assert seen.answers[0].body[2] in (0x87, 0x97)
