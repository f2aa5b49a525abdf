# SPDX-License-Identifier: MIT
"""Rule 1 and rule 5: durable before visible; what was acknowledged survives.

Each test breaks something between the draft and its commit, and looks at what comes out."""
import json
import os
import signal
import threading
import time

import pytest

from support import Timeout, wait_until
from support.faults import crash_postgres, frozen, postgres_frozen, restart, stopped
from support.log import (assert_dense, assert_heard_all, assert_heard_in_order, assert_invariants,
                         texts_of, wait_receipts, whole_log)


@pytest.fixture
def pair(banter):
    """alice's phone, bob's phone, and a conversation that has one message."""
    alice, bob = banter.signup("alice"), banter.signup("bob")
    phone, other = banter.device(alice), banter.device(bob)
    conversation = phone.say(f"@{bob.handle}", "first")["conversation"]
    other.wait_entry(conversation, seq=1)
    return phone, other, conversation


def test_no_receipt_and_no_delivery_while_postgres_is_frozen(banter, pair):
    phone, other, conversation = pair
    with postgres_frozen(banter):
        ids = [phone.send(conversation, f"frozen {n}") for n in range(20)]
        mids = phone.publish(f"send/{conversation}", '{"id":"last","text":"frozen last"}')
        phone.puback(mids)  # the broker has them all
        other.quiet(1.0)
        phone.quiet(0.2)
    receipts = wait_receipts(phone, [*ids, "last"])
    assert [r["seq"] for r in receipts] == list(range(2, 23))
    entries = other.wait_entries(conversation, 22)
    assert [e["id"] for e in entries[1:]] == [*ids, "last"]
    assert_heard_in_order(other, conversation)


def test_no_receipt_and_no_delivery_while_postgres_is_down(banter, pair):
    phone, other, conversation = pair
    with stopped(banter, "postgres"):
        ids = [phone.send(conversation, f"down {n}") for n in range(20)]
        phone.puback(phone.publish(f"send/{conversation}", '{"id":"last","text":"down last"}'))
        other.quiet(1.0)
        phone.quiet(0.2)
        wait_until(lambda: banter.request("GET", "/readyz").status == 503, 10, "not ready")
        assert banter.request("GET", "/livez").status == 200
    receipts = wait_receipts(phone, [*ids, "last"])
    assert [r["seq"] for r in receipts] == list(range(2, 23))
    other.wait_entries(conversation, 22)
    assert_heard_all(other, conversation, whole_log(banter, other.account, conversation))


def test_an_immediate_shutdown_under_load_loses_nothing(banter, pair):
    """PostgreSQL dies as at a power failure, twice, while drafts stream in: receipts never lie,
    every draft is stored once, in order."""
    phone, other, conversation = pair
    count = 1500
    ids = []

    def stream():
        for n in range(count):
            ids.append(phone.send(conversation, f"stream {n}"))
            time.sleep(0.001)
    sender = threading.Thread(target=stream)
    sender.start()
    for mark in (200, 900):
        wait_until(lambda: len(ids) > mark, 20, "some load")
        crash_postgres(banter)
    sender.join()
    receipts = wait_receipts(phone, ids)
    assert not [r for r in receipts if "error" in r]
    other.wait_entries(conversation, count + 1, timeout=20)
    banter.wait_ready()  # receipts need the writer alone
    log = whole_log(banter, phone.account, conversation)
    assert_dense(log)
    assert {e["id"]: e["seq"] for e in log[1:]} == {r["id"]: r["seq"] for r in receipts}
    assert texts_of(log, phone.account.handle)[1:] == [f"stream {n}" for n in range(count)]
    assert_heard_all(other, conversation, log)
    assert_invariants(banter)


def test_the_bridge_killed_between_puback_and_commit(banter, pair):
    """The receipts come without any help of the client."""
    phone, other, conversation = pair
    with postgres_frozen(banter):
        ids = [phone.send(conversation, f"in flight {n}") for n in range(300)]
        phone.puback(phone.publish(f"send/{conversation}", '{"id":"i-last","text":"x"}'))
        ids.append("i-last")
        old = banter.kill("bridge")
        phone.quiet(0.3)
    banter.wait_restarted("bridge", old)
    receipts = wait_receipts(phone, ids)
    assert [r.get("seq") for r in receipts] == list(range(2, 303))
    other.wait_entries(conversation, 302, timeout=20)
    log = whole_log(banter, phone.account, conversation)
    assert [e["id"] for e in log[1:]] == ids
    assert_heard_all(other, conversation, log)
    assert phone.connected and other.connected
    banter.wait_ready()


def test_the_bridge_stopped_in_order_with_drafts_waiting(banter, pair):
    """An orderly stop promises no less than kill -9: nobody is told "unavailable" about a draft
    that will be stored all the same."""
    phone, other, conversation = pair
    with stopped(banter, "postgres"):
        ids = [phone.send(conversation, f"waiting {n}") for n in range(50)]
        phone.puback(phone.publish(f"send/{conversation}", '{"id":"w-last","text":"last"}'))
        banter.stop("bridge")
        phone.quiet(0.3)
        banter.start("postgres")
        banter.start("bridge")
    receipts = wait_receipts(phone, [*ids, "w-last"])
    assert [r.get("seq") for r in receipts] == list(range(2, 53))
    other.wait_entries(conversation, 52, timeout=20)
    assert_heard_all(other, conversation, whole_log(banter, phone.account, conversation))


