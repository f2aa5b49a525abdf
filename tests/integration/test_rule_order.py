# SPDX-License-Identifier: MIT
"""Rules 2 and 3: dense seq, each draft once, order per connection and per sender."""
import concurrent.futures
import json
import threading
import uuid

import pytest

from support import MQTTv311, MQTTv5
from support.faults import postgres_frozen, restart
from support.log import (assert_dense, assert_heard_all, assert_heard_in_order, assert_invariants,
                         texts_of, wait_receipts, whole_log)


def test_dense_seq_with_50_concurrent_senders(banter):
    senders, each = 50, 40
    people = banter.signup_many(senders)
    group = banter.group(people[0], people[1:])
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        devices = list(pool.map(banter.device, people))
    start = threading.Barrier(senders)

    def send_all(device):
        start.wait(30)
        return [device.send(group, f"{device.account.handle} {n}") for n in range(each)]
    with concurrent.futures.ThreadPoolExecutor(senders) as pool:
        drafts = list(pool.map(send_all, devices))

    receipts = {}
    for device, ids in zip(devices, drafts):
        own = wait_receipts(device, ids, timeout=60)
        assert not [r for r in own if "error" in r]
        seqs = [r["seq"] for r in own]
        assert seqs == sorted(seqs), "a sender's drafts were stored out of order"
        receipts.update({r["id"]: r["seq"] for r in own})
    total = 1 + senders * each
    log = whole_log(banter, people[0], group)
    assert len(log) == total
    assert_dense(log)
    assert {e["id"]: e["seq"] for e in log[1:]} == receipts
    for device in devices:
        foreign = [e["seq"] for e in log if e["from"] != device.account.handle]
        device.wait_entry(group, seq=foreign[-1], timeout=60)
        assert_heard_all(device, group, log[1:])
    [[count, low, high, distinct]] = banter.psql(
        "SELECT count(*), min(seq), max(seq), count(DISTINCT seq) FROM banter.messages "
        f"WHERE conversation = '{group}'")
    assert [int(v) for v in (count, low, high, distinct)] == [total, 1, total, total]
    assert_invariants(banter)


# ---------------------------------------------------------------- resends

def test_a_resend_gets_the_same_seq_and_nobody_sees_it_twice(banter):
    alice, bob = banter.signup("alice"), banter.signup("bob")
    phone, laptop = banter.device(alice, "phone"), banter.device(alice, "laptop")
    other = banter.device(bob)
    by_name = phone.say(f"@{bob.handle}", "once", id="the-id")
    first = {name: value for name, value in by_name.items() if name != "to"}
    assert by_name == {**first, "to": f"@{bob.handle}"}
    conversation = first["conversation"]
    phone.say(conversation, "in between")
    body = json.dumps({"id": "the-id", "text": "once"})

    for device in (phone, laptop):
        for topic in (f"send/{conversation}", f"send/@{bob.handle}"):
            seen = sum(r.get("id") == "the-id" for r in device.receipts())
            for qos in (0, 1):
                device.publish(topic, body, qos)
            device.wait_message(
                lambda m, d=device, n=seen: sum(r.get("id") == "the-id" for r in d.receipts())
                >= n + 2, what="two more receipts")
            again = [r for r in device.receipts() if r["id"] == "the-id"][seen:]
            assert again == [by_name if "@" in topic else first] * 2
    phone.reconnect()
    phone.publish(f"send/{conversation}", body)
    restart(banter, "bridge")
    laptop.publish(f"send/{conversation}", body)
    path = f"/v1/conversations/{conversation}/messages"
    assert banter.request("POST", path, {"id": "the-id", "text": "once"}, alice).ok() == first

    last = phone.say(conversation, "the end")
    for device in (other, laptop):
        device.wait_entry(conversation, seq=last["seq"])
    for device in (phone, laptop):
        for receipt in device.receipts():
            if receipt["id"] == "the-id":
                assert receipt in (first, by_name)
    assert [e["seq"] for e in other.entries(conversation)] == [1, 2, 3]
    assert [e["seq"] for e in laptop.entries(conversation)] == [1, 2, 3]
    assert [e["text"] for e in banter.history(alice, conversation)] == [
        "once", "in between", "the end"]


