# SPDX-License-Identifier: MIT
"""Issue 2, item 5: each bad input is refused with the documented code; nothing crashes, and nothing
leaks to eve, who hears everything that she is allowed to hear.

Every test here runs beside a conversation of alice and bob that must go on, and ends with it."""
import json
import socket
import struct
import time
import uuid

import pytest

from support import MQTTv311, MQTTv5, mosquitto_pub, wait_until
from support.bad_drafts import DRAFTS
from support.log import assert_dense, assert_invariants


class Scene:
    """alice's phone, bob's phone and eve, subscribed to all that the broker grants her."""

    def __init__(self, banter, protocol=MQTTv5):
        self.banter, self.protocol = banter, protocol
        self.alice, self.bob, self.eve = (banter.signup(n) for n in ("alice", "bob", "eve"))
        self.phone = banter.device(self.alice, protocol=protocol)
        self.other = banter.device(self.bob)
        self.spies = [banter.device(self.eve, f"spy{p}", protocol=p) for p in (MQTTv5, MQTTv311)]
        for spy in self.spies:
            for topic_filter in ("chat/#", "chat/+", "me/#", "me/+", "$CONTROL/chat/v1/response"):
                assert spy.subscribe(topic_filter) < 0x80
        self.conversation = self.phone.say(f"@{self.bob.handle}", "first")["conversation"]
        self.other.wait_entry(self.conversation, seq=1)
        self.pids = {name: banter.pid(name) for name in ("postgres", "bridge", "broker")}

    def refused(self, payload, topic=None, qos=1):
        """The receipt that refuses this payload; there must be one more receipt than before."""
        seen = len(self.phone.receipts())
        self.phone.publish(topic or f"send/{self.conversation}", payload, qos)
        self.phone.wait_message(lambda m: len(self.phone.receipts()) > seen, what="receipt")
        receipt = self.phone.receipts()[-1]
        assert "seq" not in receipt, receipt
        return receipt

    def assert_intact(self, stored=1):
        """`stored` entries so far; the conversation goes on; eve heard nothing; no process died."""
        receipt = self.phone.say(self.conversation, "and on it goes")
        assert receipt["seq"] == stored + 1
        self.other.wait_entry(self.conversation, seq=stored + 1)
        for spy in self.spies:
            spy.receipt(spy.send(str(uuid.uuid4()), "flush"))
            assert {m.topic for m in spy.messages} == {"me/ready", "me/receipt"}
        for device in (self.phone, self.other):
            for message in device.messages:
                assert message.topic in ("me/ready", "me/receipt", "me/heads", "me/event",
                                         f"chat/{self.conversation}")
                if message.topic == "me/event":  # the first draft made the conversation
                    event = json.loads(message.payload)
                    assert (event["event"], event["conversation"]) == ("added", self.conversation)
        assert [e["seq"] for e in self.other.entries(self.conversation)] == list(
            range(1, stored + 2))
        assert {name: self.banter.pid(name) for name in self.pids} == self.pids


@pytest.fixture(params=[MQTTv5, MQTTv311], ids=["mqtt5", "mqtt311"])
def scene(banter, request):
    return Scene(banter, request.param)


@pytest.fixture
def scene5(banter):
    return Scene(banter)


# ---------------------------------------------------------------- drafts

def test_bad_drafts_are_refused(scene):
    wrong = []
    for name, (payload, code, draft_id) in DRAFTS.items():
        receipt = scene.refused(payload)
        assert receipt["conversation"] == scene.conversation
        if (receipt["error"]["code"], receipt.get("id")) != (code, draft_id):
            wrong.append((name, code, draft_id, receipt))
    assert not wrong
    scene.assert_intact()


def test_bad_drafts_over_http_get_the_same_codes(banter):
    alice, bob = banter.signup("alice"), banter.signup("bob")
    path = f"/v1/conversations/@{bob.handle}/messages"
    status = {"invalid": 400, "too_large": 413}
    wrong = []
    for name, (payload, code, _id) in DRAFTS.items():
        response = banter.request("POST", path, payload, alice,
                                  headers={"Content-Type": "application/json"})
        if response.status != status[code] or response.json()["code"] != code:
            wrong.append((name, code, response))
    assert not wrong
    assert banter.request("POST", path, {"id": "d", "text": "fine"}, alice).ok()["seq"] == 1


