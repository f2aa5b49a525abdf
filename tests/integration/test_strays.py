# SPDX-License-Identifier: MIT
"""Statements that outlive who sent them: a bridge dies, or gives a connection up, while PostgreSQL
still works at what it was sent. What such a statement commits nobody would tell the plugin."""
import os
import signal
import threading
import time

import pytest

from support import wait_until
from support.faults import restart
from support.session import Session


def waiting(banter, application):
    """The backends that wait for a lock."""
    return [int(pid) for [pid] in banter.psql(
        "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' "
        f"AND application_name LIKE '{application}%'")]


def wait_waiting(banter, application, count=1):
    return wait_until(lambda: len(found := waiting(banter, application)) >= count and found,
                      10, f"{count} of {application} to wait for a lock")


class Removal:
    """Asks for a removal, and does not wait for the answer."""

    def __init__(self, banter, actor, conversation, member):
        self._command = {"command": "removeMember", "conversation": conversation,
                         "user": member.handle}
        self._banter, self._actor = banter, actor
        self.answer = None
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self):
        try:
            self.answer = self._banter.request("POST", "/v1/control",
                                               {"commands": [self._command]}, self._actor,
                                               timeout=60).json()["responses"][0]
        except OSError:
            pass  # the bridge died

    def wait(self):
        self._thread.join()
        return self.answer


def is_member(banter, conversation, user):
    return banter.psql("SELECT 1 FROM banter.members m JOIN banter.users u ON u.id = m.user_id "
                       f"WHERE m.conversation = '{conversation}' AND u.handle = '{user.handle}'"
                       ) != []


def assert_hears_as_member(banter, phone, other, conversation):
    """Whoever is no member any more hears nothing, all others hear all."""
    receipt = phone.say(conversation, "after all that", timeout=30)
    if is_member(banter, conversation, other.account):
        other.wait_entry(conversation, seq=receipt["seq"])
    else:
        time.sleep(0.5)
        assert receipt["seq"] not in [entry["seq"] for entry in other.entries(conversation)]


@pytest.fixture
def people(fresh_banter):
    """alice and eve, with a device each, and a group of both."""
    alice, eve = fresh_banter.signup("alice"), fresh_banter.signup("eve")
    group = fresh_banter.group(alice, [eve])
    phone, other = fresh_banter.device(alice), fresh_banter.device(eve)
    phone.say(group, "one")
    other.wait_entry(group, text="one")
    return fresh_banter, alice, eve, group, phone, other


def test_a_removal_does_not_outlive_its_bridge(people):
    banter, alice, eve, group, phone, other = people
    with Session(banter) as session:
        session.lock(group)
        removal = Removal(banter, alice, group, eve)
        wait_waiting(banter, "banter-pool")
        restart(banter, "bridge")
        removal.wait()
        assert waiting(banter, "banter-pool") == []
        session.release()
    assert is_member(banter, group, eve)
    assert_hears_as_member(banter, phone, other, group)


def test_a_draft_does_not_outlive_its_bridge(people):
    banter, _alice, _eve, group, phone, other = people
    with Session(banter) as session:
        session.lock(group)
        draft = phone.send(group, "two")
        [stray] = wait_waiting(banter, "banter-writer")
        restart(banter, "bridge")
        wait_waiting(banter, "banter-writer")
        assert stray not in waiting(banter, "banter-writer")
        session.release()
    seq = phone.receipt(draft, timeout=30)["seq"]
    assert other.wait_entry(group, seq=seq)["text"] == "two"


def test_other_nodes_are_left_alone(people):
    banter, *_ = people
    count = "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'banter-pool/%'"
    [[pool]] = banter.psql(count)
    with Session(banter) as session:
        session.run("SET application_name = 'banter-pool/another-node/0123abcd.1'")
        restart(banter, "bridge")
        wait_until(lambda: banter.psql(count) == [[str(int(pool) + 1)]], 10, "the pool")
        assert session.run("SELECT 1") == ["1"]


def test_a_command_that_waited_for_another_has_all_of_its_time(make_system):
    banter = make_system(BANTER_POOL_CONNECTIONS=1)
    alice, eve = banter.signup("alice"), banter.signup("eve")
    first, second = banter.group(alice, [eve]), banter.group(alice, [eve])
    phone, other = banter.device(alice), banter.device(eve)
    with Session(banter) as session:
        session.lock(first, second)
        blocker = Removal(banter, alice, first, eve)
        wait_waiting(banter, "banter-pool")
        removal = Removal(banter, alice, second, eve)
        assert blocker.wait()["error"]["code"] == "unavailable"  # PostgreSQL gave up after 12 s
        time.sleep(5)  # now the second has waited longer than the deadline of one
        assert removal.answer is None
        session.release()
        assert "error" not in removal.wait()
    assert_hears_as_member(banter, phone, other, first)
    assert_hears_as_member(banter, phone, other, second)
    assert "no answer for" not in banter.log("bridge")


def test_nobody_is_attached_while_a_lost_command_may_commit(people):
    banter, alice, eve, group, phone, other = people
    with Session(banter) as session:
        session.lock(group)
        removal = Removal(banter, alice, group, eve)
        [stray] = wait_waiting(banter, "banter-pool")
        os.kill(stray, signal.SIGSTOP)  # it can neither go on nor be ended
        try:
            assert removal.wait()["error"]["code"] == "unavailable"  # after 15 s
            answer = wait_until(lambda: (a := banter.request("GET", "/readyz")).status != 200 and a,
                                10, "the bridge not to be ready")
            assert "lost connections" in answer.body.decode()
            assert not is_member(banter, group, eve) or stray in waiting(banter, "banter-pool")
        finally:
            os.kill(stray, signal.SIGCONT)
            session.release()
    banter.wait_ready()
    assert_hears_as_member(banter, phone, other, group)


def test_a_removal_that_nobody_told_is_told_when_asked_for_again(people):
    banter, alice, eve, group, phone, other = people
    banter.psql(f"DELETE FROM banter.members m USING banter.users u WHERE u.id = m.user_id "
                f"AND m.conversation = '{group}' AND u.handle = '{eve.handle}'")
    assert Removal(banter, alice, group, eve).wait()["error"]["code"] == "not_found"
    other.wait_message(lambda m: m.topic == "me/event" and b"removed" in m.payload, 5, "the end")
    assert_hears_as_member(banter, phone, other, group)