def test_the_same_id_with_another_body_is_a_conflict(banter):
    alice, bob = banter.signup("alice"), banter.signup("bob")
    phone, other = banter.device(alice), banter.device(bob)
    conversation = phone.say(f"@{bob.handle}", "the one", id="x")["conversation"]
    for draft in ({"id": "x", "text": "the other"}, {"id": "x", "text": "the one", "reply_to": 1},
                  {"id": "x", "text": "the one "}):
        seen = len(phone.receipts())
        phone.publish(f"send/{conversation}", json.dumps(draft))
        phone.wait_message(lambda m, n=seen: len(phone.receipts()) > n, what="receipt")
        refused = phone.receipts()[-1]
        assert (refused["id"], refused["error"]["code"]) == ("x", "conflict")
    # Conflicts are final: they block nothing; and the first one stays.
    assert phone.say(conversation, "next")["seq"] == 2
    other.wait_entry(conversation, seq=2)
    assert [e["text"] for e in other.entries(conversation)] == ["the one", "next"]


def test_ids_belong_to_the_sender_and_the_conversation(banter):
    alice, bob = banter.signup("alice"), banter.signup("bob")
    phones = [banter.device(alice), banter.device(bob)]
    others = [banter.device(alice, "second"), banter.device(bob, "second")]
    group = banter.group(alice, [bob])
    assert phones[0].say(f"@{bob.handle}", "direct", id="1")["seq"] == 1
    assert phones[1].say(f"@{alice.handle}", "bob's own", id="1")["seq"] == 2
    assert others[0].say(group, "group", id="1")["seq"] == 2
    assert others[1].say(group, "bob's in the group", id="1")["seq"] == 3


def test_resends_in_the_same_batch_are_one_message(banter):
    """Fifty copies of one draft wait in one queue together."""
    alice, bob = banter.signup("alice"), banter.signup("bob")
    phone, laptop, other = (banter.device(alice, "phone"), banter.device(alice, "laptop"),
                            banter.device(bob))
    conversation = phone.say(f"@{bob.handle}", "first")["conversation"]
    body = '{"id":"copy","text":"one of fifty"}'
    with postgres_frozen(banter):
        for _ in range(25):
            phone.publish(f"send/{conversation}", body)
            laptop.publish(f"send/@{bob.handle}", body)
        phone.publish(f"send/{conversation}", '{"id":"copy","text":"another body"}')
        phone.puback(phone.publish(f"send/{conversation}", '{"id":"end","text":"end"}'))
        laptop.puback(laptop.publish(f"send/{conversation}", '{"id":"end2","text":"end"}'))
    phone.receipt("end")
    laptop.receipt("end2")
    log = whole_log(banter, alice, conversation)
    assert [e["id"] for e in log].count("copy") == 1
    assert_dense(log)
    seqs = {r["seq"] for d in (phone, laptop) for r in d.receipts()
            if r["id"] == "copy" and "seq" in r}
    assert seqs == {next(e["seq"] for e in log if e["id"] == "copy")}
    assert [r["error"]["code"] for r in phone.receipts() if "error" in r] == ["conflict"]
    other.wait_entries(conversation, len(log))
    assert_heard_all(other, conversation, log)


# ---------------------------------------------------------------- a sender's order

@pytest.mark.parametrize("protocol", [MQTTv5, MQTTv311])
def test_order_survives_lost_connections_and_resends(banter, protocol):
    """The connection is cut four times in mid-stream; the client sends everything without a
    receipt again, oldest first."""
    alice, bob = banter.signup("alice"), banter.signup("bob")
    other = banter.device(bob)
    phone = banter.device(alice, protocol=protocol)
    conversation = banter.data_of(
        alice, {"command": "createDirect", "user": bob.handle})["conversation"]
    outbox = [f"o-{n}" for n in range(1000)]
    for cut in (150, 350, 500, 800, None):
        acknowledged = {r["id"] for r in phone.receipts() if "seq" in r}
        pending = [d for d in outbox if d not in acknowledged]
        for draft in pending[:cut and max(0, cut - len(acknowledged))]:
            phone.send(conversation, f"text of {draft}", id=draft)
        if cut is not None:
            phone.drop()
            phone.reconnect()
    assert all("seq" in receipt for receipt in wait_receipts(phone, outbox))
    log = whole_log(banter, bob, conversation)
    assert_dense(log)
    assert [e["id"] for e in log] == outbox
    other.wait_entries(conversation, len(outbox))
    assert_heard_all(other, conversation, log)


