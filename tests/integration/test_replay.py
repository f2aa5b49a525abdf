# SPDX-License-Identifier: MIT
"""Issue 2, item 4: replay and sync."""
import json
import time
import uuid

import pytest

from support import MQTTv311, MQTTv5, Problem, wait_until
from support.faults import crash_postgres, resident_kib
from support.log import assert_dense, whole_log

TEN = range(1, 11)


def insert_texts(banter, conversation, sender, count, text="'message ' || n"):
    """Fills a log by SQL, as the writer would have: for volumes that a test has no time to send."""
    banter.psql(f"""
        WITH c AS (SELECT id, last_seq FROM banter.conversations WHERE id = '{conversation}'),
             u AS (SELECT id FROM banter.users WHERE handle = '{sender.handle}'),
             i AS (INSERT INTO banter.messages (conversation, seq, sender, at, kind, id, text)
                   SELECT c.id, c.last_seq + n, u.id, now(), 1, 'sql-' || (c.last_seq + n), {text}
                     FROM c, u, generate_series(1, {count}) n)
        UPDATE banter.conversations SET last_seq = last_seq + {count} WHERE id = '{conversation}'
        """, timeout=120)


@pytest.fixture
def ten(banter):
    """A direct conversation with ten messages: (alice, bob, its id)."""
    alice, bob = banter.signup("alice"), banter.signup("bob")
    phone = banter.device(alice)
    for n in TEN:
        receipt = phone.say(f"@{bob.handle}", f"message {n}")
    return alice, bob, receipt["conversation"]


def page(banter, account, conversation, query=""):
    answer = banter.request("GET", f"/v1/conversations/{conversation}/messages{query}",
                            account=account).ok()
    assert set(answer) == {"entries", "more"}
    return [e["seq"] for e in answer["entries"]], answer["more"]


# ---------------------------------------------------------------- history

def test_pages(banter, ten):
    _alice, bob, conversation = ten
    for query, seqs, more in (
            ("", TEN, False),
            ("?after=0", TEN, False),
            ("?after=4", range(5, 11), False),
            ("?after=4&limit=3", range(5, 8), True),
            ("?after=7&limit=3", range(8, 11), False),
            ("?after=10", [], False),
            ("?after=999", [], False),
            ("?before=4", range(1, 4), False),
            ("?before=999", TEN, False),
            ("?before=11&limit=4", range(7, 11), True),
            ("?before=5&limit=4", range(1, 5), False),
            ("?before=1", [], False),
            ("?limit=3", range(8, 11), True),
            ("?limit=1000", TEN, False)):
        assert page(banter, bob, conversation, query) == (list(seqs), more), query


def test_walking_through_pages_meets_every_entry_once(banter, ten):
    alice, _bob, conversation = ten
    seen, after, more = [], 0, True
    while more:
        seqs, more = page(banter, alice, conversation, f"?after={after}&limit=3")
        seen += seqs
        after = seqs[-1]
    assert seen == list(TEN)
    seen, before, more = [], 2 ** 53 - 1, True
    while more:
        seqs, more = page(banter, alice, conversation, f"?before={before}&limit=3")
        seen = seqs + seen
        before = seqs[0]
    assert seen == list(TEN)


def test_history_and_live_entries_are_the_same(banter):
    alice, bob = banter.signup("alice"), banter.signup("bob")
    phone, other = banter.device(alice), banter.device(bob)
    group = banter.group(alice, [bob], title="Same \"bytes\" \\ everywhere 🙂")
    for text in ("plain", 'quotes " and \\ and / and \t and \n', "\u2028\u2029", "x" * 5000):
        last = phone.say(group, text, reply_to=1)["seq"]
    other.wait_entry(group, seq=last)
    assert other.entries(group) == banter.history(bob, group, after=0)
    # To the byte, but for white space that JSON does not mind.
    lines = list(banter.stream(f"/v1/conversations/{group}/messages?after=0", bob))
    live = [m.payload for m in other.messages if m.topic == f"chat/{group}"]
    assert lines == live


@pytest.mark.parametrize("query", [
    "?after=-1", "?after=x", "?after=", "?after=1.5", "?after=9223372036854775808", "?limit=0",
    "?limit=-1", "?limit=1001", "?limit=ten", "?before=0", "?before=-5", "?after=1&before=5",
    "?after=1&after=2", "?after=%00", "?after=1%20", "?after=0x10"])
def test_bad_queries_are_refused(banter, ten, query):
    alice, _bob, conversation = ten
    response = banter.request("GET", f"/v1/conversations/{conversation}/messages{query}",
                              account=alice)
    assert response.status == 400, response
    assert response.json()["code"] == "invalid"


