# SPDX-License-Identifier: MIT
"""Channels, roles, titles and the end of a conversation, through both doors, with what each member
hears of it."""
import uuid

import pytest

from support import wait_until
from support.account import unique_handle
from support.life import ask, code, data, event_of, flush, invariants, roles  # noqa: F401

# ---------------------------------------------------------------- channels

def test_the_life_of_a_channel(banter, ask):
    alice, bob, eve = (banter.signup(name) for name in ("alice", "bob", "eve"))
    phone = {who.handle: banter.device(who) for who in (alice, bob, eve)}
    name = unique_handle("news")
    channel = data(ask(alice, "createChannel", title="News", name=name,
                       public=True))["conversation"]
    assert event_of(phone[alice.handle], channel, "added") == {
        "event": "added", "conversation": channel, "kind": "channel", "role": "owner"}
    created = phone[alice.handle].wait_entry(channel, seq=1)
    assert (created["kind"], created["title"], created["members"]) == ("created", "News", [])
    head = data(ask(alice, "getConversation", conversation=channel))
    assert (head["name"], head["public"], head["posting"], head["member_count"]) == (
        name, True, "admins", 1)
    assert head["limits"] == {"members": 1000000, "text_characters": 100000, "typing": False,
                              "presence": False, "cursors": False}

    joined = data(ask(bob, "join", name=name))
    assert joined == {"conversation": channel, "role": "reader", "last_seq": 1}
    assert event_of(phone[bob.handle], channel, "added")["role"] == "reader"
    assert data(ask(bob, "join", name=name)) == joined
    assert data(ask(eve, "join", conversation=channel))["role"] == "reader"
    assert data(ask(alice, "getConversation", conversation=channel))["member_count"] == 3

    assert phone[alice.handle].say(channel, "first")["seq"] == 2
    for who in (bob, eve):
        assert phone[who.handle].wait_entry(channel, text="first")["seq"] == 2
    refused = phone[bob.handle].receipt(phone[bob.handle].send(channel, "me too"))
    assert refused["error"]["code"] == "forbidden"

    assert data(ask(bob, "leave", conversation=channel)) == {"conversation": channel}
    event_of(phone[bob.handle], channel, "removed")
    assert code(ask(bob, "leave", conversation=channel)) == "not_found"
    assert phone[alice.handle].say(channel, "second")["seq"] == 3
    phone[eve.handle].wait_entry(channel, text="second")
    flush(phone[bob.handle])
    assert [e["seq"] for e in phone[bob.handle].entries(channel)] == [2]
    assert code(ask(bob, "getConversation", conversation=channel)) == "not_found"
    # Joins and leaves are no entries.
    assert [e["kind"] for e in banter.history(alice, channel)] == ["created", "text", "text"]
    assert data(ask(alice, "getConversation", conversation=channel))["member_count"] == 2


def test_posting_all_and_its_change(banter, ask):
    alice, bob, eve = (banter.signup(name) for name in ("alice", "bob", "eve"))
    channel = data(ask(alice, "createChannel", title="Talk", public=True,
                       posting="all"))["conversation"]
    assert data(ask(bob, "join", conversation=channel))["role"] == "member"
    phone = banter.device(bob)
    assert phone.say(channel, "hello")["seq"] == 2
    data(ask(alice, "modifyConversation", conversation=channel, posting="admins"))
    assert event_of(phone, channel, "role_changed")["role"] == "reader"
    assert phone.receipt(phone.send(channel, "again"))["error"]["code"] == "forbidden"
    assert data(ask(eve, "join", conversation=channel))["role"] == "reader"
    modified = banter.history(alice, channel)[-1]
    assert (modified["kind"], modified["posting"]) == ("modified", "admins")
    wait_until(lambda: not banter.psql(
        f"SELECT FROM banter.chores WHERE conversation = '{channel}'"), 10, "the chore")
    assert roles(banter, alice, channel) == {
        alice.handle: "owner", bob.handle: "reader", eve.handle: "reader"}


def test_private_channels_and_names(banter, ask):
    alice, bob = banter.signup("alice"), banter.signup("bob")
    name = unique_handle("club")
    channel = data(ask(alice, "createChannel", title="Club", name=name))["conversation"]
    assert code(ask(bob, "join", name=name)) == "not_found"
    assert code(ask(bob, "join", conversation=channel)) == "not_found"
    assert code(ask(bob, "createChannel", title="Mine", name=name)) == "conflict"
    other = data(ask(bob, "createChannel", title="Mine"))["conversation"]
    assert code(ask(bob, "modifyConversation", conversation=other, name=name)) == "conflict"
    data(ask(alice, "modifyConversation", conversation=channel, public=True))
    assert data(ask(bob, "join", name=name))["conversation"] == channel
    data(ask(alice, "modifyConversation", conversation=channel, name=None))
    assert code(ask(bob, "join", name=name)) == "not_found"
    data(ask(bob, "modifyConversation", conversation=other, name=name))
    # A deleted channel keeps its name.
    data(ask(bob, "deleteConversation", conversation=other))
    assert code(ask(alice, "modifyConversation", conversation=channel, name=name)) == "conflict"
    assert [e["kind"] for e in banter.history(alice, channel)] == [
        "created", "modified", "modified"]


