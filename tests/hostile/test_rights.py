# SPDX-License-Identifier: MIT
"""What mallory, who is let in, tries with what is not hers: topics of the server's and of others,
filters that would show her more, commands on others' conversations, envelopes that pretend."""
import json
import uuid

import pytest

from support.wire import PUBACK, PUBLISH, PUBREC, SUBSCRIBE, packet, text

from outcomes import Answered, Ignored, NOT_AUTHORIZED, Receipted, not_granted, refused
from test_connects import WAYS

SOURCE = "127.1.3.1"
NOBODYS = "00000000-0000-4000-8000-000000000000"
MID = b"\0\x42"
HOSTILE = b'{"id":"h","text":"HOSTILE"}'


def fill(siege, shape):
    return shape.format(c=siege.conversation, alice=siege.alice.handle, bob=siege.bob.handle,
                        mallory=siege.mallory.handle, nobody=NOBODYS)


def publish(wire, topic, payload, qos=1, values=None):
    return packet(PUBLISH, qos << 1, text(topic) + (MID if qos else b"")
                  + (wire.properties(values or {})) + payload)


# ---------------------------------------------------------------- topics

FOREIGN = [
    "chat/{c}", "chat/{c}/typing", "chat/{c}/cursor", "chat/{nobody}", "chat", "chat/", "me",
    "me/ready", "me/receipt", "me/event", "me/sync", "me/heads", "presence/{alice}",
    "presence/{mallory}", "banter", "banter/bell", "banter/bell/", "/banter/bell",
    "$SYS/broker/uptime", "$SYS", "$CONTROL/dynamic-security/v1", "$CONTROL/chat/v1/response",
    "$CONTROL/chat/v2", "$CONTROL/chat", "$CONTROL", "$control/chat/v1", "$share/g/chat/{c}",
    "$share/g/send/{c}", "{alice}/phone5", "{alice}", "/", "//", " ", "send", "/send/{c}",
    "Send/{c}",
    "SEND/@{bob}", "$/", "t/" * 90 + "t", "t" * 60_000,
]
MALFORMED_TARGETS = [
    "send/", "send//", "send/me", "send/me/sync/", "send/me/receipt", "send/me/other", "send/{c}/",
    "send/{c}/x", "send/{c}/typing/", "send/{c}0", "send/ {c}", "send//{c}", "send/@", "send/@a",
    "send/@@{bob}", "send/@{bob}/x", "send/@{bob} ", "send/@-x", "send/@B", "send/@../x",
    "send/{bob}",
    "send/@%00", "send/@{alice},{bob}", "send/@" + "b" * 33, "send/@бob", "send/../{c}",
]


@WAYS
@pytest.mark.parametrize("shape", FOREIGN, ids=lambda s: s[:30])
def test_topics_of_others_and_of_the_server(siege, way, shape):
    """0x87 with MQTT 5; nobody hears, and it is kept nowhere."""
    wire = siege.dial(*way, source=SOURCE).log_in()
    topic = fill(siege, shape)
    # Mosquitto passes over what is for $SYS and for control points that do not exist.
    swallowed = Answered(PUBACK, [0]) | Answered(PUBACK, [0x10]) if topic[0] == "$" else refused()
    for qos, outcome in ((0, Ignored()), (1, refused() | swallowed)):
        problem = outcome.problem(wire.attack(publish(wire, topic, HOSTILE, qos)), wire)
        assert problem is None, problem
    problem = (Answered(PUBREC, [NOT_AUTHORIZED]) | Answered(PUBREC, [0])).problem(
        wire.attack(publish(wire, topic, HOSTILE, 2)), wire)
    assert problem is None, problem


@WAYS
@pytest.mark.parametrize("shape", MALFORMED_TARGETS)
def test_targets_that_name_nothing(siege, way, shape):
    wire = siege.dial(*way, source=SOURCE).log_in()
    problem = Receipted("invalid", NOT_AUTHORIZED).problem(
        wire.attack(publish(wire, fill(siege, shape), HOSTILE)), wire)
    assert problem is None, problem


