# SPDX-License-Identifier: MIT
"""Issue 2, item 2: two people talk, with Paho and with the stock command line clients."""
import hashlib
import json
import uuid

import pytest

from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from support import MQTTv311, MQTTv5, MosquittoSub, mosquitto_pub


def direct_id(handle_a, handle_b):
    """The id of a direct conversation as docs/architecture.md defines it."""
    low, high = sorted((handle_a, handle_b))
    digest = bytearray(hashlib.sha256(f"banter-direct\n{low}\n{high}".encode()).digest()[:16])
    digest[6] = digest[6] & 0x0F | 0x80
    digest[8] = digest[8] & 0x3F | 0x80
    return str(uuid.UUID(bytes=bytes(digest)))


def test_the_first_draft_makes_the_conversation(banter):
    alice, bob = banter.signup("alice"), banter.signup("bob")
    phone, laptop = banter.device(alice, "phone"), banter.device(alice, "laptop")
    bobs = [banter.device(bob, "phone"), banter.device(bob, "web", protocol=MQTTv311)]

    receipt = phone.say(f"@{bob.handle}", "hello")
    conversation = receipt["conversation"]
    assert conversation == direct_id(alice.handle, bob.handle)
    assert (receipt["seq"], receipt["to"]) == (1, f"@{bob.handle}")
    for device in (*bobs, laptop):
        entry = device.wait_entry(conversation, seq=1)
        assert entry == {"conversation": conversation, "seq": 1, "at": receipt["at"],
                         "from": alice.handle, "id": receipt["id"], "kind": "text",
                         "text": "hello"}

    answer = bobs[0].say(conversation, "hello alice", reply_to=1)
    assert (answer["conversation"], answer["seq"]) == (conversation, 2)
    assert "to" not in answer
    for device in (phone, laptop, bobs[1]):
        assert device.wait_entry(conversation, seq=2)["reply_to"] == 1
    again = bobs[1].say(f"@{alice.handle}", "by name, from the other side")
    assert (again["conversation"], again["seq"]) == (conversation, 3)
    for device in (phone, laptop, bobs[0]):
        device.wait_entry(conversation, seq=3)

    # Receipts went to the sending device only, entries to all but the sending device.
    assert [r["seq"] for r in phone.receipts()] == [1]
    assert [e["seq"] for e in phone.entries(conversation)] == [2, 3]
    assert laptop.receipts() == []
    assert [e["seq"] for e in laptop.entries(conversation)] == [1, 2, 3]
    assert [r["seq"] for r in bobs[0].receipts()] == [2]
    assert [e["seq"] for e in bobs[0].wait_entries(conversation, 2)] == [1, 3]
    assert [r["seq"] for r in bobs[1].receipts()] == [3]
    assert [e["seq"] for e in bobs[1].entries(conversation)] == [1, 2]


def test_both_may_begin_at_once(banter):
    """Both first drafts meet in one conversation, whoever comes first."""
    pairs = [(banter.signup("alice"), banter.signup("bob")) for _ in range(5)]
    devices = [(banter.device(a), banter.device(b)) for a, b in pairs]
    drafts = [(a.send(f"@{b.account.handle}", "me first"), b.send(f"@{a.account.handle}", "no, me"))
              for a, b in devices]
    for (a, b), (id_a, id_b) in zip(devices, drafts):
        receipts = [a.receipt(id_a), b.receipt(id_b)]
        conversation = direct_id(a.account.handle, b.account.handle)
        assert [r["conversation"] for r in receipts] == [conversation] * 2
        assert sorted(r["seq"] for r in receipts) == [1, 2]
        a.wait_entry(conversation, id=id_b)
        b.wait_entry(conversation, id=id_a)