def test_admins_add_to_and_remove_from_channels(banter, ask):
    alice, bob, eve = (banter.signup(name) for name in ("alice", "bob", "eve"))
    channel = data(ask(alice, "createChannel", title="News"))["conversation"]
    phone = banter.device(bob)
    added = data(ask(alice, "addMembers", conversation=channel, members=[bob.handle, eve.handle]))
    assert sorted(added["added"]) == sorted([bob.handle, eve.handle])
    event_of(phone, channel, "added")
    assert code(ask(bob, "removeMember", conversation=channel, user=eve.handle)) == "forbidden"
    data(ask(alice, "removeMember", conversation=channel, user=bob.handle))
    event_of(phone, channel, "removed")
    assert roles(banter, alice, channel) == {alice.handle: "owner", eve.handle: "reader"}
    assert banter.data_of(alice, {"command": "getConversation",
                                  "conversation": channel})["member_count"] == 2


def test_the_last_owner_of_a_channel(banter, ask):
    alice, bob, eve = (banter.signup(name) for name in ("alice", "bob", "eve"))
    channel = data(ask(alice, "createChannel", title="News", public=True))["conversation"]
    for who in (bob, eve):
        data(ask(who, "join", conversation=channel))
    assert code(ask(alice, "leave", conversation=channel)) == "forbidden"
    data(ask(alice, "setRole", conversation=channel, user=eve.handle, role="admin"))
    phone = banter.device(eve)
    data(ask(alice, "leave", conversation=channel))
    assert event_of(phone, channel, "role_changed")["role"] == "owner"
    last = banter.history(eve, channel)[-1]
    assert (last["kind"], last["from"], last["user"], last["role"]) == (
        "role_changed", alice.handle, eve.handle, "owner")
    assert roles(banter, eve, channel) == {bob.handle: "reader", eve.handle: "owner"}


COST = ("SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0) + n_tup_ins + n_tup_upd + n_tup_del)"
        " FROM pg_stat_xact_all_tables WHERE schemaname = 'banter'")


def test_joining_a_large_channel_costs_what_a_small_one_costs(banter):
    """Rows looked at and changed, in all tables, by one join and one leave. Tables of a page or
    two, such as the list of channels, are read whole for want of anything cheaper: not here, or
    the count would depend on what other tests have made."""
    alice, bob = banter.signup("alice"), banter.signup("bob")
    channels = {}
    for size in (10, 100_000):
        channel = banter.data_of(alice, {"command": "createChannel", "title": "Large",
                                         "public": True})["conversation"]
        banter.psql(
            "WITH made AS (INSERT INTO banter.users (handle) SELECT "
            f"substr(md5(i || '{channel}'), 1, 24) FROM generate_series(2, {size}) i RETURNING id)"
            " INSERT INTO banter.members (conversation, user_id, role) "
            f"SELECT '{channel}', id, 1 FROM made; UPDATE banter.channels SET member_count = {size}"
            f" WHERE conversation = '{channel}'; ANALYZE banter.members; ANALYZE banter.users")
        channels[size] = channel
    [[uid]] = banter.psql(f"SELECT id FROM banter.users WHERE handle = '{bob.handle}'")
    costs = {}
    for size, channel in channels.items():
        script = [f"SELECT * FROM banter.join_conversation({uid}, '{channel}', NULL, 100)",
                  f"SELECT * FROM banter.leave({uid}, '{channel}')"]
        costs[size] = []
        for statement in script:
            rows = banter.psql("BEGIN; SET LOCAL enable_seqscan = off;"
                               f" {COST}; {statement}; {COST}; COMMIT")
            numbers = [int(row[0]) for row in rows if len(row) == 1]
            costs[size].append(numbers[-1] - numbers[0])
    assert costs[10] == costs[100_000], costs
    assert max(costs[10]) < 60, costs
    # And so does posting: nothing depends on who else is there.
    device = banter.device(bob)
    large = channels[100_000]
    assert banter.data_of(bob, {"command": "join", "conversation": large})["role"] == "reader"
    phone = banter.device(alice)
    assert phone.say(large, "to all")["seq"] == 2
    device.wait_entry(large, text="to all")
    assert banter.data_of(alice, {"command": "getConversation",
                                  "conversation": large})["member_count"] == 100_001
    page = banter.data_of(bob, {"command": "listMembers", "conversation": large, "limit": 3})
    assert len(page["members"]) == 3 and page["more"]
    # The end of it is one frame, and what it held goes in slices.
    banter.data_of(alice, {"command": "deleteConversation", "conversation": large})
    event_of(device, large, "removed")
    wait_until(lambda: banter.psql(f"SELECT count(*) FROM banter.members WHERE conversation = "
                                   f"'{large}'") == [["0"]], 60, "all memberships gone")


