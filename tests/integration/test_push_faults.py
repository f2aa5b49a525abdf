# SPDX-License-Identifier: MIT
"""Push: whatever fails, no push is lost, and none comes twice but under the same id."""
import concurrent.futures
import time
import uuid

import pytest

from support import wait_until
from support.push import (SETTINGS, assert_quiet_after, hook, post, pushing, register,
                          registrations, system, wait_no_jobs)  # noqa: F401

pytestmark = pytest.mark.push


def test_a_provider_in_trouble_is_asked_again(system, hook):
    alice, bob = system.signup("alice"), system.signup("bob")
    register(system, hook, bob)
    hook.plan = lambda telling: 503 if len(hook.of(bob)) < 3 else 204
    post(system, alice, f"@{bob.handle}", "hello")
    tellings = hook.wait(bob, 3)
    assert len({t.headers["webhook-id"] for t in tellings}) == 1
    assert_quiet_after(system, hook, bob, 3)


def test_retry_after_is_respected(system, hook):
    alice, bob = system.signup("alice"), system.signup("bob")
    register(system, hook, bob)
    hook.plan = lambda t: (429, {"Retry-After": "3"}) if len(hook.of(bob)) == 1 else 204
    post(system, alice, f"@{bob.handle}", "hello")
    first, second = hook.wait(bob, 2)
    assert second.at - first.at >= 3


def test_what_comes_while_a_push_waits_joins_it(system, hook):
    alice, bob = system.signup("alice"), system.signup("bob")
    register(system, hook, bob)
    hook.plan = lambda t: (503, {"Retry-After": "2"}) if len(hook.of(bob)) == 1 else 204
    post(system, alice, f"@{bob.handle}", "one")
    hook.wait(bob)
    for text in ("two", "three"):
        post(system, alice, f"@{bob.handle}", text)
        time.sleep(0.3)
    assert [t.json["text"] for t in hook.wait(bob, 2)] == ["one", "three"]
    assert_quiet_after(system, hook, bob, 2)


def test_what_comes_while_a_push_is_on_its_way_is_told_after_it(system, hook):
    alice, bob = system.signup("alice"), system.signup("bob")
    register(system, hook, bob)

    def slow(telling):
        if telling.json["text"] == "one":
            post(system, alice, f"@{bob.handle}", "two")
            time.sleep(0.7)
        return 204

    hook.plan = slow
    post(system, alice, f"@{bob.handle}", "one")
    assert [t.json["text"] for t in hook.wait(bob, 2)] == ["one", "two"]
    assert_quiet_after(system, hook, bob, 2)


def test_gone_removes_the_registration(system, hook):
    alice, bob = system.signup("alice"), system.signup("bob")
    register(system, hook, bob)
    hook.plan = lambda telling: 410
    post(system, alice, f"@{bob.handle}", "hello")
    hook.wait(bob)
    wait_until(lambda: not registrations(system, bob), 5, "the end of the registration")
    post(system, alice, f"@{bob.handle}", "again")
    assert_quiet_after(system, hook, bob, 1)


# ---------------------------------------------------------------- crashes

def test_the_bridge_killed_at_many_points_loses_no_push(make_system, hook):
    """Whoever wrote it, the newest message of every conversation is told at last, and what was
    told twice has the same id, so the receiver shows it once."""
    system = make_system(**SETTINGS, BANTER_PUSH_GATHER_MS=200)
    alice = system.signup("alice")
    bobs = system.signup_many(12, "bob")
    for bob in bobs:
        register(system, hook, bob)
    hook.plan = lambda telling: time.sleep(0.05) or 204
    last = {}

    def write(bob, n):
        text = f"{bob.handle} {n}"
        draft = {"id": str(uuid.uuid4()), "text": text}
        for _attempt in range(100):
            try:
                answer = system.request("POST", f"/v1/conversations/@{bob.handle}/messages",
                                        draft, alice)
                if answer.status in (200, 201):
                    last[bob.handle] = text
                    return
            except OSError:
                pass
            time.sleep(0.1)
        raise AssertionError("not stored")

    for kill in range(8):
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda bob, k=kill: write(bob, k), bobs))
        time.sleep(0.05 + 0.12 * kill)
        pid = system.kill("bridge")
        system.wait_restarted("bridge", pid)
    system.wait_ready()
    wait_no_jobs(system, timeout=60)
    for bob in bobs:
        tellings = hook.of(bob)
        assert tellings[-1].json["text"] == last[bob.handle]
        ids = {}
        for telling in tellings:
            ids.setdefault(telling.json["seq"], set()).add(telling.headers["webhook-id"])
        assert all(len(same) == 1 for same in ids.values()), ids
        seqs = [t.json["seq"] for t in tellings]
        assert seqs == sorted(seqs)