def test_the_bridge_killed_with_drafts_unread(banter, pair):
    """A frozen bridge has read nothing; then it dies."""
    phone, other, conversation = pair
    with frozen(banter, "bridge") as pid:
        ids = [phone.send(conversation, f"unread {n}") for n in range(50)]
        phone.puback(phone.publish(f"send/{conversation}", '{"id":"u-last","text":"unread last"}'))
        phone.quiet(0.3)
        os.kill(pid, signal.SIGKILL)
    banter.wait_restarted("bridge", pid)
    assert [r.get("seq") for r in wait_receipts(phone, [*ids, "u-last"])] == list(range(2, 53))
    other.wait_entries(conversation, 52, timeout=20)
    assert_heard_in_order(other, conversation)
    banter.wait_ready()


def test_the_bridge_killed_again_and_again_under_load(banter, pair):
    """Some kills fall between the commit and the receipt: duplicates must be recognized."""
    phone, other, conversation = pair
    count = 3000
    ids = []

    def stream():
        for n in range(count):
            ids.append(phone.send(conversation, f"s {n}"))
            time.sleep(0.0005)
    sender = threading.Thread(target=stream)
    sender.start()
    kills = 0
    while sender.is_alive() or kills < 5:
        old = banter.kill("bridge")
        banter.wait_restarted("bridge", old)
        banter.wait_ready()
        kills += 1
        if kills == 5:
            break
    sender.join()
    receipts = wait_receipts(phone, ids)
    assert not [r for r in receipts if "error" in r]
    log = whole_log(banter, phone.account, conversation)
    assert_dense(log)
    assert [e["id"] for e in log[1:]] == ids
    assert {r["id"]: r["seq"] for r in receipts} == {e["id"]: e["seq"] for e in log[1:]}
    other.wait_entries(conversation, count + 1, timeout=20)
    assert_heard_all(other, conversation, log)
    assert_invariants(banter)


class ResendingClient:
    """What docs/protocol.md asks of a client: an outbox, resent oldest first on every connection,
    emptied by receipts alone."""

    def __init__(self, banter, account, conversation, texts):
        self.banter, self.conversation = banter, conversation
        self.outbox = {f"draft-{n}": text for n, text in enumerate(texts)}
        self.seqs = {}
        self.device = banter.device(account, "resender")
        self.connections = 1
        self.checked = 0

    def run(self, deadline):
        while self.outbox:
            assert time.monotonic() < deadline, f"{len(self.outbox)} drafts left"
            for draft, text in list(self.outbox.items()):
                if not self.device.connected:
                    break
                self.device.send(self.conversation, text, id=draft)
            self._collect(min(deadline, time.monotonic() + 5))
            if not self.device.connected:
                self._reconnect(deadline)

    def _collect(self, deadline):
        while self.outbox and self.device.connected and time.monotonic() < deadline:
            while self.checked < len(self.device.messages):
                message = self.device.messages[self.checked]
                self.checked += 1
                receipt = json.loads(message.payload) if message.topic == "me/receipt" else {}
                if receipt.get("seq") and self.outbox.pop(receipt["id"], None) is not None:
                    self.seqs[receipt["id"]] = receipt["seq"]
            time.sleep(0.01)

    def _reconnect(self, deadline):
        while time.monotonic() < deadline:
            try:
                self.device.reconnect()
                self.connections += 1
                return
            except (OSError, AssertionError, Timeout):
                time.sleep(0.05)


def test_the_broker_killed_loses_nothing_that_is_resent(banter):
    alice, bob = banter.signup("alice"), banter.signup("bob")
    conversation = banter.data_of(
        alice, {"command": "createDirect", "user": bob.handle})["conversation"]
    texts = [f"text {n}" for n in range(3000)]
    client = ResendingClient(banter, alice, conversation, texts)
    listener = banter.device(bob)
    runner = threading.Thread(target=client.run, args=(time.monotonic() + 60,))
    runner.start()
    for mark in (1, 1500):
        wait_until(lambda: len(client.seqs) >= mark or len(client.outbox) <= 3000 - mark
                   or not runner.is_alive(), 30, "progress")
        old = banter.kill("broker")
        banter.wait_restarted("broker", old)
        banter.wait_ready()
    runner.join(60)
    assert not runner.is_alive() and not client.outbox
    assert client.connections >= 2, "the broker was not killed while the client was sending"
    log = whole_log(banter, alice, conversation)
    assert_dense(log)
    assert texts_of(log, alice.handle) == texts, "lost, doubled or out of order"
    assert {e["id"]: e["seq"] for e in log} == client.seqs
    # The listener was cut off too: what it missed, the sync brings.
    seen = listener.entries(conversation)
    listener.reconnect()
    cursor = max((e["seq"] for e in seen), default=0)
    while True:
        [mine] = [c for c in listener.sync({conversation: cursor}, limit=1000)
                  if c["conversation"] == conversation]
        seen += mine["entries"]
        cursor = max((e["seq"] for e in seen), default=0)
        if not mine["more"]:
            break
    assert seen == log
    assert_invariants(banter)


def test_everything_restarts_and_the_conversation_goes_on(banter, pair):
    phone, other, conversation = pair
    for name in ("bridge", "broker"):
        restart(banter, name)
    crash_postgres(banter)
    banter.wait_ready()
    for device in (phone, other):
        device.reconnect()
    receipt = phone.say(conversation, "as if nothing had happened", timeout=20)
    assert receipt["seq"] == 2
    other.wait_entry(conversation, seq=2)