# ---------------------------------------------------------------- roles and titles

def test_roles(banter, ask):
    alice, bob, eve, dan = (banter.signup(name) for name in ("alice", "bob", "eve", "dan"))
    group = banter.group(alice, [bob, eve])
    phone = banter.device(bob)

    def set_role(who, user, role):
        return ask(who, "setRole", conversation=group, user=user.handle, role=role)

    assert data(set_role(alice, bob, "reader")) == {"conversation": group}
    assert event_of(phone, group, "role_changed")["role"] == "reader"
    changed = phone.wait_entry(group, kind="role_changed")
    assert (changed["from"], changed["user"], changed["role"]) == (
        alice.handle, bob.handle, "reader")
    assert phone.receipt(phone.send(group, "may I?"))["error"]["code"] == "forbidden"
    data(set_role(alice, bob, "reader"))  # again: nothing
    data(set_role(alice, bob, "admin"))
    assert phone.say(group, "now I may")["seq"] == 4
    data(set_role(bob, eve, "reader"))
    data(set_role(bob, eve, "member"))
    cases = [
        (bob, eve, "admin", "forbidden"), (bob, alice, "member", "forbidden"),
        (bob, eve, "owner", "forbidden"), (eve, bob, "member", "forbidden"),
        (alice, alice, "admin", "forbidden"), (alice, dan, "member", "not_found"),
        (dan, bob, "member", "not_found"), (alice, bob, "none", "invalid"),
        (alice, bob, 7, "invalid"),
    ]
    for who, user, role, expected in cases:
        assert code(set_role(who, user, role)) == expected, (who, user, role)
    direct = banter.data_of(alice, {"command": "createDirect", "user": bob.handle})["conversation"]
    assert code(ask(alice, "setRole", conversation=direct, user=bob.handle,
                    role="reader")) == "forbidden"
    data(set_role(bob, bob, "member"))  # steps down
    data(set_role(alice, eve, "owner"))
    data(set_role(alice, alice, "member"))
    assert code(set_role(alice, eve, "member")) == "forbidden"
    assert roles(banter, alice, group) == {
        alice.handle: "member", bob.handle: "member", eve.handle: "owner"}
    kinds = [e["kind"] for e in banter.history(alice, group)]
    assert kinds == ["created", "role_changed", "role_changed", "text"] + ["role_changed"] * 5


def test_titles(banter, ask):
    alice, bob, eve = (banter.signup(name) for name in ("alice", "bob", "eve"))
    group = banter.group(alice, [bob])
    phone = banter.device(bob)
    title = 'Crew "7" \\ \U0001F600'
    data(ask(alice, "modifyConversation", conversation=group, title=title))
    assert phone.wait_entry(group, seq=2)["title"] == title
    data(ask(alice, "modifyConversation", conversation=group, title=title))
    data(ask(alice, "modifyConversation", conversation=group))
    assert data(ask(bob, "getConversation", conversation=group))["title"] == title
    data(ask(alice, "modifyConversation", conversation=group, title=None))
    assert phone.wait_entry(group, seq=3)["title"] is None
    assert "title" not in data(ask(bob, "getConversation", conversation=group))
    cases = [
        (bob, {"conversation": group, "title": "x"}, "forbidden"),
        (eve, {"conversation": group, "title": "x"}, "not_found"),
        (alice, {"conversation": group, "title": ""}, "invalid"),
        (alice, {"conversation": group, "title": "t" * 129}, "too_large"),
        (alice, {"conversation": group, "posting": "all"}, "invalid"),
        (alice, {"conversation": group, "public": True}, "invalid"),
        (alice, {"conversation": group, "name": "some-name"}, "invalid"),
        (alice, {"conversation": str(uuid.uuid4()), "title": "x"}, "not_found"),
    ]
    for who, arguments, expected in cases:
        assert code(ask(who, "modifyConversation", **arguments)) == expected, arguments
    direct = banter.data_of(alice, {"command": "createDirect", "user": bob.handle})["conversation"]
    assert code(ask(alice, "modifyConversation", conversation=direct, title="x")) == "forbidden"
    assert len(banter.history(alice, group)) == 3


# ---------------------------------------------------------------- the end