def test_members_only(banter, ten):
    alice, _bob, conversation = ten
    eve = banter.signup("eve")
    path = f"/v1/conversations/{conversation}/messages"
    unknown = f"/v1/conversations/{uuid.uuid4()}/messages"
    answers = [banter.request("GET", p, account=eve) for p in (path, unknown)]
    assert [a.status for a in answers] == [404, 404]
    assert answers[0].json() == answers[1].json(), "the two must look alike"
    assert banter.request("GET", path).status == 401
    with pytest.raises(Problem) as problem:
        list(banter.stream(path, eve))
    assert problem.value.response.status == 404
    for name in ("not-a-uuid", conversation.upper(), conversation + "0", "..%2f..%2fetc", "%00"):
        response = banter.request("GET", f"/v1/conversations/{name}/messages", account=alice)
        assert response.status in (400, 404), name


# ---------------------------------------------------------------- NDJSON

def test_ndjson(banter, ten):
    alice, bob, conversation = ten
    path = f"/v1/conversations/{conversation}/messages"
    lines = [json.loads(line) for line in banter.stream(f"{path}?after=4", bob)]
    assert [e["seq"] for e in lines] == list(range(5, 11))
    assert list(banter.stream(f"{path}?after=10", bob)) == []
    response = banter.request("GET", path + "?after=0", account=alice,
                              headers={"Accept": "application/x-ndjson"})
    assert response.headers["Content-Type"].startswith("application/x-ndjson")
    assert len(response.body.splitlines()) == 10
    assert response.body.endswith(b"\n")


@pytest.mark.slow  # a sanitizer keeps what was freed, so the memory says nothing there
def test_a_hundred_thousand_messages_in_constant_memory(banter):
    """70 MB flow through the bridge. First the reader stalls after one line: a bridge that collects
    the answer would now hold all of it."""
    count = 100_000
    alice, bob = banter.signup("alice"), banter.signup("bob")
    conversation = banter.data_of(
        alice, {"command": "createDirect", "user": bob.handle})["conversation"]
    insert_texts(banter, conversation, alice, count, text="repeat('x', 500) || n")
    whole_log(banter, alice, banter.group(alice, [bob]))  # warm
    pid = banter.pid("bridge")
    before = resident_kib(pid)
    peak = before
    lines = banter.stream(f"/v1/conversations/{conversation}/messages?after=0", alice, timeout=120)
    expected, size = 1, 0
    for line in lines:
        if expected == 1:
            wait_until_steady(pid)
        if expected % 2000 == 1:
            peak = max(peak, resident_kib(pid))
        entry = json.loads(line)
        assert entry["seq"] == expected
        assert entry["text"] == "x" * 500 + str(expected)
        expected += 1
        size += len(line)
    assert expected == count + 1
    assert size > 60_000_000
    growth = peak - before
    assert growth < 24 * 1024, f"the bridge grew by {growth} KiB while it sent {size} bytes"


def wait_until_steady(pid):
    """Until the bridge's memory has not grown for half a second."""
    last, since = resident_kib(pid), time.monotonic()
    deadline = since + 10
    while time.monotonic() - since < 0.5 and time.monotonic() < deadline:
        now = resident_kib(pid)
        if now > last + 64:
            last, since = now, time.monotonic()
        time.sleep(0.02)


def test_a_reader_that_hangs_up_costs_nothing(banter):
    alice = banter.signup("alice")
    conversation = banter.group(alice, [])
    insert_texts(banter, conversation, alice, 20_000, text="repeat('y', 500) || n")
    for _ in range(5):
        lines = banter.stream(f"/v1/conversations/{conversation}/messages?after=0", alice)
        next(lines)
        lines.close()
    assert len(whole_log(banter, alice, conversation)) == 20_001
    phone = banter.device(alice)
    assert phone.say(conversation, "still alive")["seq"] == 20_002


def test_a_long_stream_does_not_hold_up_anybody(banter):
    alice, bob = banter.signup("alice"), banter.signup("bob")
    conversation = banter.group(alice, [bob])
    insert_texts(banter, conversation, alice, 20_000, text="repeat('z', 500) || n")
    phone, other = banter.device(alice), banter.device(bob)
    lines = banter.stream(f"/v1/conversations/{conversation}/messages?after=0", alice)
    next(lines)  # and now the reader sleeps, with the stream open
    for n in range(20):
        receipt = phone.say(conversation, f"meanwhile {n}")
        other.wait_entry(conversation, seq=receipt["seq"])
    assert banter.request("GET", "/v1/conversations", account=bob).status == 200
    rest = [json.loads(line) for line in lines]
    assert [e["seq"] for e in rest[:20_000]] == list(range(2, 20_002))


# ---------------------------------------------------------------- sync

