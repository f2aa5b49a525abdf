# SPDX-License-Identifier: MIT
"""The folded view: messages as they are now, in pages, streams and syncs; and what previews and
unread counts make of edits, deletions and reactions."""
import json
import time

import pytest

from support import wait_until
from support.log import assert_invariants, whole_log

from test_targets import Room, delete, edit, react


@pytest.fixture
def room(banter):
    yield Room(banter)
    assert_invariants(banter)


def folded(room, account=None, **query):
    return room.banter.history(account or room.accounts[0], room.id, view="folded", **query)


def page(room, **query):
    parameters = "".join(f"&{name}={value}" for name, value in query.items())
    return room.banter.request("GET", f"/v1/conversations/{room.id}/messages?view=folded"
                               + parameters, account=room.accounts[0]).ok()


def sync(room, account, **body):
    answer = room.banter.request("POST", "/v1/sync", body, account).ok()
    return next(c for c in answer["conversations"] if c["conversation"] == room.id)


def test_edits_and_reactions_come_together(room):
    alice, bob, carol = [account.handle for account in room.accounts]
    seq = room.bob.say(room.id, "helo", reply_to=1)["seq"]
    plain = room.carol.say(room.id, "untouched")["seq"]
    edit(room.bob, room.id, seq, "hello")
    edited = edit(room.bob, room.id, seq, "hello all")
    react(room.carol, room.id, seq, "👍")
    react(room.alice, room.id, seq, "🎉")
    react(room.bob, room.id, seq, "👍")
    react(room.bob, room.id, seq, "👍")  # again, as a draft of its own: one reaction
    react(room.alice, room.id, seq, "\"\\")
    react(room.alice, room.id, seq, "👎")
    react(room.alice, room.id, seq, "👎", remove=True)
    react(room.alice, room.id, seq, "x", remove=True)
    log = whole_log(room.banter, room.accounts[0], room.id)
    message = {**log[seq - 1], "text": "hello all", "edited_at": edited["at"], "reactions": {
        "👍": {"count": 2, "users": [carol, bob]},
        "🎉": {"count": 1, "users": [alice], "own": True},
        "\"\\": {"count": 1, "users": [alice], "own": True}}}
    assert log[seq - 1]["text"] == "helo"
    assert folded(room) == [log[0], message, log[plain - 1]]
    assert list(message["reactions"]) == list(folded(room)[1]["reactions"])
    theirs = folded(room, room.accounts[2])[1]["reactions"]
    assert theirs["👍"] == {"count": 2, "users": [carol, bob], "own": True}
    assert "own" not in theirs["🎉"]

    react(room.carol, room.id, seq, "👍", remove=True)
    react(room.carol, room.id, seq, "👍")
    assert folded(room)[1]["reactions"]["👍"]["users"] == [bob, carol]
    for who in (room.bob, room.carol):
        react(who, room.id, seq, "👍", remove=True)
    assert "👍" not in folded(room)[1]["reactions"]
    delete(room.bob, room.id, seq)
    gone = folded(room)[1]
    assert gone == {**{k: v for k, v in log[seq - 1].items() if k != "text"}, "deleted": True}


def test_views_and_their_names(room):
    path = f"/v1/conversations/{room.id}/messages?view="
    for view, status in (("raw", 200), ("folded", 200), ("", 400), ("flat", 400)):
        assert room.banter.request("GET", path + view, account=room.accounts[0]).status == status
    for view, status in (("raw", 200), ("folded", 200), ("flat", 400), (1, 400), (None, 400)):
        assert room.banter.request("POST", "/v1/sync", {"view": view},
                                   room.accounts[0]).status == status
    eve = room.banter.signup("eve")
    assert room.banter.request("GET", path + "folded", account=eve).status == 404