@pytest.mark.parametrize("kind", ["group", "channel"])
def test_delete(banter, ask, kind):
    alice, bob, eve = (banter.signup(name) for name in ("alice", "bob", "eve"))
    phones = {who.handle: banter.device(who) for who in (alice, bob, eve)}
    if kind == "group":
        conversation = banter.group(alice, [bob, eve])
    else:
        conversation = data(ask(alice, "createChannel", title="News", public=True))["conversation"]
        for who in (bob, eve):
            data(ask(who, "join", conversation=conversation))
    draft, seq = (phones[alice.handle].say(conversation, "a secret")[key] for key in ("id", "seq"))
    phones[alice.handle].say(conversation, None, kind="reaction", target=seq, emoji="\U0001F44D")
    phones[alice.handle].say(conversation, "still a secret", kind="edit", target=seq)
    invite = data(ask(alice, "createInvite", conversation=conversation))["invite"]
    assert code(ask(bob, "deleteConversation", conversation=conversation)) == "forbidden"
    assert data(ask(alice, "deleteConversation", conversation=conversation)) == {
        "conversation": conversation}
    for phone in phones.values():
        event_of(phone, conversation, "removed")
        refused = phone.receipt(phone.send(conversation, "still there?"))
        assert refused["error"]["code"] == "not_found"
        assert conversation not in {c["conversation"] for c in phone.sync()}
    for command in ("deleteConversation", "leave", "getConversation", "listMembers", "join",
                    "createInvite"):
        assert code(ask(alice, command, conversation=conversation)) == "not_found", command
    assert code(ask(alice, "mute", conversation=conversation, until=None)) == "not_found"
    assert code(ask(eve, "join", invite=invite)) == "not_found"
    assert banter.request("GET", f"/v1/conversations/{conversation}/messages",
                          account=alice).status == 404
    again = banter.request("POST", f"/v1/conversations/{conversation}/messages",
                           {"id": draft, "text": "a secret"}, alice)
    assert again.status == 404
    wait_until(lambda: banter.psql(
        f"SELECT (SELECT count(*) FROM banter.messages WHERE conversation = '{conversation}')"
        f"     + (SELECT count(*) FROM banter.members WHERE conversation = '{conversation}')"
        f"     + (SELECT count(*) FROM banter.edits WHERE conversation = '{conversation}')"
        f"     + (SELECT count(*) FROM banter.reactors WHERE conversation = '{conversation}')"
        f"     + (SELECT count(*) FROM banter.reactions WHERE conversation = '{conversation}')"
        f"     + (SELECT count(*) FROM banter.search WHERE conversation = '{conversation}')"
    ) == [["0"]], 20, "erasure")
    # A new connection is not told of it either.
    assert conversation not in {c["conversation"] for c in banter.device(bob, "new").sync()}


def test_direct_conversations_have_no_end(banter, ask):
    alice, bob = banter.signup("alice"), banter.signup("bob")
    for other in (alice, bob):
        direct = data(ask(alice, "createDirect", user=other.handle))["conversation"]
        for command in ("deleteConversation", "leave"):
            assert code(ask(alice, command, conversation=direct)) == "forbidden"


# ---------------------------------------------------------------- events

def test_events_of_groups(banter):
    alice, bob = banter.signup("alice"), banter.signup("bob")
    phone, tablet = banter.device(bob), banter.device(bob, "tablet")
    group = banter.group(alice, [bob])
    for device in (phone, tablet):
        assert event_of(device, group, "added") == {
            "event": "added", "conversation": group, "kind": "group", "role": "member"}
        device.wait_entry(group, seq=1)
        topics = [m.topic for m in device.messages]
        assert topics.index("me/event") < topics.index(f"chat/{group}")
    banter.data_of(bob, {"command": "leave", "conversation": group})
    for device in (phone, tablet):
        assert event_of(device, group, "removed") == {"event": "removed", "conversation": group}
    direct = phone.say(f"@{alice.handle}", "bye")["conversation"]
    assert event_of(tablet, direct, "added")["kind"] == "direct"


def test_events_after_the_link_was_lost(banter):
    """What changed while the plugin could not hear of it is told when it can again."""
    alice, bob = banter.signup("alice"), banter.signup("bob")
    groups = [banter.group(alice, [bob]) for _ in range(3)]
    phone = banter.device(bob)
    banter.stop("bridge")
    try:
        where = ("WHERE user_id = (SELECT id FROM banter.users WHERE handle = "
                 f"'{bob.handle}') AND conversation = ")
        banter.psql(f"DELETE FROM banter.members {where} '{groups[0]}'")
        banter.psql(f"UPDATE banter.members SET role = 3 {where} '{groups[1]}'")
    finally:
        banter.start("bridge")
        banter.wait_ready()
    event_of(phone, groups[0], "removed", 20)
    assert event_of(phone, groups[1], "role_changed", 20)["role"] == "admin"
    flush(phone)
    assert len(phone.events()) == 2