# ---------------------------------------------------------------- giving up

def operate(system, *arguments):
    """./banter push …: its lines."""
    return system.operate("push", *arguments).splitlines()


def dead_letters(system, registration):
    lines = operate(system, "list", registration)
    names = lines[0].split("\t")
    return [dict(zip(names, line.split("\t"))) for line in lines[1:]]


def test_what_is_given_up_can_be_listed_tried_again_and_dropped(system, hook):
    alice, bob = system.signup("alice"), system.signup("bob")
    registration = register(system, hook, bob)
    hook.plan = lambda telling: 500
    receipt, _at = post(system, alice, f"@{bob.handle}", "hello")
    hook.wait(bob, 4)
    letter = wait_until(lambda: dead_letters(system, registration), 5, "a dead letter")[0]
    assert letter["conversation"] == receipt["conversation"]
    assert (letter["user"], letter["provider"], letter["attempts"]) == (bob.handle, "webhook", "4")
    assert letter["reason"] == "provider"
    assert_quiet_after(system, hook, bob, 4)

    hook.plan = lambda telling: 204
    assert operate(system, "requeue", registration) == ["1 requeued"]
    assert hook.wait(bob, 5)[-1].json["text"] == "hello"
    assert dead_letters(system, registration) == []

    hook.plan = lambda telling: 400  # for good: no second attempt
    post(system, alice, f"@{bob.handle}", "hello again")
    wait_until(lambda: dead_letters(system, registration), 5, "a dead letter")
    assert len(hook.of(bob)) == 6
    assert operate(system, "drop", registration) == ["1 dropped"]
    assert operate(system, "requeue", registration) == ["0 requeued"]


def test_what_was_read_before_it_is_tried_again_is_not_told(system, hook):
    alice, bob = system.signup("alice"), system.signup("bob")
    registration = register(system, hook, bob)
    hook.plan = lambda telling: 400
    receipt, _at = post(system, alice, f"@{bob.handle}", "hello")
    wait_until(lambda: dead_letters(system, registration), 5, "a dead letter")
    system.request("POST", f"/v1/conversations/{receipt['conversation']}/cursor", {"read": 1},
                   bob).ok()
    operate(system, "requeue", registration)
    assert_quiet_after(system, hook, bob, 1)


# ---------------------------------------------------------------- leases, several bridges

@pytest.fixture
def jobs(make_system, hook):
    """Three jobs that are due, and nobody who takes them."""
    system = make_system(**SETTINGS, BANTER_PUSH_GATHER_MS=60000)
    alice = system.signup("alice")
    for bob in system.signup_many(3, "bob"):
        register(system, hook, bob)
        post(system, alice, f"@{bob.handle}", "hello")
    wait_until(lambda: system.psql("SELECT count(*) FROM banter.push_jobs") == [["3"]], 20, "jobs")
    system.stop("bridge")
    system.psql("UPDATE banter.push_jobs SET due_at = now() - interval '1 second'")
    return system


TAKE = ("SELECT registration, conversation, lease, seq, attempts"
        " FROM banter.push_take('{10,10,10,%s}', %s, 86400)")
SETTLE = ("SELECT banter.push_settle(ARRAY['%s']::uuid[], ARRAY['%s']::uuid[], ARRAY[%s]::bigint[],"
          " ARRAY[%s]::smallint[], ARRAY[%s]::bigint[], ARRAY[0]::bigint[], ARRAY['why'], 4, 500)")


def test_no_two_bridges_take_the_same_job(jobs):
    with concurrent.futures.ThreadPoolExecutor() as pool:
        slow = pool.submit(jobs.psql, f"BEGIN; {TAKE % (2, 60000)}; SELECT pg_sleep(2); COMMIT")
        time.sleep(1)
        mine = jobs.psql(TAKE % (10, 60000))
        others = [row for row in slow.result() if len(row) == 5]
    assert len(mine) == 1 and len(others) == 2
    assert len({row[0] for row in mine + others}) == 3
    assert jobs.psql(TAKE % (10, 60000)) == []


def test_a_lease_that_has_ended_settles_nothing(jobs):
    first = sorted(jobs.psql(TAKE % (10, 0)))
    second = sorted(jobs.psql(TAKE % (10, 60000)))
    assert [row[0] for row in first] == [row[0] for row in second]
    assert {row[4] for row in second} == {"2"}
    registration, conversation, lease, seq, _attempts = first[0]
    jobs.psql(SETTLE % (registration, conversation, lease, 0, seq))
    assert jobs.psql("SELECT count(*) FROM banter.push_jobs") == [["3"]]
    registration, conversation, lease, seq, _attempts = second[0]
    for _again in range(2):  # an answer that was lost is given again
        jobs.psql(SETTLE % (registration, conversation, lease, 0, seq))
        assert jobs.psql("SELECT count(*) FROM banter.push_jobs") == [["2"]]