@pytest.fixture(scope="module")
def many(shared_system):
    """alice with 500 groups, five entries each, and a direct conversation."""
    alice, bob = shared_system.signup("alice"), shared_system.signup("bob")
    groups = []
    for start in range(0, 500, 100):
        responses = shared_system.control(
            alice, *[{"command": "createGroup", "title": f"Group {n}", "members": [bob.handle]}
                     for n in range(start, start + 100)])
        groups += [r["data"]["conversation"] for r in responses]
    shared_system.psql(f"""
        WITH g AS (SELECT c.id FROM banter.conversations c
                    WHERE c.created_by = (SELECT id FROM banter.users
                                           WHERE handle = '{alice.handle}')),
             i AS (INSERT INTO banter.messages (conversation, seq, sender, at, kind, id, text)
                   SELECT g.id, n, u.id, now(), 1, 'n' || n, 'text ' || n
                     FROM g, generate_series(2, 5) n,
                          (SELECT id FROM banter.users WHERE handle = '{bob.handle}') u)
        UPDATE banter.conversations c SET last_seq = 5 FROM g WHERE c.id = g.id""")
    return alice, bob, groups


def sync_http(banter, account, body=None):
    answer = banter.request("POST", "/v1/sync", body if body is not None else {}, account).ok()
    assert answer["page"] == 1 and answer["more"] is False
    return answer["conversations"]


def by_id(conversations):
    found = {c["conversation"]: c for c in conversations}
    assert len(found) == len(conversations), "a conversation came twice"
    return found


def test_sync_of_500_conversations_in_one_request(banter, many):
    alice, bob, groups = many
    found = by_id(sync_http(banter, bob))
    assert set(found) == set(groups)
    for number, group in enumerate(groups):
        head = found[group]
        assert (head["kind"], head["title"], head["role"], head["last_seq"]) == (
            "group", f"Group {number}", "member", 5)
        assert [e["seq"] for e in head["entries"]] == [1, 2, 3, 4, 5]
        assert head["more"] is False
        assert head["preview"] == head["entries"][-1]

    # A returning device: it has some of everything.
    cursors = {group: number % 7 for number, group in enumerate(groups)}
    found = by_id(sync_http(banter, alice, {"cursors": cursors, "limit": 2}))
    assert set(found) == set(groups)
    for number, group in enumerate(groups):
        after = number % 7
        assert [e["seq"] for e in found[group]["entries"]] == list(range(after + 1, 6))[:2]
        assert found[group]["more"] is (after < 3)
        assert found[group]["unread"] == 4  # bob's texts; alice has read nothing


@pytest.mark.parametrize("protocol", [MQTTv5, MQTTv311])
def test_sync_over_mqtt_says_the_same(banter, many, protocol):
    alice, _bob, groups = many
    device = banter.device(alice, "returning", protocol=protocol)
    assert device.sync() == sync_http(banter, alice)
    pages = [json.loads(m.payload) for m in device.messages if m.topic == "me/sync"]
    assert [p["page"] for p in pages] == list(range(1, len(pages) + 1))
    assert [p["more"] for p in pages] == [True] * (len(pages) - 1) + [False]
    assert max(len(m.payload) for m in device.messages) < 1 << 20
    cursors = {group: number % 7 for number, group in enumerate(groups)}
    assert device.sync(cursors, 2) == sync_http(banter, alice, {"cursors": cursors, "limit": 2})


def test_sync_goes_to_the_asking_device_alone(banter, many):
    alice, _bob, _groups = many
    asking, silent = banter.device(alice, "asking"), banter.device(alice, "silent")
    asking.sync()
    silent.control({"command": "listConversations", "limit": 1})
    assert not [m for m in silent.messages if m.topic == "me/sync"]


def test_sync_of_a_device_with_and_without_cursors(banter):
    alice, bob, eve = banter.signup("alice"), banter.signup("bob"), banter.signup("eve")
    phone = banter.device(alice)
    direct = phone.say(f"@{bob.handle}", "message 1")["conversation"]
    for n in range(2, 11):
        phone.say(direct, f"message {n}")
    group = banter.group(alice, [bob], title="Later")
    foreign = banter.group(eve, [])

    # Most recently active first; without a cursor the newest entries.
    found = sync_http(banter, bob, {"limit": 3})
    assert [c["conversation"] for c in found] == [group, direct]
    assert [e["seq"] for e in found[1]["entries"]] == [8, 9, 10]
    assert (found[1]["more"], found[1]["user"], found[1]["kind"]) == (True, alice.handle, "direct")
    assert found[1]["unread"] == 10 and "title" not in found[1]
    [_, own] = sync_http(banter, alice)
    assert own["unread"] == 0 and own["user"] == bob.handle

    # With one, the oldest after it; beyond the head is the head; foreign ones are ignored.
    for cursor, limit, seqs, more in ((0, 3, [1, 2, 3], True), (7, 3, [8, 9, 10], False),
                                      (10, 3, [], False), (999, 3, [], False),
                                      (5, 0, [], True), (10, 0, [], False)):
        body = {"cursors": {direct: cursor, foreign: 0, str(uuid.uuid4()): 5}, "limit": limit}
        found = by_id(sync_http(banter, bob, body))
        assert set(found) == {direct, group}
        assert [e["seq"] for e in found[direct]["entries"]] == seqs, body
        assert found[direct]["more"] is more, body


