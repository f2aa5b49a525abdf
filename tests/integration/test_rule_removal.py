# SPDX-License-Identifier: MIT
"""Rule 4: once a removal is confirmed, nothing later reaches the removed member."""
import concurrent.futures
import json
import threading
import time
import uuid

import pytest

from support import MQTTv311, MQTTv5, wait_until
from support.faults import frozen, restart
from support.log import assert_dense, assert_heard_in_order, whole_log


class Chatter:
    """Posts into a conversation without a pause until it is stopped."""

    def __init__(self, device, conversation):
        self.device, self.conversation = device, conversation
        self.ids = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self):
        while not self._stop.is_set():
            self.ids.append(self.device.send(self.conversation, f"{len(self.ids)}"))
            time.sleep(0.0005)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_error):
        self._stop.set()
        self._thread.join()


@pytest.mark.parametrize("door", ["http", "mqtt", "leave"])
@pytest.mark.parametrize("protocol", [MQTTv5, MQTTv311])
def test_removal_during_traffic(banter, door, protocol):
    alice, bob, eve = banter.signup("alice"), banter.signup("bob"), banter.signup("eve")
    phone, desk, other = banter.device(alice), banter.device(alice, "desk"), banter.device(bob)
    eves = [banter.device(eve, name, protocol=protocol) for name in ("phone", "tablet")]
    group = banter.group(alice, [bob, eve])
    remove = {"command": "removeMember", "conversation": group, "user": eve.handle}
    with Chatter(phone, group) as chatter, Chatter(other, group) as second:
        for device in eves:
            device.wait_entries(group, 200)
        if door == "http":
            [answer] = banter.control(alice, remove)
        elif door == "mqtt":
            [answer] = desk.control(remove)
        else:
            [answer] = eves[0].control({"command": "leave", "conversation": group})
        head = int(banter.psql("SELECT last_seq FROM banter.conversations "
                               f"WHERE id = '{group}'")[0][0])
        posted = len(chatter.ids) + len(second.ids)
        refused = eves[0].receipt(eves[0].send(group, "but"))
        status = banter.request("GET", f"/v1/conversations/{group}/messages", account=eve).status
        wait_until(lambda: len(chatter.ids) + len(second.ids) > posted + 200, 20, "more traffic")
    assert "error" not in answer
    assert refused["error"]["code"] == "not_found"
    assert status == 404
    last = desk.wait_entry(group, id=chatter.ids[-1], timeout=20)["seq"]
    phone.receipt(chatter.ids[-1], timeout=20)
    other.receipt(second.ids[-1], timeout=20)
    log = whole_log(banter, bob, group)
    assert_dense(log)
    kind = "member_left" if door == "leave" else "member_removed"
    [cut] = [e["seq"] for e in log if e["kind"] == kind]
    assert cut <= head < last
    # A draft that eve sends now is answered after anything that was on its way to her.
    for device in eves:
        device.receipt(device.send(str(uuid.uuid4()), "flush"))
        entries = assert_heard_in_order(device, group)
        assert entries[-1]["seq"] < cut, f"heard {entries[-1]['seq']}, removed at {cut}"
        assert_dense(entries, first=entries[0]["seq"])
    assert not [e for e in log if e["from"] == eve.handle and e["seq"] > cut]


def test_the_confirmation_comes_after_the_last_delivery(banter):
    """The answer is given only when the broker can no longer send the removed member anything: so
    nothing arrives between the moment the remover knows and the end of the world."""
    alice, bob, eve = banter.signup("alice"), banter.signup("bob"), banter.signup("eve")
    phone, other, eves = banter.device(alice), banter.device(bob), banter.device(eve)
    for _ in range(10):
        group = banter.group(alice, [bob, eve])
        with Chatter(other, group):
            eves.wait_entries(group, 30)
            banter.data_of(alice, {"command": "removeMember", "conversation": group,
                                   "user": eve.handle})
            after = phone.say(group, "she is gone now")["seq"]
            other.wait_entry(group, seq=after)
        eves.receipt(eves.send(str(uuid.uuid4()), "flush"))
        assert max(e["seq"] for e in eves.entries(group)) < after


def test_a_removal_waits_for_a_broker_that_sleeps(banter):
    """While the broker cannot have heard of it, the removal is committed but not confirmed."""
    alice, eve = banter.signup("alice"), banter.signup("eve")
    group = banter.group(alice, [eve])
    banter.device(eve)
    remove = {"command": "removeMember", "conversation": group, "user": eve.handle}
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        with frozen(banter, "broker"):
            answer = pool.submit(banter.data_of, alice, remove)
            wait_until(lambda: banter.psql(
                f"SELECT 1 FROM banter.messages WHERE conversation = '{group}' AND kind = 12"),
                       10, "the commit")
            with pytest.raises(concurrent.futures.TimeoutError):
                answer.result(timeout=0.5)
        assert answer.result(timeout=10) == {"conversation": group}


