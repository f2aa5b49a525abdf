# SPDX-License-Identifier: MIT
"""The writer and PostgreSQL: the plans of its statements, and drafts that PostgreSQL refuses.

The plans are those of the running bridge, as auto_explain logs them: on an empty table as on a big
one every look-up of a batch must go through an index, one draft at a time."""
import itertools
import re
import time

import pytest

from support import wait_until
from support.faults import hang_up, restart
from support.session import Session

APPEND = "WITH judged AS"
LOCK = "SELECT FROM banter.conversations"
SWIFT = "WITH placed AS"
LOCKED = ((LOCK, "conversations_pkey"), (APPEND, "_conversation_sender_id_key"))
UNLOCKED = ((SWIFT, "conversations_pkey"), (SWIFT, "using members_"))
WARY_DRAFTS = 16  # of batches of one draft, two at a time
SCANS = re.compile(r"Seq Scan|Bitmap|Hash Join|Hash Left Join|Hash Right Join|Merge")


def plan_of(system, statement):
    """The last plan in PostgreSQL's log of a statement that begins so; "" before there is one."""
    text = system.log("postgres")
    start = text.rfind(f"Query Text: {statement}")
    if start < 0:
        return ""
    lines = text[start:].split("\n")[1:]
    return "\n".join(itertools.takewhile(lambda line: line.startswith("\t"), lines))


def explained(system):
    """Has every new session log its plans, and the writer begin a new session."""
    with open(system.data / "postgres.conf", "a", encoding="ascii") as config:
        config.write("session_preload_libraries = 'auto_explain'\n"
                     "auto_explain.log_min_duration = 0\n")
    hang_up(system, "postgres")
    wait_until(lambda: '"session_preload_libraries" changed' in system.log("postgres"), 10,
               "the new settings")
    new_session(system)


def writer_pid(system):
    rows = system.psql("SELECT pid FROM pg_stat_activity"
                       " WHERE application_name LIKE 'banter-writer/%'")
    return rows[0][0] if rows else None


def new_session(system):
    old = writer_pid(system)
    system.psql(f"SELECT pg_terminate_backend({old})")
    wait_until(lambda: writer_pid(system) not in (None, old), 10, "a new session of the writer")
    system.wait_ready()


def assert_index_plans(system, statements):
    for statement, index in statements:
        plan = wait_until(lambda s=statement: plan_of(system, s), 10, f"a plan of {statement}")
        assert index in plan, plan
        assert not SCANS.search(plan), plan


def test_batches_use_indexes_whatever_the_size_of_the_tables(make_system):
    banter = make_system(BANTER_BATCH_MAX=1)
    explained(banter)
    alice, bob = banter.signup("alice"), banter.signup("bob")
    phone = banter.device(alice)
    conversation = phone.say(f"@{bob.handle}", "on empty tables")["conversation"]
    assert_index_plans(banter, LOCKED)
    for n in range(WARY_DRAFTS):
        phone.say(conversation, f"filler {n}")
    assert_index_plans(banter, UNLOCKED)

    banter.psql("INSERT INTO banter.conversations (id, kind, created_by)"
                " SELECT gen_random_uuid(), 2, 1 FROM generate_series(1, 5000)")
    banter.psql("INSERT INTO banter.members (conversation, user_id, role)"
                " SELECT c.id, u.id, 2 FROM banter.conversations c, banter.users u WHERE kind = 2")
    banter.psql("INSERT INTO banter.messages (conversation, seq, sender, at, kind, id, text)"
                " SELECT id, n, 1, now(), 1, n, 'filler' FROM banter.conversations,"
                " generate_series(1, 20) n WHERE kind = 2")
    banter.psql("UPDATE banter.conversations SET last_seq = 20 WHERE kind = 2")
    banter.psql("ANALYZE banter.conversations, banter.members, banter.messages, banter.users")
    new_session(banter)
    phone.say(conversation, "on big ones")
    assert_index_plans(banter, LOCKED)
    for n in range(WARY_DRAFTS):
        phone.say(conversation, f"more {n}")
    assert_index_plans(banter, UNLOCKED)


@pytest.fixture
def poisoned(fresh_banter):
    """PostgreSQL refuses one text, for a reason that nobody checks before."""
    fresh_banter.psql("ALTER TABLE banter.messages ADD CONSTRAINT no_poison"
                      " CHECK (text <> 'poison')")
    return fresh_banter


