# SPDX-License-Identifier: MIT
"""Retention: texts go when their time has run out, the log stays as dense as ever, and everything
that was made of the texts goes with them. Time is made to pass in the database."""
import pytest

from support import wait_until
from support.life import code, data, invariants  # noqa: F401 (a fixture)

pytestmark = pytest.mark.once

MESSAGES = 620  # more than a slice


def ask(system, account, command, **arguments):
    return system.control(account, {"command": command, **arguments})[0]


def modify(system, account, conversation, **change):
    return ask(system, account, "modifyConversation", conversation=conversation, **change)


def days_of(system, account, conversation):
    return data(ask(system, account, "getConversation", conversation=conversation)).get(
        "retention_days")


def found(system, account, conversation, query):
    """The `seq` of what a search finds, when nothing waits to be indexed any more."""
    def fresh():
        answer = data(ask(system, account, "searchMessages", query=query,
                          conversation=conversation, limit=100))
        return answer if answer["pending"] == 0 else None
    return {hit["seq"] for hit in wait_until(fresh, 20, "the index")["hits"]}


def let_time_pass(system, conversation, upto, days):
    """For the entries up to this one."""
    system.psql(f"UPDATE banter.messages SET at = at - interval '{days} days' "
                f"WHERE conversation = '{conversation}' AND seq <= {upto}")
    system.psql(f"UPDATE banter.retentions SET due_at = now() "
                f"WHERE conversation = '{conversation}'")


def wait_erased(system, conversation, upto):
    wait_until(lambda: system.psql(f"SELECT erased_seq FROM banter.retentions WHERE conversation = "
                                   f"'{conversation}'") == [[str(upto)]], 20, f"erased to {upto}",
               interval=0.1)


def whole(system, account, conversation):
    """{seq: entry}, dense from 1."""
    entries = []
    while True:
        page = system.history(account, conversation, after=len(entries), limit=500)
        if not page:
            return {entry["seq"]: entry for entry in entries}
        entries += page
        assert [entry["seq"] for entry in entries] == list(range(1, len(entries) + 1))


def test_who_may_set_it_and_how_members_hear_of_it(banter):
    alice, bob = banter.signup("alice"), banter.signup("bob")
    phone = banter.device(bob)
    group = banter.group(alice, [bob])
    assert days_of(banter, bob, group) is None
    assert code(modify(banter, bob, group, retention_days=1)) == "forbidden"
    for wrong in (0, -1, 36501, "7", 1.5, True):
        assert code(modify(banter, alice, group, retention_days=wrong)) == "invalid"
    direct = data(ask(banter, alice, "createDirect", user=bob.handle))["conversation"]
    assert code(modify(banter, alice, direct, retention_days=1)) == "forbidden"

    data(modify(banter, alice, group, retention_days=30, title="Thirty"))
    assert phone.wait_entry(group, kind="renamed")["seq"] == 2
    assert phone.wait_entry(group, kind="modified", retention_days=30)["seq"] == 3
    assert days_of(banter, bob, group) == 30
    data(modify(banter, alice, group, retention_days=30))
    data(modify(banter, alice, group, retention_days=None))
    assert phone.wait_entry(group, seq=4)["retention_days"] is None
    assert days_of(banter, bob, group) is None
    data(modify(banter, alice, group, retention_days=None))
    assert phone.say(group, "nothing changed")["seq"] == 5


def test_what_has_expired_goes_and_the_log_stays(banter):
    alice, bob = banter.signup("alice"), banter.signup("bob")
    phone, other = banter.device(alice), banter.device(bob)
    group = banter.group(alice, [bob])
    ids = [phone.send(group, f"needle number{i}") for i in range(MESSAGES)]
    old = phone.receipt(ids[-1], 30)["seq"]
    target = phone.receipt(ids[0])["seq"]
    edit = phone.say(group, "needle edited today", kind="edit", target=target)["seq"]
    young = phone.say(group, "needle of today")["seq"]
    data(modify(banter, alice, group, retention_days=30))
    assert {target, young} <= found(banter, bob, group, "today")

    let_time_pass(banter, group, old, 31)
    wait_erased(banter, group, old)
    log = whole(banter, bob, group)
    for seq in (*range(target, old + 1), edit):
        assert log[seq]["deleted"] is True and "text" not in log[seq], log[seq]
        assert log[seq]["id"] and log[seq]["from"] == alice.handle
    assert log[young]["text"] == "needle of today"
    assert found(banter, bob, group, "needle") == {young}
    folded = banter.history(bob, group, view="folded", after=0, limit=1 + target)
    assert [e for e in folded if e["seq"] == target][0]["deleted"] is True

    (synced,) = other.sync({group: old - 1}, limit=50)
    assert [e["seq"] for e in synced["entries"]] == list(range(old, synced["last_seq"] + 1))
    refused = phone.receipt(phone.send(group, "too late", kind="edit", target=target))
    assert refused["error"]["code"] == "not_found"
    assert phone.say(group, "and on")["seq"] == synced["last_seq"] + 1


def test_a_shorter_time_holds_for_what_is_there_and_the_end_of_it(banter):
    alice = banter.signup("alice")
    phone = banter.device(alice)
    group = banter.group(alice, [])
    first = phone.say(group, "cork one")["seq"]
    second = phone.say(group, "cork two")["seq"]
    data(modify(banter, alice, group, retention_days=30))
    assert found(banter, alice, group, "cork") == {first, second}
    let_time_pass(banter, group, second, 10)
    data(modify(banter, alice, group, retention_days=7))
    wait_erased(banter, group, second)
    assert found(banter, alice, group, "cork") == set()
    data(modify(banter, alice, group, retention_days=None))
    third = phone.say(group, "cork three")["seq"]
    let_time_pass(banter, group, third, 400)
    assert found(banter, alice, group, "cork") == {third}

    data(modify(banter, alice, group, retention_days=1))
    data(ask(banter, alice, "deleteConversation", conversation=group))
    wait_until(lambda: not banter.psql(f"SELECT FROM banter.retentions WHERE conversation = "
                                       f"'{group}'"), 20, "the end of its retention")
