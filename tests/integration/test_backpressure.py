# SPDX-License-Identifier: MIT
"""When one part is slow or one device asks for too much, the others do not notice."""
import concurrent.futures
import json
import threading
import uuid

import pytest

from support import wait_until

LARGE = "\u4e2d" * 100_000  # 300 kB


@pytest.fixture
def small_queue(make_system):
    return make_system(BANTER_QUEUE_MAX=50)


def test_a_full_writer_stops_drafts_and_nothing_else(small_queue):
    """Somebody holds the row of one conversation; the queue of drafts fills. Removals are confirmed
    by the broker, newcomers are attached and lists answered all the same, over the same link."""
    banter = small_queue
    alice, bob, eve = banter.signup("alice"), banter.signup("bob"), banter.signup("eve")
    blocked, other = banter.group(alice, [bob]), banter.group(alice, [bob, eve])
    phone, reader = banter.device(alice), banter.device(bob)
    phone.say(blocked, "before")
    holder = threading.Thread(target=banter.psql, args=(
        f"BEGIN; SELECT 1 FROM banter.conversations WHERE id = '{blocked}' FOR UPDATE; "
        "SELECT pg_sleep(8); COMMIT",))
    holder.start()
    try:
        wait_until(lambda: banter.psql(
            "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'"), 5, "the lock")
        ids = [phone.send(blocked, f"{n}") for n in range(400)]
        for _ in range(3):  # the plugin's echo has to come through
            group = banter.group(alice, [eve])
            banter.data_of(alice, {"command": "removeMember", "conversation": group,
                                   "user": eve.handle})
        banter.data_of(alice, {"command": "removeMember", "conversation": other,
                               "user": eve.handle})
        newcomer = banter.device(eve)  # attached, or it would not be ready
        [answer] = newcomer.control({"command": "listConversations"})
        assert "error" not in answer
        assert holder.is_alive(), "the lock was to be held all the time"
    finally:
        holder.join()
    seqs = [phone.receipt(i, timeout=30)["seq"] for i in ids]
    assert seqs == list(range(3, 403))
    reader.wait_entry(blocked, seq=402, timeout=20)
    assert [e["seq"] for e in reader.entries(blocked)] == list(range(2, 403))
    assert "barrier was not answered" not in banter.log("bridge")
    assert banter.log("bridge").count("plugin connected") == 1


def far_behind(banter, account):
    """Groups with 11 MB that the user's devices have not seen."""
    groups = [banter.group(account, [], title=f"g{n}") for n in range(36)]
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        statuses = pool.map(lambda group: banter.request(
            "POST", f"/v1/conversations/{group}/messages",
            {"id": str(uuid.uuid4()), "text": LARGE}, account, timeout=60).status, groups)
        assert set(statuses) == {201}
    return groups


def test_syncs_are_bounded(fresh_banter):
    """A sync brings 8 MiB of entries and the rest of the heads. And 256 of them, asked for by a
    device that does not read, leave the link and the others alone."""
    banter = fresh_banter
    alice, bob, carol = (banter.signup(name) for name in ("alice", "bob", "carol"))
    groups = far_behind(banter, alice)
    conversations = banter.device(alice).sync({group: 0 for group in groups})
    assert {c["conversation"] for c in conversations} == set(groups)
    texts = sum(len(json.dumps(c["entries"], ensure_ascii=False).encode()) for c in conversations)
    assert 6 << 20 < texts < 10 << 20
    for c in conversations:
        assert c["last_seq"] == 2
        assert c["more"] or [e["seq"] for e in c["entries"]] == [1, 2]
    phone, other = banter.device(bob), banter.device(carol)
    glutton = banter.device(alice, "glutton")
    glutton.stop_reading()
    for _ in range(256):
        glutton.publish("send/me/sync", b'{"limit":10}', qos=0)
    for n in range(20):
        receipt = phone.say("@" + carol.handle, f"{n}")
        other.wait_entry(receipt["conversation"], seq=receipt["seq"])
    assert banter.log("bridge").count("plugin connected") == 1