def test_bad_drafts_spoil_no_batch(scene5):
    """Good and bad wait together: PostgreSQL must never see the bad ones."""
    scene = scene5
    from_alice = []
    payloads = list(DRAFTS.values())
    for n, (payload, _code, _id) in enumerate(payloads):
        scene.phone.publish(f"send/{scene.conversation}", payload)
        from_alice.append(scene.other.send(scene.conversation, f"bob {n}"))
    receipts = [scene.other.receipt(d, timeout=20) for d in from_alice]
    assert all("seq" in r for r in receipts)
    scene.phone.wait_entry(scene.conversation, id=from_alice[-1], timeout=20)
    assert_dense(scene.banter.history(scene.alice, scene.conversation, after=0, limit=1000))
    assert [[row[0] for row in scene.banter.psql("SELECT count(*) FROM banter.quarantine")]] == [
        ["0"]]
    assert_invariants(scene.banter)


@pytest.mark.parametrize("extra", [{"kind": "text"}, {"unknown": [1, {"a": None}]},
                                   {"z": 2 ** 63 - 1}, {"from": "root", "seq": 99},
                                   {"conversation": "other", "at": "1970-01-01T00:00:00.000Z"}])
def test_unknown_members_are_ignored_and_never_passed_on(scene5, extra):
    scene5.phone.publish(f"send/{scene5.conversation}",
                         json.dumps({"id": "extra", "text": "x", **extra}))
    receipt = scene5.phone.receipt("extra")
    entry = scene5.other.wait_entry(scene5.conversation, id="extra")
    assert entry == {"conversation": scene5.conversation, "seq": 2, "at": receipt["at"],
                     "from": scene5.alice.handle, "id": "extra", "kind": "text", "text": "x"}


@pytest.mark.parametrize("draft_id", [
    "i", "x" * 64, "é" * 64, "😀" * 64, "a b", '"\\', "..", "'; --", "\u202eright", "%00", "null"])
def test_every_good_id_is_returned_as_it_was(scene5, draft_id):
    assert scene5.phone.say(scene5.conversation, "x", id=draft_id)["id"] == draft_id
    assert scene5.other.wait_entry(scene5.conversation, seq=2)["id"] == draft_id


def test_sql_is_text(scene5):
    texts = ("'; DROP TABLE banter.messages; --", "$1", "\\", "{1,2}", "NULL", "%s", "E'\\x00'",
             '","', "a\\u0000b")
    for n, text in enumerate(texts):
        receipt = scene5.phone.say(scene5.conversation, text, id=f"sql {n} {text}")
        assert scene5.other.wait_entry(scene5.conversation, seq=receipt["seq"])["text"] == text
    assert_invariants(scene5.banter)


# ---------------------------------------------------------------- topics

UUID = "00000000-0000-4000-8000-000000000000"
FOREIGN_TOPICS = [
    "foo", "/", "/send", "chat", "send", "send/", "me", f"chat/{UUID}", f"chat/{UUID}/typing",
    "me/ready", "me/receipt", "me/sync", "me/event", "presence/alice", "banter/bell", "banter",
    "send/me", "send/me/sync/", "send/me/other", f"send/{UUID}/", f"send/{UUID}/typing",
    f"send/{UUID}/x/y", f"send/{UUID}0", f"send/{UUID[:-1]}", f"send/{UUID.replace('0', 'A')}",
    f"SEND/{UUID}", f"send//{UUID}", f" send/{UUID}", f"send/{{{UUID}}}", "send/@", "send/@a",
    "send/@Bob", "send/@bob/x", "send/@bob ", "send/@bo b", "send/@@bob", "send/@-bob",
    "send/@" + "b" * 33, "send/@böb", "send/@бob", "send/bob", "send/@bob%00", "send/..",
    "send/@../root", "$SYS/broker/uptime", "$SYS/x", "$CONTROL/dynamic-security/v1",
    "$share/g/chat/x", "t" * 60_000, "a/" * 100 + "b"]