def test_many_conversations_at_once_keep_their_orders(banter):
    alice = banter.signup("alice")
    friends = banter.signup_many(5, "friend")
    phone = banter.device(alice)
    listeners = [banter.device(friend) for friend in friends]
    groups = [banter.group(alice, friends[n:n + 2] or friends[:1]) for n in range(5)]
    drafts = [(g, phone.send(g, f"{n}")) for n in range(100) for g in groups]
    wait_receipts(phone, [draft for _group, draft in drafts])
    for number, group in enumerate(groups):
        log = whole_log(banter, alice, group)
        assert_dense(log)
        assert texts_of(log, alice.handle) == [str(n) for n in range(100)]
        listeners[number].wait_entry(group, seq=101)
        assert_heard_all(listeners[number], group, log[1:])


def test_entries_and_receipts_come_in_one_order(banter):
    """A device's receipts stand in the stream where its entries would."""
    alice, bob = banter.signup("alice"), banter.signup("bob")
    devices = [banter.device(alice), banter.device(bob)]
    conversation = devices[0].say(f"@{bob.handle}", "begin")["conversation"]
    last = {}
    for n in range(200):
        for device in devices:
            last[device] = device.send(conversation, f"{n}")
    total = 401
    for device in devices:
        device.receipt(last[device], timeout=30)
    end = devices[0].say(conversation, "end")["seq"]
    assert end == total + 1
    devices[1].wait_entry(conversation, seq=end)
    for device in devices:
        stream = []
        for message in device.messages:
            if message.topic in ("me/receipt", f"chat/{conversation}"):
                stream.append(json.loads(message.payload)["seq"])
        expected = list(range(1, end + 1))
        assert stream == expected


# ---------------------------------------------------------------- sticky refusals

RING = 8 << 20
BIG = "x" * 99_000  # 85 of them fill the ring


@pytest.mark.parametrize("protocol", [MQTTv5, MQTTv311])
def test_a_full_ring_refuses_and_keeps_the_order(make_system, protocol):
    banter = make_system(BANTER_RING_BYTES=RING)
    alice, bob, eve = banter.signup("alice"), banter.signup("bob"), banter.signup("eve")
    phone, other = banter.device(alice, protocol=protocol), banter.device(bob)
    eves = banter.device(eve)
    conversation = phone.say(f"@{bob.handle}", "first")["conversation"]
    second = phone.say(f"@{eve.handle}", "first")["conversation"]
    outbox = [f"big-{n}" for n in range(120)]
    with postgres_frozen(banter):
        mids = [phone.publish(f"send/{conversation}", json.dumps({"id": d, "text": d + BIG}))
                for d in outbox]
        codes = [phone.puback(mid, timeout=30) for mid in mids]
        small = phone.publish(f"send/{conversation}", '{"id":"small","text":"would fit"}')
        phone.puback(small)
        refused = {d: r for d in [*outbox, "small"] for r in phone.receipts() if r["id"] == d}
        phone.receipt("small", timeout=10)
        refused = {r["id"]: r["error"]["code"] for r in phone.receipts() if "error" in r}
    # A whole tail was refused: the first for want of room, the others because of the first.
    first_refused = outbox.index(next(iter(refused)))
    assert 0 < first_refused < len(outbox)
    assert list(refused) == [*outbox[first_refused:], "small"]
    assert list(refused.values()) == ["unavailable"] + ["out_of_order"] * (len(refused) - 1)
    if protocol == MQTTv5:
        assert [code == 0x87 for code in codes] == [d in refused for d in outbox]
    assert all("seq" in r for r in wait_receipts(phone, outbox[:first_refused]))

    # There is room again, and the order still binds: later drafts wait for the refused one.
    late = phone.receipt(phone.send(conversation, "too early", id="too-early"))
    assert late["error"]["code"] == "out_of_order"
    assert phone.say(second, "other conversations are free")["seq"] == 2
    receipts = len(phone.receipts())
    for draft in outbox[first_refused:]:
        phone.publish(f"send/{conversation}", json.dumps({"id": draft, "text": draft + BIG}))
    phone.publish(f"send/{conversation}", '{"id":"small","text":"would fit"}')
    phone.wait_message(lambda m: len(phone.receipts()) >= receipts + len(refused), 30, "receipts")
    log = [e for e in whole_log(banter, bob, conversation)]
    assert [e["id"] for e in log[1:]] == [*outbox, "small"]
    other.wait_entry(conversation, seq=len(log), timeout=30)
    assert_heard_all(other, conversation, log)
    assert len(eves.wait_entries(second, 2)) == 2


