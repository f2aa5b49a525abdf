# SPDX-License-Identifier: MIT
"""Drafts that the writer stores without locking their conversations first: whatever comes between
its reading and its writing, nothing is stored that may not be, nor twice, nor under a seq that is
taken.

A transaction of the test's own holds the row of the conversation while the writer's statement,
which has read everything by then, waits for it."""
import pytest

from support import wait_until
from support.session import Session

pytestmark = pytest.mark.once

SWIFT = "WITH placed AS MATERIALIZED"
WARY_DRAFTS = 8  # of a writer with one batch of one draft, after anything unexpected


@pytest.fixture
def banter(make_system):
    return make_system(BANTER_BATCH_MAX=1, BANTER_BATCHES_FLYING=1)


class Scene:
    """Alice, who posts, and Bob, in a group; and the writer is swift."""

    def __init__(self, system):
        self.system = system
        self.alice, self.bob = system.signup("alice"), system.signup("bob")
        self.phone, self.other = system.device(self.alice), system.device(self.bob)
        self.group = system.group(self.alice, [self.bob])
        self.seq = 1
        self.make_swift()

    def make_swift(self):
        for n in range(WARY_DRAFTS + 1):
            self.seq = self.phone.say(self.group, f"filler {n}")["seq"]

    def meanwhile(self, *statements):
        """The receipt of a draft during whose statement these are committed."""
        with Session(self.system) as session:
            session.run("BEGIN")
            for statement in statements:
                session.run(statement)
            draft = self.phone.send(self.group, "meanwhile")
            wait_until(self.is_waiting, 2, "the writer waits for the row")
            session.run("COMMIT")
        return self.phone.receipt(draft)

    def is_waiting(self):
        return self.system.psql(
            "SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'banter-writer/%'"
            f" AND wait_event_type = 'Lock' AND query LIKE '{SWIFT}%'")

    def stored(self):
        return [row[0] for row in self.system.psql(
            f"SELECT text FROM banter.messages WHERE conversation = '{self.group}'"
            f" AND seq > {self.seq} ORDER BY seq")]

    def of(self, account):
        return (f"conversation = '{self.group}' AND user_id ="
                f" (SELECT id FROM banter.users WHERE handle = '{account.handle}')")


@pytest.fixture
def scene(banter):
    return Scene(banter)


def test_a_lock_alone_changes_nothing(scene):
    receipt = scene.meanwhile(
        f"SELECT FROM banter.conversations WHERE id = '{scene.group}' FOR NO KEY UPDATE")
    assert receipt["seq"] == scene.seq + 1
    scene.other.wait_entry(scene.group, text="meanwhile")


def test_a_right_that_is_taken_without_an_entry(scene):
    receipt = scene.meanwhile(f"UPDATE banter.members SET role = 1 WHERE {scene.of(scene.alice)}")
    assert receipt["error"]["code"] == "forbidden"
    assert scene.stored() == []


def test_a_membership_that_ends_without_an_entry(scene):
    receipt = scene.meanwhile(f"DELETE FROM banter.members WHERE {scene.of(scene.alice)}")
    assert receipt["error"]["code"] == "not_found"
    assert scene.stored() == []


def test_another_member_who_goes_is_no_obstacle(scene):
    receipt = scene.meanwhile(f"DELETE FROM banter.members WHERE {scene.of(scene.bob)}")
    assert receipt["seq"] == scene.seq + 1
    assert scene.stored() == ["meanwhile"]


def test_an_entry_of_somebody_else(scene):
    receipt = scene.meanwhile(
        f"SELECT banter.append_entry('{scene.group}', u.id, u.handle, 13, NULL)"
        f" FROM banter.users u WHERE u.handle = '{scene.bob.handle}'")
    assert receipt["seq"] == scene.seq + 2
    assert scene.phone.say(scene.group, "next")["seq"] == scene.seq + 3


def test_the_end_of_the_conversation(scene):
    receipt = scene.meanwhile(
        f"UPDATE banter.conversations SET deleted_at = now() WHERE id = '{scene.group}'")
    assert receipt["error"]["code"] == "not_found"
    assert scene.stored() == []


def test_a_draft_that_was_stored_before(scene):
    first = scene.phone.say(scene.group, "once", id="same")
    scene.make_swift()
    assert scene.phone.say(scene.group, "once", id="same")["seq"] == first["seq"]
    scene.make_swift()
    refused = scene.phone.receipt(scene.phone.send(scene.group, "an answer", reply_to=10**6))
    assert refused["error"]["code"] == "invalid"
    assert scene.phone.say(scene.group, "on")["seq"] == scene.seq + 1


def test_roles_that_stay_leave_no_trace(scene):
    """Cursors are written all the time."""
    row = f"SELECT rights FROM banter.conversations WHERE id = '{scene.group}'"
    before = scene.system.psql(row)
    scene.system.psql("UPDATE banter.members SET read_seq = 1, role = role"
                      f" WHERE {scene.of(scene.bob)}")
    assert scene.system.psql(row) == before
    scene.system.psql(f"UPDATE banter.members SET role = 3 WHERE {scene.of(scene.bob)}")
    assert scene.system.psql(row) != before