def test_foreign_topics_are_refused(scene):
    """0x87 where MQTT can say it; nothing stored, nobody hears, the connection lives."""
    body = '{"id":"foreign","text":"x"}'
    mids = {topic: scene.phone.publish(topic, body) for topic in FOREIGN_TOPICS}
    codes = {topic: scene.phone.puback(mid) for topic, mid in mids.items()}
    assert scene.phone.connected
    if scene.protocol == MQTTv5:
        got_in = [t for t, code in codes.items()
                  if code != 0x87 and not t.startswith(("$CONTROL/", "$SYS"))]
        assert not got_in, f"not refused: {got_in}"
    scene.phone.say(scene.conversation, "flush")
    allowed = {"not_found", "invalid", "forbidden"}
    for receipt in scene.phone.receipts():
        if "error" in receipt:
            assert receipt["error"]["code"] in allowed
    scene.assert_intact(stored=2)


def test_foreign_topics_at_other_qos(scene):
    for qos in (0, 2):
        for topic in ("foo", f"chat/{scene.conversation}", "me/receipt", "banter/bell"):
            scene.phone.publish(topic, '{"id":"foreign","text":"x"}', qos)
    scene.assert_intact()


def raw_publish(banter, account, topic_bytes, payload=b"x", version=4):
    """Connects by hand and publishes with a topic that no client library would send; returns what
    the broker answered after CONNACK until it closed or two seconds passed."""
    def text(data):
        return struct.pack(">H", len(data)) + data

    def packet(kind, body):
        length, out = len(body), bytearray([kind])
        while True:
            length, digit = divmod(length, 128)
            out.append(digit | (0x80 if length else 0))
            if not length:
                return bytes(out) + body
    client_id = f"{account.handle}/raw".encode()
    properties = b"\x00" if version == 5 else b""
    connect = (text(b"MQTT") + bytes([version, 0xC2]) + struct.pack(">H", 30) + properties +
               text(client_id) + text(account.handle.encode()) +
               text(account.access_token.encode()))
    with socket.create_connection((banter.mqtt_host, banter.mqtt_port), timeout=5) as sock:
        sock.sendall(packet(0x10, connect))
        connack = sock.recv(64)
        assert connack[0] == 0x20 and connack[3] == 0, connack
        sock.sendall(packet(0x32, text(topic_bytes) + b"\x00\x07" + properties + payload))
        sock.settimeout(2)
        got = b""
        try:
            while b"\x40" not in got[:1]:
                part = sock.recv(4096)
                if not part:
                    return b""
                if part[0] & 0xF0 != 0x30:
                    got += part
        except TimeoutError:
            pass
        return got


@pytest.mark.parametrize("topic", [
    b"send/#", b"send/+", b"chat/+/x", b"send/@bo\x00b", b"send/\xff\xfe", b"send/\xed\xa0\x80",
    b"", b"send/@b\x01b", b"send/@b\x7fb"])
@pytest.mark.parametrize("version", [4, 5])
def test_topics_that_mqtt_forbids(scene5, topic, version):
    answer = raw_publish(scene5.banter, scene5.alice, topic, b'{"id":"raw","text":"x"}', version)
    accepted = answer[:1] == b"\x40" and version == 5 and (len(answer) < 5 or answer[4] < 0x80)
    assert not accepted, "acknowledged as a success"
    scene5.assert_intact()


# ---------------------------------------------------------------- subscriptions

REFUSED_FILTERS = ["#", "+", "+/#", "+/+", "/#", "$SYS/#", "$CONTROL/#", "$CONTROL/chat/v1",
                   "$CONTROL/+/v1", "send/#", f"send/{UUID}", "send/me/sync", "banter/#",
                   "banter/bell", "foo", "Chat/#", "$share/g/chat/#", "$share/g/#",
                   "$share/g/me/receipt", "presence/#", "+/receipt", f"+/{UUID}"]
GRANTED_FILTERS = ["chat/#", "chat", "chat/+", f"chat/{UUID}", "chat/+/typing", "me/#", "me/ready",
                   "me/+", "$CONTROL/chat/v1/response"]


def test_subscriptions(scene):
    refused = 0x87 if scene.protocol == MQTTv5 else 0x80
    spy = scene.spies[0 if scene.protocol == MQTTv5 else 1]
    answers = {f: spy.subscribe(f) for f in REFUSED_FILTERS}
    assert answers == {f: refused for f in REFUSED_FILTERS}
    answers = {f: spy.subscribe(f, qos=1) for f in GRANTED_FILTERS}
    assert all(code in (0, 1) for code in answers.values()), answers
    scene.assert_intact()


