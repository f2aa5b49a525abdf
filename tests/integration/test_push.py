# SPDX-License-Identifier: MIT
"""Push: members who are not there are told of new messages, once per burst, and nobody else is."""
import time
import uuid

import pytest

from support import wait_until
from support.push import (SETTINGS, TOLD_WITHIN, assert_nobody_is_told,  # noqa: F401
                          assert_quiet_after, hook, post, pushing, register, registrations, system,
                          wait_no_jobs)
from support.webhook import SECRET

pytestmark = pytest.mark.push


def test_a_member_who_is_away_is_told_within_two_seconds(system, hook):
    alice, bob = system.signup("alice"), system.signup("bob")
    register(system, hook, bob)
    receipt, at = post(system, alice, f"@{bob.handle}", "hello bob")
    telling = hook.wait(bob)[0]
    assert telling.at - at < TOLD_WITHIN
    assert telling.is_signed()
    assert telling.json["conversation"] == receipt["conversation"]
    assert telling.json["seq"] == 1
    assert telling.json["text"] == "hello bob"
    assert telling.json["from"] == alice.handle
    assert telling.json["badge"] == 1
    assert_quiet_after(system, hook, bob, 1)


def test_a_burst_is_told_once_by_its_newest_message(system, hook):
    alice, bob = system.signup("alice"), system.signup("bob")
    register(system, hook, bob)
    phone = system.device(alice)
    at = time.monotonic()
    for n in range(30):
        phone.send(f"@{bob.handle}", f"text {n}")
    telling = hook.wait(bob)[0]
    assert telling.at - at < TOLD_WITHIN
    assert telling.json["text"] == "text 29"
    assert telling.json["badge"] == 30
    assert_quiet_after(system, hook, bob, 1)


def test_a_slow_burst_is_told_once_and_a_long_one_in_time(system, hook):
    """Each message has the push wait for the next, but not for ever."""
    alice, bob, carol = (system.signup(name) for name in ("alice", "bob", "carol"))
    for account in (bob, carol):
        register(system, hook, account)
    phone = system.device(alice)
    for n in range(4):  # together longer than one wait
        phone.send(f"@{bob.handle}", f"text {n}")
        time.sleep(0.25)
    telling = hook.wait(bob)[0]
    assert telling.json["text"] == "text 3"
    assert_quiet_after(system, hook, bob, 1)
    at = time.monotonic()
    for n in range(16):
        phone.send(f"@{carol.handle}", f"text {n}")
        time.sleep(0.25)
    first = hook.wait(carol)[0]
    assert first.at - at < TOLD_WITHIN
    wait_until(lambda: hook.of(carol)[-1].json["text"] == "text 15", 5, "the last one")
    assert len(hook.of(carol)) <= 4


def test_all_devices_of_a_user_are_told(system, hook):
    alice, bob = system.signup("alice"), system.signup("bob")
    for name in ("phone", "tablet"):
        body = {"provider": "webhook", "url": hook.url(f"{bob.handle}?{name}"), "secret": SECRET}
        system.request("POST", "/v1/push/registrations", body, bob).ok()
    post(system, alice, f"@{bob.handle}", "hello both")
    wait_until(lambda: len(hook.tellings) == 2, 5, "both")
    assert {t.path.split("?")[1] for t in hook.tellings} == {"phone", "tablet"}


def test_who_is_not_told(system, hook):
    alice, bob, muted, blocker, online, sender = (
        system.signup(name) for name in ("alice", "bob", "muted", "blocker", "online", "sender"))
    group = system.group(alice, [bob, muted, blocker, online, sender])
    everybody = (alice, bob, muted, blocker, online, sender)
    for account in everybody:
        register(system, hook, account)
    system.data_of(muted, {"command": "mute", "conversation": group,
                           "until": "2099-01-01T00:00:00Z"})
    system.data_of(blocker, {"command": "block", "user": sender.handle})
    system.device(online)
    _receipt, _at = post(system, sender, group, "hello team")
    assert hook.wait(bob)[0].json["text"] == "hello team"
    hook.wait(alice)
    assert_nobody_is_told(system, hook, muted, blocker, online, sender)
    assert len(hook.of(bob)) == 1 and len(hook.of(alice)) == 1
    system.data_of(muted, {"command": "mute", "conversation": group, "until": None})
    post(system, alice, group, "and now")
    for account in (bob, muted, blocker, sender):
        assert hook.wait(account, 2 if account is bob else 1)[-1].json["text"] == "and now"
    assert len(hook.of(alice)) == 1


def test_who_has_hidden_is_still_there(system, hook):
    alice, bob = system.signup("alice"), system.signup("bob")
    register(system, hook, bob)
    phone = system.device(bob)
    phone.puback(phone.publish("send/me/presence", '{"state":"hidden"}'))
    post(system, alice, f"@{bob.handle}", "psst")
    assert_nobody_is_told(system, hook, bob)


def test_who_has_just_gone_is_told(system, hook):
    """The grace time of presence does not count."""
    alice, bob = system.signup("alice"), system.signup("bob")
    register(system, hook, bob)
    phone = system.device(bob)
    phone.disconnect()
    time.sleep(0.3)
    post(system, alice, f"@{bob.handle}", "are you there?")
    hook.wait(bob, timeout=TOLD_WITHIN)


def test_who_reads_it_meanwhile_elsewhere_is_not_told(make_system, hook):
    system = make_system(**SETTINGS, BANTER_PUSH_GATHER_MS=1500)
    alice, bob = system.signup("alice"), system.signup("bob")
    register(system, hook, bob)
    receipt, _at = post(system, alice, f"@{bob.handle}", "read me")
    wait_until(lambda: system.psql("SELECT 1 FROM banter.push_jobs"), 5, "a job")
    system.request("POST", f"/v1/conversations/{receipt['conversation']}/cursor", {"read": 1},
                   bob).ok()
    time.sleep(1)
    assert_nobody_is_told(system, hook, bob)