def test_nothing_goes_to_strangers(banter):
    alice, bob, eve = banter.signup("alice"), banter.signup("bob"), banter.signup("eve")
    stranger = banter.device(eve)
    for topic_filter in ("chat/#", "me/#", "$CONTROL/chat/v1/response"):
        assert stranger.subscribe(topic_filter) < 0x80
    phone, other = banter.device(alice), banter.device(bob)
    receipt = phone.say(f"@{bob.handle}", "between us")
    other.wait_entry(receipt["conversation"], seq=1)
    # Eve is told nothing even when she guesses the id, which anybody can compute.
    assert stranger.subscribe(f"chat/{receipt['conversation']}") < 0x80
    refusal = stranger.receipt(stranger.send(receipt["conversation"], "me too"))
    assert refusal["error"]["code"] == "not_found"
    phone.say(f"@{bob.handle}", "still between us")
    other.wait_entry(receipt["conversation"], seq=2)
    assert {m.topic for m in stranger.messages} == {"me/ready", "me/receipt"}
    assert banter.request("GET", f"/v1/conversations/{receipt['conversation']}/messages",
                          account=eve).status == 404


def test_notes_to_self(banter):
    alice = banter.signup("alice")
    phone, laptop = banter.device(alice, "phone"), banter.device(alice, "laptop")
    receipt = phone.say(f"@{alice.handle}", "buy milk")
    assert receipt["conversation"] == direct_id(alice.handle, alice.handle)
    assert laptop.wait_entry(receipt["conversation"], seq=1)["text"] == "buy milk"
    members = banter.data_of(alice, {"command": "listMembers",
                                     "conversation": receipt["conversation"]})["members"]
    assert [m["user"] for m in members] == [alice.handle]
    laptop.say(receipt["conversation"], "and bread")
    phone.wait_entry(receipt["conversation"], seq=2)
    assert [e["text"] for e in banter.history(alice, receipt["conversation"])] == [
        "buy milk", "and bread"]


@pytest.mark.parametrize("protocol", [MQTTv5, MQTTv311])
def test_drafts_to_nobody_are_refused(banter, protocol):
    phone = banter.device(banter.signup("alice"), protocol=protocol)
    for target in ("@nobody-has-this-name", str(uuid.uuid4())):
        draft = phone.send(target, "anyone?")
        receipt = phone.receipt(draft)
        assert receipt["error"]["code"] == "not_found"
        assert receipt["conversation"] == target
        assert "seq" not in receipt
    # A final refusal blocks nothing.
    phone.say(f"@{phone.account.handle}", "fine")


@pytest.mark.parametrize("protocol", [MQTTv5, MQTTv311])
@pytest.mark.parametrize("qos", [0, 1])
def test_every_qos_and_protocol_carries_drafts(banter, protocol, qos):
    alice, bob = banter.signup("alice"), banter.signup("bob")
    phone, other = banter.device(alice, protocol=protocol), banter.device(bob, protocol=protocol)
    ids = [phone.send(f"@{bob.handle}", f"number {n}", qos=qos) for n in range(5)]
    receipts = [phone.receipt(draft) for draft in ids]
    assert [r["seq"] for r in receipts] == [1, 2, 3, 4, 5]
    entries = other.wait_entries(receipts[0]["conversation"], 5)
    assert [e["id"] for e in entries] == ids


def test_puback_says_no_subscriber_and_means_nothing(banter):
    phone = banter.device(banter.signup("alice"))
    draft = {"id": "1", "text": "x"}
    mid = phone.publish(f"send/@{phone.account.handle}", json.dumps(draft))
    assert phone.puback(mid) in (0x00, 0x10)
    phone.receipt("1")


def test_receipts_and_entries_are_not_retained_and_carry_no_strange_properties(banter):
    alice, bob = banter.signup("alice"), banter.signup("bob")
    phone, other = banter.device(alice), banter.device(bob)
    properties = Properties(PacketTypes.PUBLISH)
    properties.UserProperty = ("secret", "header")
    properties.ContentType = "text/html"
    properties.ResponseTopic = f"chat/{uuid.uuid4()}"
    properties.CorrelationData = b"\x00\x01"
    phone.publish(f"send/@{bob.handle}", '{"id":"p","text":"properties"}', properties=properties)
    receipt = phone.receipt("p")
    other.wait_entry(receipt["conversation"], id="p")
    for message in (*phone.messages, *other.messages):
        names = set(vars(message.properties)) if message.properties else set()
        assert not names & {"UserProperty", "ContentType", "ResponseTopic", "CorrelationData",
                            "MessageExpiryInterval"}