def test_a_draft_that_postgres_refuses_hurts_nobody_else(poisoned):
    alice, bob = poisoned.signup("alice"), poisoned.signup("bob")
    phone, other = poisoned.device(alice), poisoned.device(bob)
    texts = ["poison" if n % 50 == 17 else f"text {n}" for n in range(500)]
    ids = [phone.send(f"@{bob.handle}", text) for text in texts]
    receipts = [phone.receipt(draft, timeout=30) for draft in ids]

    refused = [text for text, receipt in zip(texts, receipts) if "error" in receipt]
    assert refused == ["poison"] * 10
    assert {r["error"]["code"] for r in receipts if "error" in r} == {"invalid"}
    assert [r["seq"] for r in receipts if "seq" in r] == list(range(1, 491))
    assert [m["id"] for m in phone.receipts()] == ids
    conversation = next(r["conversation"] for r in receipts if "seq" in r)
    entries = other.wait_entries(conversation, 490)
    assert [e["text"] for e in entries] == [text for text in texts if text != "poison"]

    rows = poisoned.psql("SELECT sqlstate, convert_from(payload, 'UTF8') FROM banter.quarantine")
    assert len(rows) == 10
    assert all(state == "23514" and '"text":"poison"' in draft for state, draft in rows)


def test_what_was_stored_unheard_is_told_with_the_duplicate(banter):
    """As an earlier bridge may have left it: stored, and nobody was told."""
    alice, bob = banter.signup("alice"), banter.signup("bob")
    phone, other = banter.device(alice), banter.device(bob)
    conversation = phone.say(f"@{bob.handle}", "one")["conversation"]
    other.wait_entry(conversation, text="one")
    banter.psql(f"UPDATE banter.conversations SET last_seq = 2 WHERE id = '{conversation}';"
                "INSERT INTO banter.messages (conversation, seq, sender, at, kind, id, text)"
                " SELECT conversation, 2, sender, now(), 1, 'unheard', 'two'"
                f" FROM banter.messages WHERE conversation = '{conversation}' AND seq = 1")
    assert phone.say(conversation, "two", id="unheard")["seq"] == 2
    assert other.wait_entry(conversation, seq=2)["text"] == "two"
    assert phone.say(conversation, "two", id="unheard")["seq"] == 2
    assert phone.say(conversation, "three")["seq"] == 3
    other.wait_entry(conversation, seq=3)
    assert [entry["seq"] for entry in other.entries(conversation)] == [1, 2, 3]


def test_each_draft_of_one_id_gets_its_own_verdict(banter):
    alice, bob = banter.signup("alice"), banter.signup("bob")
    phone = banter.device(alice)
    conversation = phone.say(f"@{bob.handle}", "a", id="1")["conversation"]
    with Session(banter) as session:
        session.lock(conversation)
        for n in range(3):  # two batches wait for the lock, all that follows is one
            phone.send(conversation, f"filler {n}", id=f"filler {n}")
            time.sleep(0.1)
        phone.send(conversation, "b", id="1")
        phone.send(conversation, "a", id="1")
        phone.send(conversation, "x", id="2", reply_to=999999)
        phone.send(conversation, "x", id="2")
        time.sleep(0.3)
        session.release()
    phone.say(conversation, "last")
    receipts = [r for r in phone.receipts() if r["id"] in ("1", "2")]
    verdicts = [receipt.get("seq") or receipt["error"]["code"] for receipt in receipts]
    assert verdicts == [1, "conflict", 1, "invalid", 5]


def test_a_row_that_is_held_stops_its_own_conversation_only(banter):
    alice, bob = banter.signup("alice"), banter.signup("bob")
    phone, other = banter.device(alice), banter.device(bob)
    held, free = banter.group(alice, [bob]), banter.group(alice, [bob])
    with Session(banter) as session:
        session.lock(held)
        waiting, going = [], []
        for n in range(10):
            waiting.append(phone.send(held, f"waits {n}"))
            going.append(phone.send(free, f"goes {n}"))
        for draft in going:
            phone.receipt(draft, timeout=8)
        for n in range(10, 20):
            waiting.append(phone.send(held, f"waits {n}"))
            going.append(phone.say(free, f"goes {n}", timeout=2)["id"])
        assert not set(waiting) & {receipt["id"] for receipt in phone.receipts()}
        session.release()
    for draft in waiting:
        phone.receipt(draft, timeout=10)
    assert [r["id"] for r in phone.receipts() if r["id"] in waiting] == waiting
    assert [r["id"] for r in phone.receipts() if r["id"] in going] == going
    for group, text in ((held, "waits"), (free, "goes")):
        texts = [entry["text"] for entry in other.wait_entries(group, 21)[1:]]
        assert texts == [f"{text} {n}" for n in range(20)]


def test_what_waits_for_a_row_survives_the_bridge(fresh_banter):
    """CONFIRM must not pass what waits, though later drafts are answered."""
    banter = fresh_banter
    alice, bob = banter.signup("alice"), banter.signup("bob")
    phone = banter.device(alice)
    held, free = banter.group(alice, [bob]), banter.group(alice, [bob])
    with Session(banter) as session:
        session.lock(held)
        waiting = [phone.send(held, f"waits {n}") for n in range(3)]
        phone.say(free, "goes", timeout=10)
        restart(banter, "bridge")
        session.release()
    for draft in waiting:
        assert "seq" in phone.receipt(draft, timeout=20)