def test_a_removal_does_not_wait_for_ever(banter):
    """A broker that sleeps for too long is cut off, so that it can deliver nothing stale when it
    wakes up; then the removal is confirmed without it."""
    alice, bob, eve = banter.signup("alice"), banter.signup("bob"), banter.signup("eve")
    group = banter.group(alice, [bob, eve])
    other, eves = banter.device(bob), banter.device(eve)
    with frozen(banter, "broker"):
        for n in range(20):  # these are theirs, before the removal and after it
            post(banter, alice, group, f"before {n}")
        banter.data_of(alice, {"command": "removeMember", "conversation": group,
                               "user": eve.handle})
        last = [post(banter, alice, group, f"after {n}") for n in range(20)][-1]
    other.wait_entry(group, seq=last, timeout=20)
    eves.receipt(eves.send(str(uuid.uuid4()), "flush"), timeout=20)
    texts = [e.get("text", "") for e in assert_heard_in_order(eves, group)]
    assert not [text for text in texts if text.startswith("after")]
    assert_heard_in_order(other, group)
    banter.wait_ready()


def post(banter, account, conversation, text):
    """Over HTTP: the broker is not needed. Returns the seq."""
    return banter.request("POST", f"/v1/conversations/{conversation}/messages",
                          {"id": str(uuid.uuid4()), "text": text}, account).ok()["seq"]


def test_a_removal_holds_after_restarts(banter):
    alice, bob, eve = banter.signup("alice"), banter.signup("bob"), banter.signup("eve")
    group = banter.group(alice, [bob, eve])
    phone, eves = banter.device(alice), banter.device(eve)
    phone.say(group, "all three")
    eves.wait_entry(group, seq=2)
    banter.data_of(alice, {"command": "removeMember", "conversation": group, "user": eve.handle})
    restart(banter, "bridge")
    phone.say(group, "after the bridge's restart", timeout=20)
    restart(banter, "broker")
    for device in (phone, eves):
        device.reconnect()
    phone.say(group, "after the broker's restart", timeout=20)
    refusal = eves.receipt(eves.send(group, "still here"))
    assert refusal["error"]["code"] == "not_found"
    assert {e["seq"] for e in eves.entries(group)} == {2}
    assert group not in {c["conversation"] for c in eves.sync()}


def test_removed_while_the_link_is_down(banter):
    """The plugin missed the news: when it hears again, it must not act on what it knew."""
    alice, eve = banter.signup("alice"), banter.signup("eve")
    group = banter.group(alice, [eve])
    phone, eves = banter.device(alice), banter.device(eve)
    phone.say(group, "both")
    eves.wait_entry(group, seq=2)
    banter.stop("bridge")
    try:
        banter.psql(f"DELETE FROM banter.members WHERE conversation = '{group}' AND user_id = "
                    f"(SELECT id FROM banter.users WHERE handle = '{eve.handle}')")
        draft = phone.send(group, "sent while the bridge was away")
        eve_draft = eves.send(group, "so was this")
    finally:
        banter.start("bridge")
        banter.wait_ready()
    receipt = phone.receipt(draft, timeout=20)
    assert receipt["seq"] == 3
    assert eves.receipt(eve_draft, timeout=20)["error"]["code"] == "not_found"
    phone.say(group, "and this")
    eves.receipt(eves.send(str(uuid.uuid4()), "flush"))
    assert {e["seq"] for e in eves.entries(group)} == {2}


def test_added_during_traffic_means_complete_from_then_on(banter):
    """The other side of membership: from the entry that adds a member, no seq is missing."""
    alice, bob = banter.signup("alice"), banter.signup("bob")
    newcomers = banter.signup_many(5, "new")
    phone, desk = banter.device(alice), banter.device(alice, "desk")
    devices = [banter.device(n) for n in newcomers]
    group = banter.group(alice, [bob])
    with Chatter(phone, group) as chatter:
        for newcomer in newcomers:
            desk.control({"command": "addMembers", "conversation": group,
                          "members": [newcomer.handle]})
        wait_until(lambda: len(chatter.ids) > 300, 20, "traffic")
    end = phone.say(group, "end", timeout=20)["seq"]
    log = whole_log(banter, bob, group)
    for newcomer, device in zip(newcomers, devices):
        device.wait_entry(group, seq=end, timeout=20)
        [joined] = [e["seq"] for e in log if e.get("members") == [newcomer.handle]]
        assert device.entries(group) == log[joined - 1:]
        # The past is open to them in the history.
        first = banter.history(newcomer, group, after=0, limit=1)
        assert first == log[:1]


def test_a_removed_member_learns_nothing_by_subscribing(banter):
    alice, eve = banter.signup("alice"), banter.signup("eve")
    group = banter.group(alice, [eve])
    banter.data_of(alice, {"command": "removeMember", "conversation": group, "user": eve.handle})
    eves = banter.device(eve)
    for topic_filter in ("chat/#", f"chat/{group}", "me/#"):
        assert eves.subscribe(topic_filter) < 0x80
    phone = banter.device(alice)
    phone.say(group, "alone now")
    eves.receipt(eves.send(str(uuid.uuid4()), "flush"))
    assert [json.loads(m.payload) for m in eves.messages if m.topic.startswith("chat/")] == []