def test_pages_lead_on_in_both_directions(room):
    texts = []
    for n in range(30):
        texts.append(room.bob.say(room.id, f"text {n}")["seq"])
        for emoji in "abc"[:n % 4]:
            react(room.alice, room.id, texts[-1], emoji)
    shown = [1] + texts
    for limit in (1, 7, 50):
        seqs, after, more = [], 0, True
        while more:
            got = page(room, after=after, limit=limit)
            seqs += [e["seq"] for e in got["entries"]]
            more, after = got["more"], got.get("next")
        assert seqs == shown
        seqs, before, more = [], 10 ** 9, True
        while more:
            got = page(room, before=before, limit=limit)
            seqs = [e["seq"] for e in got["entries"]] + seqs
            more, before = got["more"], got.get("next")
        assert seqs == shown
    assert page(room, after=2 ** 63 - 1) == {"entries": [], "more": False}
    assert [e["seq"] for e in page(room)["entries"]] == shown[-50:]
    headers = {"Accept": "application/x-ndjson"}
    for query, expected in (("", shown), (f"&after={texts[3]}", texts[4:]),
                            (f"&before={texts[7]}", shown[:8]), ("&limit=5", shown[:5])):
        lines = room.banter.stream(f"/v1/conversations/{room.id}/messages?view=folded{query}",
                                   room.accounts[0], headers)
        assert [json.loads(line)["seq"] for line in lines] == expected, query


def test_a_sync_brings_what_changed_however_old(room):
    old = room.bob.say(room.id, "old")["seq"]
    other = room.bob.say(room.id, "other")["seq"]
    cursor = room.bob.say(room.id, "seen")["seq"]
    react(room.carol, room.id, old, "👍")
    new = room.bob.say(room.id, "new")["seq"]
    edit(room.bob, room.id, other, "other, edited")
    react(room.alice, room.id, old, "👍")
    last = edit(room.bob, room.id, new, "newer")["seq"]
    cursors = {room.id: cursor}

    conversation = sync(room, room.accounts[0], view="folded", cursors=cursors)
    assert [e["seq"] for e in conversation["entries"]] == [old, new, other]
    assert conversation["entries"][0]["reactions"]["👍"]["count"] == 2
    assert [e["text"] for e in conversation["entries"]] == ["old", "newer", "other, edited"]
    assert conversation["more"] is False and "next" not in conversation
    raw = sync(room, room.accounts[0], cursors=cursors)
    assert [e["seq"] for e in raw["entries"]] == list(range(cursor + 1, last + 1))
    assert conversation["last_seq"] == last

    seen, more = {}, True
    while more:  # one entry of the log at a time
        conversation = sync(room, room.accounts[0], view="folded", cursors=cursors, limit=1)
        assert len(conversation["entries"]) == 1
        seen.update({e["seq"]: e for e in conversation["entries"]})
        more, cursors[room.id] = conversation["more"], conversation.get("next")
    assert sorted(seen) == [old, other, new]
    assert room.alice.sync({room.id: cursor})  # over MQTT too, below with the view
    room.alice.publish("send/me/sync", json.dumps({"view": "folded", "limit": 3}))
    pages = room.alice.wait_message(lambda m: m.topic == "me/sync" and b'"next"' in m.payload)
    conversation = json.loads(pages.payload)["conversations"][0]
    # A new device gets the newest three of the log, and only what lies within.
    assert conversation["entries"] == [] and conversation["next"] == last - 2


def test_previews_and_unread_counts(room):
    seq = room.bob.say(room.id, "helo")["seq"]
    gone = room.bob.say(room.id, "regretted")["seq"]
    react(room.bob, room.id, seq, "👍")
    assert sync(room, room.accounts[0])["unread"] == 2
    assert sync(room, room.accounts[0])["preview"]["kind"] == "reaction"
    preview = sync(room, room.accounts[0], view="folded")["preview"]
    assert (preview["seq"], preview["text"]) == (gone, "regretted")
    delete(room.bob, room.id, gone)
    assert sync(room, room.accounts[0])["unread"] == 1
    preview = sync(room, room.accounts[0], view="folded")["preview"]
    assert preview["seq"] == gone and preview["deleted"] is True
    edit(room.bob, room.id, seq, "x" * 200)
    conversation = sync(room, room.accounts[0], view="folded", limit=0)
    assert conversation["unread"] == 1 and conversation["entries"] == []
    assert sync(room, room.accounts[0])["preview"]["text"] == "x" * 100