POSTS = {
    "into their conversation": ("send/{c}", HOSTILE, "not_found"),
    "into one of nobody": ("send/{nobody}", HOSTILE, "not_found"),
    "to nobody": ("send/@nobody-has-this-name", HOSTILE, "not_found"),
    "pretending to be alice": ("send/{c}", b'{"id":"h","text":"HOSTILE","from":"alice","seq":1}',
                               "not_found"),
    "an edit of alice's": ("send/{c}", b'{"id":"h","kind":"edit","target":1,"text":"HOSTILE"}',
                           "not_found"),
    "a deletion of alice's": ("send/{c}", b'{"id":"h","kind":"delete","target":1}', "not_found"),
    "a reaction": ("send/{c}", '{"id":"h","kind":"reaction","target":1,"emoji":"👍"}'.encode(),
                   "not_found"),
    "a change of members": ("send/{c}", b'{"id":"h","kind":"members_added","members":["mallory"]}',
                            "invalid"),
    "a draft id of alice's": ("send/{c}", b'{"id":"n1","text":"HOSTILE"}', "not_found"),
    "QoS 2 to bob": ("send/@{bob}", HOSTILE, "invalid"),
}


@WAYS
@pytest.mark.parametrize("name", POSTS)
def test_posts_that_nobody_may_make(siege, way, name):
    wire = siege.dial(*way, source=SOURCE).log_in()
    shape, payload, code = POSTS[name]
    qos = 2 if "QoS 2" in name else 1
    problem = Receipted(code, kind=PUBREC if qos == 2 else PUBACK).problem(
        wire.attack(publish(wire, fill(siege, shape), payload, qos)), wire)
    assert problem is None, problem


SIGNALS = {
    "typing there": ("send/{c}/typing", b'{"state":"start"}'),
    "a cursor there": ("send/{c}/cursor", b'{"read":1}'),
    "typing nowhere": ("send/{nobody}/typing", b'{"state":"start"}'),
    "presence that is none": ("send/me/presence", b'{"state":"invisible"}'),
    "presence of alice": ("send/me/presence", b'{"user":"alice","state":"gone"}'),
    "presence too long": ("send/me/presence", b'{"state":"online","x":"' + b"y" * 2000 + b'"}'),
    "no presence": ("send/me/presence", b""),
}


@WAYS
@pytest.mark.parametrize("name", SIGNALS)
def test_signals(siege, way, name):
    wire = siege.dial(*way, source=SOURCE).log_in()
    shape, payload = SIGNALS[name]
    problem = refused().problem(wire.attack(publish(wire, fill(siege, shape), payload)), wire)
    assert problem is None, problem


# ---------------------------------------------------------------- filters

FILTERS = [
    "#", "+", "+/#", "+/+", "/#", "/+", "+/+/+", "$SYS/#", "$SYS/+", "$SYS/broker/clients/+",
    "$CONTROL/#", "$CONTROL/chat/v1", "$CONTROL/+/v1", "$CONTROL/chat/v1/#", "send/#", "send/+",
    "send/{c}", "send/@{alice}", "send/me/sync", "banter/#", "banter/bell", "banter/+", "Chat/#",
    "CHAT/{c}",
    "chats/#", "chat{c}", "$share/g/chat/#", "$share/g/chat/{c}", "$share/g/#",
    "$share/g/me/receipt",
    "presence/#", "presence/+", "presence/{alice}/x", "presence/", "presence/@{alice}",
    "presence/ALICE", "+/receipt", "+/{c}", "{alice}/#", "$queue/chat/#", "$exclusive/chat/{c}",
]


@WAYS
def test_filters_that_would_show_others(siege, way):
    """Each refused by itself; and all at once, among those that are granted."""
    wire = siege.dial(*way, source=SOURCE).log_in()
    filters = [fill(siege, shape) for shape in FILTERS]
    for one in filters:
        data = packet(SUBSCRIBE, 2, MID + wire.properties({}) + text(one) + b"\0")
        problem = not_granted().problem(wire.attack(data), wire)
        assert problem is None, (one, problem)
    data = packet(SUBSCRIBE, 2, MID + wire.properties({})
                  + b"".join(text(one) + b"\1" for one in filters))
    problem = not_granted(len(filters)).problem(wire.attack(data), wire)
    assert problem is None, problem