def test_who_comes_meanwhile_is_not_told(make_system, hook):
    system = make_system(**SETTINGS, BANTER_PUSH_GATHER_MS=1500)
    alice, bob = system.signup("alice"), system.signup("bob")
    register(system, hook, bob)
    post(system, alice, f"@{bob.handle}", "knock knock")
    wait_until(lambda: system.psql("SELECT 1 FROM banter.push_jobs"), 5, "a job")
    system.device(bob)
    time.sleep(1)
    assert_nobody_is_told(system, hook, bob)


def test_only_texts_are_told(system, hook):
    alice, bob = system.signup("alice"), system.signup("bob")
    receipt, _at = post(system, alice, f"@{bob.handle}", "first")
    conversation = receipt["conversation"]
    system.request("POST", f"/v1/conversations/{conversation}/cursor", {"read": 1}, bob).ok()
    wait_no_jobs(system)
    register(system, hook, bob)
    for draft in ({"kind": "edit", "target": 1, "text": "other"},
                  {"kind": "reaction", "target": 1, "emoji": "👍"}, {"kind": "delete", "target": 1}):
        system.request("POST", f"/v1/conversations/{conversation}/messages",
                       {"id": str(uuid.uuid4()), **draft}, alice).ok()
    assert_nobody_is_told(system, hook, bob)


def test_what_is_told_is_the_text_as_it_is_then(make_system, hook):
    system = make_system(**SETTINGS, BANTER_PUSH_GATHER_MS=1500)
    alice, bob, eve = system.signup("alice"), system.signup("bob"), system.signup("eve")
    register(system, hook, bob)
    register(system, hook, eve)
    group = system.group(alice, [bob, eve])
    post(system, alice, group, "teh first")
    post(system, alice, group, "a second that is taken back")
    for draft in ({"kind": "edit", "target": 2, "text": "the first"},
                  {"kind": "delete", "target": 3}):
        system.request("POST", f"/v1/conversations/{group}/messages",
                       {"id": str(uuid.uuid4()), **draft}, alice).ok()
    telling = hook.wait(bob)[0]
    assert (telling.json["seq"], telling.json["text"]) == (2, "the first")
    other = system.group(alice, [eve])
    post(system, alice, other, "taken back")
    system.request("POST", f"/v1/conversations/{other}/messages",
                   {"id": str(uuid.uuid4()), "kind": "delete", "target": 2}, alice).ok()
    wait_no_jobs(system)
    assert [t.json["text"] for t in hook.of(eve)] == ["the first"]


def test_a_deleted_conversation_tells_nobody(make_system, hook):
    system = make_system(**SETTINGS, BANTER_PUSH_GATHER_MS=1500)
    alice, bob = system.signup("alice"), system.signup("bob")
    register(system, hook, bob)
    group = system.group(alice, [bob])
    post(system, alice, group, "soon gone")
    system.data_of(alice, {"command": "deleteConversation", "conversation": group})
    time.sleep(1.5)
    assert_nobody_is_told(system, hook, bob)


def test_who_was_removed_is_not_told(make_system, hook):
    system = make_system(**SETTINGS, BANTER_PUSH_GATHER_MS=1500)
    alice, bob = system.signup("alice"), system.signup("bob")
    register(system, hook, bob)
    group = system.group(alice, [bob])
    post(system, alice, group, "a secret of ours")
    system.data_of(alice, {"command": "removeMember", "conversation": group, "user": bob.handle})
    time.sleep(1.5)
    assert_nobody_is_told(system, hook, bob)


def test_the_badge_counts_what_is_unread_anywhere(system, hook):
    alice, bob, eve = system.signup("alice"), system.signup("bob"), system.signup("eve")
    muted = system.group(alice, [bob])
    system.data_of(bob, {"command": "mute", "conversation": muted,
                         "until": "2099-01-01T00:00:00Z"})
    for n in range(3):
        post(system, alice, f"@{bob.handle}", f"{n}")
        post(system, alice, muted, f"{n}")
    wait_no_jobs(system)
    register(system, hook, bob)
    post(system, eve, f"@{bob.handle}", "one more")
    assert hook.wait(bob)[0].json["badge"] == 4


def test_privacy(make_system, hook):
    system = make_system(**SETTINGS, BANTER_PUSH_TEXT="false")
    alice, bob = system.signup("alice"), system.signup("bob")
    register(system, hook, bob)
    receipt, _at = post(system, alice, f"@{bob.handle}", "between us")
    telling = hook.wait(bob)[0]
    assert telling.json["conversation"] == receipt["conversation"]
    assert b"between us" not in telling.body and alice.handle.encode() not in telling.body


# ---------------------------------------------------------------- the numbers
def test_the_metrics_tell(system, hook):
    alice, bob = system.signup("alice"), system.signup("bob")
    register(system, hook, bob)
    post(system, alice, f"@{bob.handle}", "hello")
    hook.wait(bob)
    metrics = metrics_of(system)
    assert metrics['banter_push_sent_total{provider="webhook"}'] >= 1
    assert metrics['banter_push_latency_seconds_count{provider="webhook"}'] >= 1
    assert metrics['banter_push_failed_total{provider="webhook",reason="quota"}'] >= 0
    assert metrics['banter_push_overdue_seconds{provider="webhook"}'] < 10
    assert metrics["banter_push_outbox_age_seconds"] < 10


def metrics_of(system):
    return {name: float(value) for name, value in
            (line.rsplit(" ", 1) for line in system.metrics().splitlines()
             if not line.startswith("#"))}