def test_ten_thousand_reactions_on_one_message(banter):
    room = Room(banter)
    seq = room.bob.say(room.id, "popular")["seq"]
    last = room.bob.say(room.id, "after it")["seq"]
    # The writer's own function makes what is beside the log.
    banter.psql(f"""
        SET enable_seqscan = off; SET enable_hashjoin = off; -- as the writer's session has it
        INSERT INTO banter.users (handle)
        SELECT 'fan-' || left('{room.id}', 8) || '-' || n FROM generate_series(1, 10000) n;
        INSERT INTO banter.messages (conversation, seq, sender, at, kind, id, text, target)
        SELECT '{room.id}', {last} + n, u.id, now(), 4, 'r', chr(65 + n % 26), {seq}
          FROM generate_series(1, 10000) n
          JOIN banter.users u ON u.handle = 'fan-' || left('{room.id}', 8) || '-' || n;
        UPDATE banter.conversations SET last_seq = {last} + 10000 WHERE id = '{room.id}';
        SELECT banter.fold_entries(array_agg(conversation), array_agg(sender), array_agg(id))
          FROM banter.messages WHERE conversation = '{room.id}' AND kind = 4;
    """)
    started = time.monotonic()
    newest = page(room, limit=1000)  # looks through 10,000 of the log, and finds only reactions
    assert newest == {"entries": [], "more": True, "next": last + 1}
    _created, message, after = page(room, before=newest["next"], limit=1000)["entries"]
    assert time.monotonic() - started < 2
    assert after["text"] == "after it"
    assert len(message["reactions"]) == 20
    assert sum(r["count"] for r in message["reactions"].values()) in range(7680, 7710)
    assert all(len(r["users"]) == 10 for r in message["reactions"].values())
    started = time.monotonic()
    conversation = sync(room, room.accounts[0], view="folded", cursors={room.id: last}, limit=1000)
    assert time.monotonic() - started < 2
    assert [e["seq"] for e in conversation["entries"]] == [seq]
    assert conversation["more"] and conversation["next"] == last + 1000
    lines = room.banter.stream(f"/v1/conversations/{room.id}/messages?view=folded",
                               room.accounts[0], {"Accept": "application/x-ndjson"})
    assert [json.loads(line)["seq"] for line in lines] == [1, seq, last]
    started = time.monotonic()
    react(room.bob, room.id, seq, "A")
    assert time.monotonic() - started < 2
    assert_invariants(banter)


def test_a_deleted_conversation_is_folded_no_more(banter):
    """The writer folds what it refuses, too; what was erased must not come back."""
    room = Room(banter)
    seq = room.bob.say(room.id, "gone soon")["seq"]
    react = {"kind": "reaction", "target": seq, "emoji": "👍", "id": "again"}
    room.bob.say(room.id, None, **react)
    banter.psql(f"UPDATE banter.conversations SET deleted_at = now() WHERE id = '{room.id}';"
                f"DELETE FROM banter.reactors WHERE conversation = '{room.id}'")
    refused = room.bob.send(room.id, **react)
    wait_until(lambda: len([r for r in room.bob.receipts() if r["id"] == refused]) == 2, 10,
               "the second receipt")
    left = banter.psql(f"SELECT 1 FROM banter.reactors WHERE conversation = '{room.id}'")
    # As the command that deletes does: what is left is erased.
    banter.psql(f"INSERT INTO banter.chores (conversation, chore) VALUES ('{room.id}', 1)")
    wait_until(lambda: banter.psql("SELECT 1 FROM banter.chores") == [], 20, "the erasing")
    assert room.bob.receipts()[-1]["error"]["code"] == "not_found"
    assert left == []
