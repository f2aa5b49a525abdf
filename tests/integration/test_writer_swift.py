# SPDX-License-Identifier: MIT
"""Drafts that the writer stores without locking their conversations first, and those for which it
reads nothing either, because it remembers: whatever comes between its reading and its writing,
nothing is stored that may not be, nor twice, nor under a seq that is taken.

A transaction of the test's own holds the row of the conversation while the writer's statement,
which has read everything by then, waits for it."""
import pytest

from support import wait_until
from support.session import Session

pytestmark = pytest.mark.once

STATEMENTS = {"swift": "WITH placed AS MATERIALIZED", "known": "WITH advanced AS"}
WARY_DRAFTS = 8  # of a writer with one batch of one draft, after anything unexpected


@pytest.fixture
def banter(make_system):
    return make_system(BANTER_BATCH_MAX=1, BANTER_BATCHES_FLYING=1)


class Scene:
    """Alice, who posts, and Bob: in a group, a channel of his, or alone. What Alice posts next goes
    the given way: swift, or as what the writer remembers of the draft before."""

    def __init__(self, system, kind, way):
        self.system, self.way = system, way
        self.alice, self.bob = system.signup("alice"), system.signup("bob")
        self.phone, self.other = system.device(self.alice), system.device(self.bob)
        rooms = {"group": self.group, "channel": self.channel, "direct": self.direct}
        self.sent = 0
        self.room = rooms[kind]()
        self.seq = 1
        self.make_ready()

    def group(self):
        return self.system.group(self.alice, [self.bob])

    def channel(self):
        room = self.system.data_of(self.bob, {
            "command": "createChannel", "title": "Talk", "public": True,
            "posting": "all"})["conversation"]
        self.system.data_of(self.alice, {"command": "join", "conversation": room})
        return room

    def direct(self):
        self.sent += 1
        return self.phone.say(f"@{self.bob.handle}", "hello")["conversation"]

    def make_ready(self):
        for n in range(WARY_DRAFTS + (self.way == "known") - self.sent):
            self.seq = self.phone.say(self.room, f"filler {n}")["seq"]

        self.sent = 0

    def meanwhile(self, *statements):
        """The receipt of a draft during whose statement these are committed."""
        with Session(self.system) as session:
            session.run("BEGIN")
            for statement in statements:
                session.run(statement)
            draft = self.phone.send(self.room, "meanwhile")
            wait_until(self.is_waiting, 2, "the writer waits for the row")
            session.run("COMMIT")
        return self.phone.receipt(draft)

    def is_waiting(self):
        return self.system.psql(
            "SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'banter-writer/%'"
            f" AND wait_event_type = 'Lock' AND query LIKE '{STATEMENTS[self.way]}%'")

    def stored(self):
        return [row[0] for row in self.system.psql(
            f"SELECT text FROM banter.messages WHERE conversation = '{self.room}'"
            f" AND seq > {self.seq} AND text IS NOT NULL ORDER BY seq")]

    def id_of(self, account):
        return f"(SELECT id FROM banter.users WHERE handle = '{account.handle}')"

    def of(self, account):
        return f"conversation = '{self.room}' AND user_id = {self.id_of(account)}"


@pytest.fixture(params=STATEMENTS)
def way(request):
    return request.param


@pytest.fixture
def scene(banter, way, request):
    return Scene(banter, getattr(request, "param", "group"), way)


@pytest.fixture
def channel(banter):
    """Of these nothing is remembered."""
    return Scene(banter, "channel", "swift")


def test_a_lock_alone_changes_nothing(scene):
    receipt = scene.meanwhile(
        f"SELECT FROM banter.conversations WHERE id = '{scene.room}' FOR NO KEY UPDATE")
    assert receipt["seq"] == scene.seq + 1
    scene.other.wait_entry(scene.room, text="meanwhile")


@pytest.mark.parametrize("scene", ["direct"], indirect=True)
def test_a_right_that_is_taken_without_an_entry(scene):
    receipt = scene.meanwhile(
        f"SELECT banter.set_block({scene.id_of(scene.bob)}, '{scene.room}',"
        f" '{scene.alice.handle}', true)")
    assert receipt["error"]["code"] == "forbidden"
    assert scene.stored() == []


def test_a_membership_that_ends_without_an_entry(channel):
    receipt = channel.meanwhile(
        f"SELECT banter.remove_member({channel.id_of(channel.bob)}, '{channel.room}',"
        f" '{channel.alice.handle}')")
    assert receipt["error"]["code"] == "not_found"
    assert channel.stored() == []


def test_a_member_who_is_removed_and_posts(scene):
    receipt = scene.meanwhile(
        "UPDATE banter.members SET role = 4 WHERE " + scene.of(scene.bob),
        f"SELECT banter.remove_member({scene.id_of(scene.bob)}, '{scene.room}',"
        f" '{scene.alice.handle}')")
    assert receipt["error"]["code"] == "not_found"
    assert scene.stored() == []


def test_who_leaves_a_channel_posts_no_more(channel):
    """Which leaves no trace, so that nothing may be remembered."""
    for n in range(3):
        channel.phone.say(channel.room, f"more {n}")
    channel.system.psql(
        f"SELECT banter.leave_channel({channel.id_of(channel.alice)}, '{channel.room}')")
    receipt = channel.phone.receipt(channel.phone.send(channel.room, "late"))
    assert receipt["error"]["code"] == "not_found"


@pytest.mark.parametrize("change", ["leave_channel({alice}, '{room}')",
                                    "settle_roles('{room}', 100)"])
def test_who_locks_a_channel_alone_never_waits_for_its_posts(channel, change):
    """Nor can there be a deadlock with those who lock the conversation's row first."""
    call = change.format(alice=channel.id_of(channel.alice), room=channel.room)
    with Session(channel.system) as posts, Session(channel.system) as command:
        posts.lock(channel.room)
        command.run("SET lock_timeout = '2s'; BEGIN")
        command.run(f"UPDATE banter.channels SET joining_role = 1"
                    f" WHERE conversation = '{channel.room}'")
        command.run(f"INSERT INTO banter.chores (conversation, chore) VALUES ('{channel.room}', 2)")
        assert command.run(f"SELECT count(*) FROM banter.{call}") == ["1"]
        command.run("COMMIT")
        posts.run(f"SELECT FROM banter.channels WHERE conversation = '{channel.room}' FOR UPDATE")


def test_an_entry_of_somebody_else(scene):
    receipt = scene.meanwhile(
        f"SELECT banter.append_entry('{scene.room}', u.id, u.handle, 13, NULL)"
        f" FROM banter.users u WHERE u.handle = '{scene.bob.handle}'")
    assert receipt["seq"] == scene.seq + 2
    assert scene.phone.say(scene.room, "next")["seq"] == scene.seq + 3


def test_the_end_of_the_conversation(scene):
    receipt = scene.meanwhile(
        f"UPDATE banter.conversations SET deleted_at = now() WHERE id = '{scene.room}'")
    assert receipt["error"]["code"] == "not_found"
    assert scene.stored() == []


def test_a_draft_that_was_stored_before(scene):
    first = scene.phone.say(scene.room, "once", id="same")
    scene.make_ready()
    assert scene.phone.say(scene.room, "once", id="same")["seq"] == first["seq"]
    scene.make_ready()
    refused = scene.phone.receipt(scene.phone.send(scene.room, "an answer", reply_to=10**6))
    assert refused["error"]["code"] == "invalid"
    assert scene.phone.say(scene.room, "on")["seq"] == scene.seq + 1