@WAYS
def test_filters_that_are_granted_show_nothing(siege, way):
    wire = siege.dial(*way, source=SOURCE).log_in()
    wire.subscribe(f"chat/{siege.conversation}", "chat/#", "chat/+/typing", "me/#", "me/+")
    siege.chat.go_on()
    assert not wire.attack(b"").published


@WAYS
def test_presence_of_a_stranger(siege, way):
    """Refused at once, or granted and then refused; shown never."""
    wire = siege.dial(*way, source=SOURCE).log_in()
    seen = wire.attack(packet(SUBSCRIBE, 2, MID + wire.properties({})
                              + text(f"presence/{siege.alice.handle}") + b"\0"))
    if not_granted().problem(seen, wire):
        _, payload = wire.until(lambda *_: True, seen)
        assert b"presence_refused" in payload, payload


# ---------------------------------------------------------------- commands

def commands_on(c):
    """Every command that names a conversation, on one that is not mallory's."""
    return [
        {"command": "addMembers", "conversation": c, "members": ["{mallory}"]},
        {"command": "removeMember", "conversation": c, "user": "{bob}"},
        {"command": "leave", "conversation": c},
        {"command": "getConversation", "conversation": c},
        {"command": "listMembers", "conversation": c},
        {"command": "setRole", "conversation": c, "user": "{mallory}", "role": "owner"},
        {"command": "modifyConversation", "conversation": c, "title": "HOSTILE"},
        {"command": "modifyConversation", "conversation": c, "retention_days": 1},
        {"command": "deleteConversation", "conversation": c},
        {"command": "join", "conversation": c},
        {"command": "createInvite", "conversation": c},
        {"command": "listInvites", "conversation": c},
        {"command": "revokeInvite", "conversation": c},
        {"command": "mute", "conversation": c, "until": None},
        {"command": "searchMessages", "conversation": c, "query": "message"},
    ]


def execute(siege, wire, commands, values=None):
    """The responses to an envelope of these commands."""
    envelope = json.dumps({"commands": commands}).replace("{mallory}", siege.mallory.handle)
    envelope = envelope.replace("{bob}", siege.bob.handle).replace("{alice}", siege.alice.handle)
    seen = wire.attack(publish(wire, "$CONTROL/chat/v1", envelope.encode(), values=values))
    _, payload = wire.until(lambda topic, _: topic == "$CONTROL/chat/v1/response", seen)
    return json.loads(payload)["responses"]


@WAYS
@pytest.mark.parametrize("of", ["alice and bob", "nobody"])
def test_commands_on_conversations_of_others(siege, way, of):
    """`not_found` for all of them: that it exists is not said either."""
    wire = siege.dial(*way, source=SOURCE).log_in()
    commands = commands_on(siege.conversation if of == "alice and bob" else NOBODYS)
    found = execute(siege, wire, commands)
    codes = [answer.get("error", {}).get("code") for answer in found]
    assert codes == ["not_found"] * len(commands)


FORGED = {
    "as alice": {"command": "leave", "conversation": "{c}", "user": "{alice}", "from": "{alice}"},
    "with an actor": {"command": "deleteConversation", "conversation": "{c}",
                      "actor": {"uid": 1, "handle": "{alice}"}},
    "a foreign registration": {"command": "unregisterPush", "registration": NOBODYS},
    "an invite that is a guess": {"command": "join", "invite": "AAAAAAAAAAAAAAAAAAAAAA"},
    "no command": {"command": "dropTables"},
    "an operator's": {"command": "shutdown"},
    "a profile of others": {"command": "modifyProfile", "user": "{alice}", "name": ["x"]},
}


@WAYS
@pytest.mark.parametrize("name", FORGED)
def test_forged_envelopes(siege, way, name):
    wire = siege.dial(*way, source=SOURCE).log_in()
    command = json.loads(json.dumps(FORGED[name]).replace("{c}", siege.conversation))
    found = execute(siege, wire, [command])
    assert found[0].get("error", {}).get("code") in ("not_found", "invalid", "forbidden"), found


@WAYS
@pytest.mark.parametrize("device", ["phone5", NOBODYS, "%", "' OR true --"])
def test_devices_of_others(siege, way, device):
    """Names are of their user: none is revoked, and alice goes on."""
    wire = siege.dial(*way, source=SOURCE).log_in()
    found = execute(siege, wire, [{"command": "revokeDevice", "device": device}])[0]
    assert found.get("data") == {"revoked": 0} or found["error"]["code"] == "invalid", found