def test_a_granted_subscription_changes_nothing(scene):
    """No second copy for those who subscribe, however often."""
    for topic_filter in ("chat/#", "chat/+", f"chat/{scene.conversation}", "me/#"):
        assert scene.other.subscribe(topic_filter) < 0x80
        assert scene.phone.subscribe(topic_filter) < 0x80
    scene.phone.say(scene.conversation, "once")
    scene.assert_intact(stored=2)
    assert len(scene.phone.receipts()) == 3
    assert scene.phone.entries(scene.conversation) == []


# ---------------------------------------------------------------- retain, wills, packets

def test_retained_publishes_are_refused(scene):
    """The broker announces that it does not retain, and cuts off who does it all the same."""
    scene.phone.publish(f"send/{scene.conversation}", '{"id":"r","text":"retained"}', retain=True)
    reason = scene.phone.wait_closed()
    if scene.protocol == MQTTv5:
        assert reason in (0x9A, "closed", 1, 7), reason
    scene.phone.reconnect()
    late = scene.banter.device(scene.bob, "late")
    assert late.subscribe("chat/#") < 0x80
    late.receipt(late.send(str(uuid.uuid4()), "flush"))
    assert not late.entries(scene.conversation)
    texts = [e["text"] for e in scene.banter.history(scene.bob, scene.conversation)]
    assert texts == ["first"]
    scene.assert_intact()


def test_qos_2_is_refused(scene):
    """Exactly once is what draft ids are for."""
    receipt = scene.refused('{"id":"q2","text":"exactly once"}', qos=2)
    assert (receipt["id"], receipt["error"]["code"]) == ("q2", "invalid")
    scene.assert_intact()


def test_a_retained_publish_to_a_foreign_topic_stays_nowhere(scene):
    scene.phone.publish(f"chat/{scene.conversation}", "stale", retain=True)
    scene.phone.wait_closed()
    scene.phone.reconnect()
    for device in (*scene.spies, scene.other):
        device.subscribe(f"chat/{scene.conversation}")
        device.subscribe("chat/#")
    scene.assert_intact()


@pytest.mark.parametrize("topic", [
    "chat/{c}", "me/receipt", "send/{c}", "send/@{bob}", "send/me/sync", "$CONTROL/chat/v1",
    "banter/bell", "foo"])
def test_wills_are_never_delivered(scene, topic):
    topic = topic.format(c=scene.conversation, bob=scene.bob.handle)
    payload = '{"id":"will","text":"from the grave","commands":[{"command":"createGroup"}]}'
    for qos in (0, 1):
        try:
            dying = scene.banter.device(scene.alice, f"dying{qos}", protocol=scene.protocol,
                                        will=(topic, payload, qos, False))
        except AssertionError:
            continue  # refused at CONNECT, as newer brokers do with wills to $CONTROL
        dying.drop()
    # The broker has noticed once a newer connection of the same name is in.
    for qos in (0, 1):
        scene.banter.device(scene.alice, f"dying{qos}", protocol=scene.protocol).disconnect()
    texts = [e["text"] for e in scene.banter.history(scene.bob, scene.conversation)]
    assert "from the grave" not in texts
    listing = scene.banter.data_of(scene.alice, {"command": "listConversations"})
    assert len(listing["conversations"]) == 1
    scene.assert_intact()


def test_a_packet_over_the_limit_ends_the_connection(scene):
    scene.phone.publish(f"send/{scene.conversation}", b"x" * (1 << 20))
    scene.phone.wait_closed()
    scene.phone.reconnect()
    scene.assert_intact()


def test_a_draft_just_below_the_packet_limit_is_judged(scene5):
    padding = "y" * ((1 << 20) - 200)
    payload = json.dumps({"id": "padded", "text": "small", "padding": padding})
    assert scene5.phone.publish(f"send/{scene5.conversation}", payload)
    assert scene5.phone.receipt("padded")["seq"] == 2
    scene5.assert_intact(stored=2)