def test_a_post_over_http_reaches_every_device(banter):
    alice, bob = banter.signup("alice"), banter.signup("bob")
    devices = [banter.device(alice, "phone"), banter.device(bob, "phone")]
    path = f"/v1/conversations/@{bob.handle}/messages"
    response = banter.request("POST", path, {"id": "h1", "text": "over HTTP"}, alice)
    receipt = response.ok()
    assert (receipt["id"], receipt["seq"]) == ("h1", 1)
    for device in devices:
        entry = device.wait_entry(receipt["conversation"], seq=1)
        assert (entry["text"], entry["from"], entry["at"]) == (
            "over HTTP", alice.handle, receipt["at"])
    assert devices[0].receipts() == []
    # The same draft over MQTT is the same message.
    assert devices[0].say(receipt["conversation"], "over HTTP", id="h1")["seq"] == 1
    by_id = f"/v1/conversations/{receipt['conversation']}/messages"
    assert banter.request("POST", by_id, {"id": "h2", "text": "again"}, bob).ok()["seq"] == 2
    for body, status in (({"id": "h2", "text": "other"}, 409), ({"text": "no id"}, 400),
                         ({"id": "h3", "text": "x" * 100_001}, 413)):
        assert banter.request("POST", by_id, body, bob).status == status
    eve = banter.signup("eve")
    assert banter.request("POST", by_id, {"id": "e", "text": "x"}, eve).status == 404
    assert banter.request("POST", "/v1/conversations/@nobody-at-all/messages",
                          {"id": "e", "text": "x"}, eve).status == 404


def test_stock_command_line_clients_talk(banter):
    """The conversation of the README, with mosquitto_pub and mosquitto_sub."""
    alice, bob = banter.signup("alice"), banter.signup("bob")
    for version in ("mqttv311", "mqttv5"):
        with MosquittoSub(banter, bob, "chat/#", "me/#", options=["-V", version]) as listening:
            listening.wait_line(lambda line: line.startswith("me/ready "))
            draft = json.dumps({"id": f"stock {version}", "text": "hello from a shell ☕"},
                               ensure_ascii=False)
            done = mosquitto_pub(banter, alice, f"send/@{bob.handle}", draft, "-q", "1",
                                 "-V", version)
            assert done.returncode == 0, done.stderr
            line = listening.wait_line(lambda line: line.startswith("chat/"))
            topic, payload = line.split(" ", 1)
            entry = json.loads(payload)
            assert topic == f"chat/{entry['conversation']}"
            assert (entry["text"], entry["from"]) == ("hello from a shell ☕", alice.handle)


def test_drafts_sent_before_ready_count(banter):
    """A client need not wait: what it sends right after CONNACK is stored, in order."""
    alice, bob = banter.signup("alice"), banter.signup("bob")
    phone = banter.device(alice, wait_ready=False)
    ids = [phone.send(f"@{bob.handle}", f"early {n}") for n in range(20)]
    assert [phone.receipt(draft)["seq"] for draft in ids] == list(range(1, 21))


def test_direct_conversations_have_derived_ids_both_ways(banter):
    alice, bob = banter.signup("alice"), banter.signup("bob")
    made = banter.data_of(alice, {"command": "createDirect", "user": bob.handle})
    assert made["conversation"] == direct_id(alice.handle, bob.handle)
    assert banter.data_of(bob, {"command": "createDirect", "user": alice.handle}) == made
    phone, other = banter.device(alice), banter.device(bob)
    assert phone.say(made["conversation"], "made before, empty till now")["seq"] == 1
    other.wait_entry(made["conversation"], seq=1)


def test_a_conversation_made_while_both_are_connected_is_live_at_once(banter):
    """createDirect over HTTP, then a draft by id: the plugin must have heard of the members."""
    alice, bob = banter.signup("alice"), banter.signup("bob")
    phone, other = banter.device(alice), banter.device(bob)
    made = banter.data_of(alice, {"command": "createDirect", "user": bob.handle})
    receipt = phone.say(made["conversation"], "first")
    other.wait_entry(made["conversation"], seq=receipt["seq"])