def test_reconnecting_ends_the_out_of_order_state(make_system):
    banter = make_system(BANTER_RING_BYTES=RING)
    alice, bob = banter.signup("alice"), banter.signup("bob")
    phone, laptop = banter.device(alice), banter.device(alice, "laptop")
    conversation = phone.say(f"@{bob.handle}", "first")["conversation"]
    with postgres_frozen(banter):
        for n in range(120):
            phone.publish(f"send/{conversation}", json.dumps({"id": f"b-{n}", "text": BIG}))
        phone.wait_message(lambda m: b'"out_of_order"' in m.payload, 30, "a sticky refusal")
    assert "seq" in phone.receipt("b-0", timeout=30)
    refused = phone.receipt(phone.send(conversation, "x", id="after"))
    assert refused["error"]["code"] == "out_of_order"
    # It is a matter of one device.
    laptop.say(conversation, "from another device")
    phone.reconnect()
    phone.say(conversation, "forgotten and forgiven")


def test_final_refusals_do_not_block(banter):
    alice, bob = banter.signup("alice"), banter.signup("bob")
    phone, other = banter.device(alice), banter.device(bob)
    conversation = phone.say(f"@{bob.handle}", "first")["conversation"]
    with postgres_frozen(banter):  # one batch, good and bad together
        ids = []
        for n in range(30):
            if n % 3 == 1:
                phone.publish(f"send/{conversation}", json.dumps({"id": f"bad-{n}", "text": ""}))
                ids.append(f"bad-{n}")
            else:
                ids.append(phone.send(conversation, f"good {n}"))
    receipts = [phone.receipt(draft) for draft in ids]
    assert [r.get("error", {}).get("code") for r in receipts] == [
        "invalid" if n % 3 == 1 else None for n in range(30)]
    assert [r["seq"] for r in receipts if "seq" in r] == list(range(2, 22))
    # Receipts keep the order too, refusals among them.
    assert [r["id"] for r in phone.receipts()[1:]] == ids
    other.wait_entries(conversation, 21)
    assert_heard_in_order(other, conversation)


def test_replies_name_an_entry_that_exists(banter):
    alice, bob = banter.signup("alice"), banter.signup("bob")
    phone, other = banter.device(alice), banter.device(bob)
    conversation = phone.say(f"@{bob.handle}", "first")["conversation"]
    assert phone.say(conversation, "to the first", reply_to=1)["seq"] == 2
    for seq in (3, 999, 2 ** 53):
        refused = phone.receipt(phone.send(conversation, "to nothing", reply_to=seq))
        assert refused["error"]["code"] in ("invalid", "not_found")
    assert phone.say(conversation, "to the second", reply_to=2)["seq"] == 3
    assert [e.get("reply_to") for e in other.wait_entries(conversation, 3)] == [None, 1, 2]


def test_unknown_conversations_are_refused_without_blocking_others(banter):
    alice = banter.signup("alice")
    phone = banter.device(alice)
    ids = [phone.send(str(uuid.uuid4()), "nobody") for _ in range(20)]
    own = phone.say(f"@{alice.handle}", "myself")
    assert own["seq"] == 1
    assert {phone.receipt(d)["error"]["code"] for d in ids} == {"not_found"}