def test_a_flood_of_garbage_bytes_hurts_nobody(scene5):
    """Sockets that do not speak MQTT at all."""
    for garbage in (b"", b"\x00" * 100, b"GET / HTTP/1.1\r\n\r\n", b"\xff" * 1000,
                    b"\x10\xff\xff\xff\x7f", b"\x10\xff\xff\xff\xff\xff"):
        address = (scene5.banter.mqtt_host, scene5.banter.mqtt_port)
        with socket.create_connection(address, 5) as sock:
            sock.sendall(garbage)
            sock.settimeout(0.2)
            try:
                sock.recv(100)
            except OSError:
                pass
    scene5.assert_intact()


def test_control_and_sync_garbage_leaks_nothing(scene):
    for topic in ("$CONTROL/chat/v1", "send/me/sync"):
        for payload in (b"", b"\x00", b"\xff\xfe", b"{", b"[" * 100_000, b"x" * 100_000):
            scene.phone.publish(topic, payload)
    scene.phone.say(scene.conversation, "flush")
    answers = [m for m in scene.phone.messages
               if m.topic in ("me/sync", "$CONTROL/chat/v1/response")]
    assert len(answers) <= 12
    for spy in scene.spies:
        assert {m.topic for m in spy.messages} == {"me/ready"}
    assert {name: scene.banter.pid(name) for name in scene.pids} == scene.pids


def test_mosquitto_pub_sees_the_refusals(banter):
    """What the stock tools show of a refusal, MQTT 5 and 3.1.1."""
    alice = banter.signup("alice")
    done = mosquitto_pub(banter, alice, "foo", "x", "-q", "1", "-V", "mqttv5", "-d")
    assert "135" in done.stdout + done.stderr or "Not authorized" in done.stdout + done.stderr
    done = mosquitto_pub(banter, alice, "foo", "x", "-q", "1", "-V", "mqttv311")
    assert done.returncode == 0


# ---------------------------------------------------------------- HTTP

def http_bytes(banter, data, seconds=5):
    """Sends bytes as they are and returns all that comes back."""
    host, port = banter.http.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=seconds) as sock:
        sock.sendall(data)
        got, deadline = b"", time.monotonic() + seconds
        try:
            while time.monotonic() < deadline:
                part = sock.recv(65536)
                if not part:
                    break
                got += part
        except OSError:
            pass
        return got


@pytest.mark.parametrize("method, path, status", [
    ("GET", "/", (200, 404)), ("GET", "/v1/nothing", (404,)), ("DELETE", "/v1/control", (404, 405)),
    ("GET", "/v1/login", (404, 405)), ("POST", "/v1/login/", (404,)),
    ("GET", "//v1/me", (400, 404)),
    ("GET", "/v1/%2e%2e/livez", (400, 404)), ("GET", "/v1/conversations/../../livez", (400, 404)),
    ("TRACE", "/livez", (400, 404, 405, 501)), ("GET", "/" + "x" * 10_000, (400, 404, 414, 431))])
def test_http_refuses_foreign_routes(banter, method, path, status):
    alice = banter.signup("alice")
    response = banter.request(method, path, account=alice)
    assert response.status in status


def test_http_bodies_have_a_limit(banter):
    alice, bob = banter.signup("alice"), banter.signup("bob")
    path = f"/v1/conversations/@{bob.handle}/messages"
    try:
        response = banter.request("POST", path, b"x" * ((1 << 20) + 1), alice)
        assert response.status == 413
    except OSError:
        pass  # cut off while we were still sending is an answer too
    assert banter.request("GET", "/livez").status == 200


@pytest.mark.parametrize("request_bytes", [
    b"GARBAGE\r\n\r\n",
    b"GET /livez HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
    b"POST /v1/login HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n{}",
    b"POST /v1/login HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    b"POST /v1/login HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n",
    b"POST /v1/login HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"0\r\n\r\n",
    b"GET /livez HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 100_000 + b"\r\n\r\n",
    b"GET /v1/conversations HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer a\r\n"
    b"Authorization: Bearer b\r\n\r\n",
], ids=range(8))
def test_http_refuses_smuggling_and_garbage(banter, request_bytes):
    answer = http_bytes(banter, request_bytes, seconds=2)
    assert not answer.startswith(b"HTTP/1.1 2"), answer[:200]
    assert wait_until(lambda: banter.request("GET", "/livez").status == 200, 5, "livez")
