# SPDX-License-Identifier: MIT
"""Histories come from a replica, and nobody can tell: what it lacks, what it still has and who may
no longer read is decided by the primary, and whatever becomes of the replica nothing is missing."""
import json
import re

import pytest

from support import System, wait_until
from support.erasure import wait_erased
from support.lifetime import lent
from support.replica import PATIENCE, Replica

pytestmark = pytest.mark.cluster

TIMEOUT_MS = 4000
OUTCOMES = ("answered", "behind", "away", "failed")


@pytest.fixture(scope="module")
def parts():
    """(system, replica): the replica is not there when the system starts."""
    replica = Replica()
    system = System(BANTER_REPLICA_DATABASE=replica.dsn, BANTER_REPLICA_TIMEOUT_MS=TIMEOUT_MS,
                    BANTER_REPLICA_LAG_MAX_MS=3600000)
    replica.system = system
    yield system, replica
    replica.close()
    crashes = system.close()
    assert not crashes, crashes


@pytest.fixture
def system(parts, request):
    yield from lent(parts[0], request)


@pytest.fixture
def replica(parts, system):
    """In use, and with all that the primary has."""
    if parts[1].process is None or parts[1].process.poll() is not None:
        parts[1].start()
    wait_usable(system)
    parts[1].wait_caught_up()
    return parts[1]


def metric(system, name):
    return float(re.search(rf"^banter_{re.escape(name)} (\S+)$", system.metrics(),
                           re.MULTILINE)[1])


def wait_usable(system, usable=1):
    wait_until(lambda: metric(system, "replica_usable") == usable, PATIENCE,
               f"replica_usable {usable}")


def pages(system):
    return {name: metric(system, f'replica_pages_total{{outcome="{name}"}}') for name in OUTCOMES}


def read(system, account, conversation, outcomes, query="after=0"):
    """One page, of which one of these became: all that is in it."""
    before = pages(system)
    answer = system.request("GET", f"/v1/conversations/{conversation}/messages?{query}",
                            account=account).ok()
    assert pages(system) in [{**before, outcome: before[outcome] + 1}
                             for outcome in outcomes.split()]
    return answer["entries"]


def shown(entries):
    return [entry.get("text") for entry in entries if entry["kind"] == "text"]


@pytest.fixture
def talk(system):
    """(alice's device, bob, their group), with three texts."""
    alice, bob = system.signup("alice"), system.signup("bob")
    phone = system.device(alice)
    group = system.group(alice, [bob])
    for text in ("one", "two", "three"):
        phone.say(group, text)
    return phone, bob, group


def test_a_replica_that_is_not_there_is_not_missed(system, talk):
    _phone, bob, group = talk
    assert system.request("GET", "/readyz").status == 200
    assert shown(read(system, bob, group, "away")) == ["one", "two", "three"]


def test_it_answers_with_what_the_primary_would(system, talk, replica):
    phone, bob, group = talk
    listener = system.device(bob)
    target = phone.say(group, "four")["seq"]
    phone.say(group, "4", kind="edit", target=target)
    last = phone.say(group, None, kind="reaction", target=2, emoji="👍")["seq"]
    listener.wait_entry(group, seq=last)
    live = listener.entries(group)
    replica.wait_caught_up()
    after = live[0]["seq"] - 1
    assert read(system, bob, group, "answered", f"after={after}") == live
    assert read(system, bob, group, "answered", f"before={last + 1}&limit={len(live)}") == live
    folded = read(system, bob, group, "answered", "view=folded")
    assert shown(folded) == ["one", "two", "three", "4"] and "reactions" in folded[1]
    before = pages(system)["answered"]
    lines = list(system.stream(f"/v1/conversations/{group}/messages?after={after}", bob))
    assert [json.loads(line) for line in lines] == live
    assert pages(system)["answered"] == before + 1


def test_what_it_lacks_is_not_missing(system, talk, replica):
    """And what it has it goes on answering, however far behind it is."""
    phone, bob, group = talk
    other = system.group(phone.account, [bob])
    with replica.held():
        told = phone.say(group, "fresh")["seq"]
        assert shown(read(system, bob, group, "behind", f"after={told - 1}")) == ["fresh"]
        phone.say(group, None, kind="delete", target=2)
        assert shown(read(system, bob, group, "behind", "before=3&limit=1")) == [None]
        assert "one" not in str(read(system, bob, group, "behind", "view=folded"))
        assert len(read(system, bob, other, "answered")) == 1
        assert replica.psql("SELECT count(*) FROM banter.messages WHERE text = 'one' "
                            f"AND conversation = '{group}'") == "1"
        wait_until(lambda: metric(system, "replica_lag_milliseconds") > 1000, PATIENCE, "the lag")
    replica.wait_caught_up()
    assert "one" not in str(read(system, bob, group, "answered"))
    wait_until(lambda: metric(system, "replica_lag_milliseconds") < 1000, PATIENCE, "no lag")