def test_sync_then_live_misses_nothing(banter):
    """While a returning device syncs, others go on writing."""
    alice, bob = banter.signup("alice"), banter.signup("bob")
    phone = banter.device(alice)
    direct = phone.say(f"@{bob.handle}", "message 1")["conversation"]
    ids = [phone.send(direct, f"n {n}") for n in range(500)]
    other = banter.device(bob)
    synced, more = [], True
    while more:
        [page] = other.sync({direct: len(synced)}, limit=1000)
        synced += [e["seq"] for e in page["entries"]]
        more = page["more"]
    ids += [phone.send(direct, f"m {n}") for n in range(200)]
    end = phone.receipt(ids[-1], timeout=20)["seq"]
    other.wait_entry(direct, seq=end, timeout=20)
    assert synced == list(range(1, len(synced) + 1))
    assert {*synced, *(e["seq"] for e in other.entries(direct))} == set(range(1, end + 1))


SYNC_GARBAGE = [
    b"{", b"[]", b"5", b'{"cursors":[]}', b'{"cursors":{"x":1}}', b'{"cursors":5}',
    b'{"limit":-1}', b'{"limit":1001}', b'{"limit":"x"}', b'{"limit":1.5}', b"\xff",
    b'{"cursors":{"00000000-0000-4000-8000-000000000000":-1}}',
    b'{"cursors":{"00000000-0000-4000-8000-000000000000":"1"}}',
    b'{"cursors":{"00000000-0000-4000-8000-000000000000":9223372036854775808}}']


@pytest.mark.parametrize("body", SYNC_GARBAGE, ids=range(len(SYNC_GARBAGE)))
def test_bad_sync_requests_are_refused(banter, body):
    alice = banter.signup("alice")
    phone = banter.device(alice)
    phone.publish("send/me/sync", body)
    answer = json.loads(phone.wait_message(lambda m: m.topic == "me/sync").payload)
    response = banter.request("POST", "/v1/sync", body, alice,
                              headers={"Content-Type": "application/json"})
    if b'"x":1' in body:  # a key that is no conversation may also be ignored like foreign ones
        assert response.status in (200, 400)
        return
    assert answer["error"]["code"] == "invalid"
    assert (response.status, response.json()["code"]) == (400, "invalid")


def test_an_empty_sync(banter):
    alice = banter.signup("alice")
    phone = banter.device(alice)
    assert phone.sync() == []
    assert sync_http(banter, alice) == []
    phone.publish("send/me/sync", b"")
    phone.wait_message(lambda m: sum(x.topic == "me/sync" for x in phone.messages) == 2)
    page_of_empty = json.loads([m for m in phone.messages if m.topic == "me/sync"][-1].payload)
    assert page_of_empty == {"page": 1, "more": False, "conversations": []}


def test_big_entries_make_many_pages(banter):
    """Forty texts of 300 kB: no page may pass the packet limit, and nothing is lost."""
    alice, bob = banter.signup("alice"), banter.signup("bob")
    groups = [banter.group(alice, [bob], title=f"{n}") for n in range(8)]
    for group in groups:
        insert_texts(banter, group, alice, 5, text="repeat('語', 100000)")
    device = banter.device(bob)
    found = by_id(device.sync({g: 0 for g in groups}, limit=50))
    pages = [m for m in device.messages if m.topic == "me/sync"]
    assert len(pages) > 1
    assert max(len(m.payload) for m in pages) <= 1 << 20
    for group in groups:
        seqs = [e["seq"] for e in found[group]["entries"]]
        assert seqs == list(range(1, len(seqs) + 1)) and seqs
        assert found[group]["more"] is (len(seqs) < 6)
        assert len(found[group]["preview"].get("text", "")) <= 101
    whole = sync_http(banter, bob, {"cursors": {g: 0 for g in groups}})
    assert len(whole) == 8


def test_replay_survives_a_restart_of_postgres(banter, ten):
    """The read pool reconnects by itself."""
    alice, _bob, conversation = ten
    crash_postgres(banter)
    wait_until(lambda: banter.request("GET", f"/v1/conversations/{conversation}/messages",
                                      account=alice).status == 200, 20, "history")
    log = whole_log(banter, alice, conversation)
    assert_dense(log)
    assert len(log) == 10
    banter.wait_ready()