RESPONSE_TOPICS = ["$SYS/broker", "$CONTROL/x", "$share/g/x", "a" * 300]


@pytest.mark.parametrize("topic", RESPONSE_TOPICS, ids=lambda t: t[:20])
def test_response_topics(siege, topic):
    """Refused with `invalid`, on the topic that is always right."""
    wire = siege.dial(source=SOURCE).log_in()
    seen = wire.attack(publish(wire, "$CONTROL/chat/v1", b'{"commands":[]}',
                               values={"response_topic": topic}))
    _, payload = wire.until(lambda topic, _: topic == "$CONTROL/chat/v1/response", seen)
    assert b'"invalid"' in payload


@pytest.mark.parametrize("shape", ["chat/{c}", "me/receipt", "send/{c}", "{alice}/x"])
def test_a_response_goes_to_who_asked(siege, shape):
    """Whatever its topic, nobody else gets it; the others' chat proves it."""
    wire = siege.dial(source=SOURCE).log_in()
    topic = fill(siege, shape)
    wire.send(publish(wire, "$CONTROL/chat/v1", b'{"commands":[{"command":"getProfile"}]}',
                      values={"response_topic": topic, "correlation": b"HOSTILE"}))
    assert wire.until(lambda on, _: on == topic)
    siege.chat.go_on()


@WAYS
def test_correlation_data_that_is_too_long(siege, way):
    if way[0] == 4:
        outcome = execute(siege, siege.dial(*way, source=SOURCE).log_in(),
                          [{"command": "getProfile", "correlationData": "x" * 129}])
        assert outcome[0]["error"]["code"] == "invalid"
        return
    wire = siege.dial(*way, source=SOURCE).log_in()
    found = wire.attack(publish(wire, "$CONTROL/chat/v1", b'{"commands":[]}',
                                values={"correlation": b"x" * 60_000}))
    _, payload = wire.until(lambda topic, _: topic == "$CONTROL/chat/v1/response", found)
    assert b'"invalid"' in payload


def test_the_same_draft_id_as_somebody_else(siege):
    """Ids are of their sender: mallory's n1 to bob is no draft of alice's, and the second one with
    another body is a conflict. She may write to bob's other self: notes to herself."""
    wire = siege.dial(source=SOURCE).log_in()
    to = f"send/@{siege.mallory.handle}"
    unique = str(uuid.uuid5(uuid.NAMESPACE_URL, "same"))
    for payload, wanted in ((b"first", "seq"), (b"first", "seq"), (b"HOSTILE", "error")):
        wire.send(publish(wire, to, b'{"id":"%s","text":"%s"}' % (unique.encode(), payload)))
        _, found = wire.until(lambda topic, _: topic == "me/receipt")
        assert wanted in json.loads(found), found
    assert json.loads(found)["error"]["code"] == "conflict"


def test_a_will_to_everybody_elses_topics(siege):
    """Accepted or refused at CONNECT; what it says is heard by nobody."""
    for shape in FOREIGN[:20] + ["send/{c}", "send/@{bob}", "send/me/sync", "$CONTROL/chat/v1"]:
        for version in (5, 4):
            wire = siege.dial(version, source=SOURCE)
            will = wire.properties({}) + text(fill(siege, shape)) + text(HOSTILE)
            if wire.knock(packet(1, 0, wire.body(flags=0xC6, will=will))) == 0:
                wire.publish_on("me/ready")
            wire.socket.close()
    siege.chat.go_on()


def test_ends_of_others_are_not_mallorys_to_make(siege):
    """A wrong token with alice's client id, then a DISCONNECT: alice stays."""
    for version, transport in ((5, "tcp"), (4, "tcp"), (5, "websocket"), (4, "websocket")):
        for username, password in ((siege.mallory.handle, siege.mallory.access_token),
                                   (siege.alice.handle, siege.mallory.access_token),
                                   (siege.alice.handle, "guess")):
            wire = siege.dial(version, transport, source=SOURCE)
            assert wire.knock(packet(1, 0, wire.body(
                client_id=f"{siege.alice.handle}/phone5", username=username,
                password=password))) != 0
    siege.chat.go_on()