def test_a_job_that_kills_who_takes_it_is_given_up(jobs):
    """The attempt counts from the moment it is taken."""
    for attempt in range(1, 4):
        assert {row[4] for row in jobs.psql(TAKE % (10, 0))} == {str(attempt)}
    taken = jobs.psql(TAKE % (10, 60000))
    for registration, conversation, lease, seq, _attempts in taken:
        assert jobs.psql(SETTLE % (registration, conversation, lease, 2, seq)) == [["1"]]
    assert jobs.psql("SELECT count(*) FROM banter.push_jobs") == [["0"]]
    assert jobs.psql("SELECT reason, attempts FROM banter.push_dead") == [["why", "4"]] * 3


def test_postgres_killed_loses_no_push(make_system, hook):
    system = make_system(**SETTINGS, BANTER_PUSH_GATHER_MS=200)
    alice, bob = system.signup("alice"), system.signup("bob")
    register(system, hook, bob)
    phone = system.device(alice)
    for n in range(4):
        phone.say(f"@{bob.handle}", f"text {n}", timeout=30)
        time.sleep(0.1 + 0.15 * n)
        system.wait_restarted("postgres", system.kill("postgres"))
        system.wait_ready()
    wait_no_jobs(system, timeout=60)
    assert hook.of(bob)[-1].json["text"] == "text 3"


# ---------------------------------------------------------------- plans

PINNED = ("SET jit = off; SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off;"
          " SET enable_material = off; SET enable_bitmapscan = off; SET enable_hashjoin = off;"
          " SET enable_mergejoin = off; SET max_parallel_workers_per_gather = 0;")
CHANNEL = "'00000000-0000-0000-0000-000000000001'"
EXPAND = ("SELECT banter.push_expand(ARRAY[(SELECT array_agg(id)::text FROM (SELECT id"
          " FROM banter.push_outbox ORDER BY id LIMIT 2000) i)], '{%s}', ARRAY[" + CHANNEL
          + "]::uuid[], '{1}', '{1}', '{1}', '{t}',"
          " ARRAY[(SELECT array_agg(n)::text FROM generate_series(%s, %s) n)], 0);")


def test_plans_made_on_empty_tables_are_good_on_full_ones(jobs):
    """A session keeps its plans, and the queue may have been empty when they were made. Whoever
    went through all rows for each of many would need a hundred times as long as this allows."""
    jobs.psql("TRUNCATE banter.push_jobs; ANALYZE banter.push_jobs, banter.push_registrations,"
              " banter.push_outbox")
    jobs.psql(
        PINNED
        + "SELECT count(*) FROM banter.push_take('{9,9,9,9}', 60000, 86400);"
        "SELECT banter.push_settle('{}', '{}', '{}', '{}', '{}', '{}', '{}', 4, 500);"
        "SELECT banter.push_expand('{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', 500);"
        "INSERT INTO banter.push_registrations (user_id, provider, address, secret)"
        "  SELECT -n, 3, n, 's' FROM generate_series(1, 50000) n;"
        "INSERT INTO banter.push_outbox (conversation, seq, sender)"
        "  SELECT gen_random_uuid(), 1, 1 FROM generate_series(1, 50000);"
        "INSERT INTO banter.push_jobs (registration, conversation, provider, bulk, from_seq, seq,"
        "  due_at) SELECT id, '00000000-0000-0000-0000-000000000002', 3, true, 1, 1,"
        "  now() - interval '1 second'"  # which is stored in milliseconds, perhaps rounded up
        "  FROM banter.push_registrations;"
        "SET statement_timeout = '2s';"
        + EXPAND % ("NULL", -2000, -1) + EXPAND % (-4000, -6000, -4001)
        + "CREATE TEMP TABLE taken AS SELECT * FROM banter.push_take('{0,0,0,256}', 60000, 86400);"
        "SELECT banter.push_settle(array_agg(registration), array_agg(conversation),"
        "  array_agg(lease), array_agg(0::smallint), array_agg(seq), array_agg(0::bigint),"
        "  array_agg(''::text), 4, 500) FROM taken; COMMIT", timeout=120)
    assert jobs.psql("SELECT count(*), count(position) FROM banter.push_outbox") == [
        ["46001", "1"]]
    assert jobs.psql("SELECT count(*) FROM banter.push_jobs") == [[str(50003 + 4000 - 256)]]