def test_who_may_not_read_any_more_does_not(system, talk, replica):
    phone, bob, group = talk
    doomed = system.group(phone.account, [bob])
    carol = system.signup("carol")
    with replica.held():
        system.data_of(phone.account, {"command": "removeMember", "conversation": group,
                                       "user": bob.handle})
        system.data_of(phone.account, {"command": "deleteConversation", "conversation": doomed})
        for gone in (group, doomed):
            answer = system.request("GET", f"/v1/conversations/{gone}/messages", account=bob)
            assert answer.status == 404
        system.data_of(phone.account, {"command": "addMembers", "conversation": group,
                                       "members": [carol.handle]})
        assert "three" in shown(read(system, carol, group, "behind"))


def test_what_has_expired_is_gone_though_the_log_has_not_grown(system, talk, replica):
    phone, bob, group = talk
    system.data_of(phone.account, {"command": "modifyConversation", "conversation": group,
                                   "retention_days": 1})
    wait_until(lambda: system.psql("SELECT indexed_seq >= 4 FROM banter.search_progress WHERE "
                                   f"conversation = '{group}'") == [["t"]], PATIENCE, "the index")
    with replica.held():
        system.psql("UPDATE banter.messages SET at = at - interval '2 days' "
                    f"WHERE conversation = '{group}' AND seq <= 3")
        system.psql("UPDATE banter.retentions SET due_at = now() "
                    f"WHERE conversation = '{group}'")
        wait_until(lambda: system.psql("SELECT erased_seq FROM banter.retentions WHERE "
                                       f"conversation = '{group}'") == [["3"]], PATIENCE, "erased")
        assert "two" in replica.psql("SELECT text FROM banter.messages "
                                     f"WHERE conversation = '{group}'")
        assert shown(read(system, bob, group, "behind")) == [None, None, "three"]
    replica.wait_caught_up()
    assert shown(read(system, bob, group, "answered")) == [None, None, "three"]


def test_who_is_erased_is_gone_though_the_log_has_not_grown(system, talk, replica):
    """From the beginning on nobody's handle is told, and of the texts none that has been erased."""
    phone, bob, group = talk
    later = ("UPDATE banter.erasures SET due_at = now() + interval '1 hour' "
             "WHERE finished_at IS NULL")
    with replica.held():
        [[erasure]] = system.psql(
            "SELECT DISTINCT e.erasure FROM banter.users u, banter.begin_erasure(u.id) e "
            f"WHERE u.handle = '{phone.account.handle}'; {later}")
        texts = [e for e in read(system, bob, group, "behind") if e["kind"] == "text"]
        assert [e["text"] for e in texts] == ["one", "two", "three"]
        assert {e["from"].split("-")[0] for e in texts} == {"erased"}
    replica.wait_caught_up()
    assert shown(read(system, bob, group, "answered")) == ["one", "two", "three"]
    with replica.held():
        system.psql(f"UPDATE banter.erasures SET conversation = '{group}', phase = 3, "
                    f"due_at = now() - interval '1 s' WHERE id = '{erasure}'; "
                    f"SELECT FROM banter.erase_author('{group}', 1); {later}")
        assert shown(read(system, bob, group, "behind")).count(None) == 1
    system.psql("UPDATE banter.erasures SET conversation = NULL, phase = 1, due_at = now() "
                f"WHERE id = '{erasure}'")
    wait_erased(system, erasure)
    replica.wait_caught_up()
    assert shown(read(system, bob, group, "answered")) == [None, None, None]


def test_a_replica_that_hangs(system, talk, replica):
    _phone, bob, group = talk
    with replica.frozen():
        for _ in range(2):
            assert shown(read(system, bob, group, "failed away")) == ["one", "two", "three"]
        assert system.request("GET", "/readyz").status == 200
    wait_usable(system)
    assert shown(read(system, bob, group, "answered")) == ["one", "two", "three"]


def test_a_replica_that_crashes_in_the_middle_of_a_replay(system, talk, replica):
    phone, bob, group = talk
    system.psql(f"""
        WITH i AS (INSERT INTO banter.messages (conversation, seq, sender, at, kind, id, text)
                   SELECT '{group}', c.last_seq + n, u.id, now(), 1, 'sql-' || n, repeat('x', 2000)
                     FROM banter.conversations c, banter.users u, generate_series(1, 20000) n
                    WHERE c.id = '{group}' AND u.handle = '{phone.account.handle}')
        UPDATE banter.conversations SET last_seq = last_seq + 20000 WHERE id = '{group}'""")
    replica.wait_caught_up()
    before = pages(system)
    lines = system.stream(f"/v1/conversations/{group}/messages?after=0", bob)
    seqs = [json.loads(next(lines))["seq"] for _ in range(1000)]
    replica.stop()
    seqs += [json.loads(line)["seq"] for line in lines]
    assert seqs == list(range(1, 20005))
    after = pages(system)
    assert after["answered"] > before["answered"]
    assert after["away"] + after["failed"] > before["away"] + before["failed"]


def test_a_replica_that_becomes_a_primary_is_not_asked(system, talk, replica):
    _phone, bob, group = talk
    replica.psql("SELECT pg_promote()", "postgres")
    wait_usable(system, 0)
    assert shown(read(system, bob, group, "away")) == ["one", "two", "three"]
    wait_until(lambda: "not used: it does not follow the primary" in system.log("bridge"),
               PATIENCE, "a word of it in the log")
    replica.stop()
