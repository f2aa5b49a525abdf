# SPDX-License-Identifier: MIT
"""The functions of schema/sql/0002_commands.sql, called as the bridge calls them, and
schema/check.sql: what the commands may leave behind, also when many run at once.
"""
import concurrent.futures
import csv
import io
import pathlib
import re
import subprocess
import uuid

import pytest

from support.account import unique_handle

pytestmark = pytest.mark.once

CHECK = pathlib.Path(__file__).resolve().parents[2] / "schema" / "check.sql"
CREATED, ADDED, REMOVED, LEFT = 10, 11, 12, 13
READER, MEMBER, ADMIN, OWNER = 1, 2, 3, 4


class Refused(Exception):
    def __init__(self, state, message):
        super().__init__(f"{state}: {message}")
        self.state, self.message = state, message


class Sql:
    """The functions by name: sql.leave(actor, conversation) -> effects as dictionaries."""

    def __init__(self, dsn):
        self.dsn = dsn

    def rows(self, query):
        done = subprocess.run(
            ["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-v", "VERBOSITY=verbose", "--csv",
             "-d", self.dsn, "-c", query], text=True, capture_output=True, timeout=60, check=False)
        if done.returncode != 0:
            state, message = re.search(r"ERROR:  (\w{5}): (.*)", done.stderr).groups()
            raise Refused(state, message)
        return list(csv.DictReader(io.StringIO(done.stdout)))

    def value(self, query):
        [row] = self.rows(query)
        return next(iter(row.values()))

    def user(self, name="user"):
        handle = unique_handle(name)
        return User(int(self.value(f"INSERT INTO banter.users (handle) VALUES ('{handle}') "
                                   "RETURNING id")), handle)

    def users(self, count):
        return [self.user() for _ in range(count)]

    def call(self, function, actor, *arguments):
        listed = ", ".join(str(argument) for argument in (actor.uid, *arguments))
        return [Effect(row) for row in self.rows(f"SELECT * FROM banter.{function}({listed})")]

    def create_group(self, actor, others=(), members_max=100, title=None):
        group = uuid.uuid4()
        effects = self.call("create_group", actor, f"'{group}'", _text(title), _handles(others),
                            members_max)
        return group, effects

    def create_direct(self, actor, conversation, other):
        return self.call("create_direct", actor, f"'{conversation}'", f"'{other.handle}'")

    def add_members(self, actor, group, others, members_max=100):
        return self.call("add_members", actor, f"'{group}'", _handles(others), members_max)

    def remove_member(self, actor, group, other):
        return self.call("remove_member", actor, f"'{group}'", f"'{other.handle}'")

    def leave(self, actor, group):
        return self.call("leave", actor, f"'{group}'")

    def set_role(self, group, user, role):
        self.rows(f"UPDATE banter.members SET role = {role} "
                  f"WHERE conversation = '{group}' AND user_id = {user.uid}")

    def roles(self, group):
        return {int(row["user_id"]): int(row["role"]) for row in self.rows(
            f"SELECT user_id, role FROM banter.members WHERE conversation = '{group}'")}

    def log(self, group):
        return [(int(row["seq"]), int(row["kind"]), row["data"]) for row in self.rows(
            f"SELECT seq, kind, data FROM banter.messages WHERE conversation = '{group}' "
            "ORDER BY seq")]

    def broken(self):
        """What check.sql finds, as text."""
        return subprocess.run(["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", self.dsn,
                               "-f", CHECK], text=True, capture_output=True, timeout=120,
                              check=True).stdout


class User:
    def __init__(self, uid, handle):
        self.uid, self.handle = uid, handle


class Effect:
    """A membership (entry_kind is None) or an entry."""

    def __init__(self, row):
        number = {name: int(row[name]) if row[name] else None
                  for name in ("conversation_kind", "entry_kind", "user_id", "role", "seq")}
        self.kind, self.entry_kind = number["conversation_kind"], number["entry_kind"]
        self.uid, self.role, self.seq = number["user_id"], number["role"], number["seq"]
        self.conversation, self.handle, self.data = row["conversation"], row["handle"], row["data"]


def _text(value):
    return "NULL" if value is None else "'" + value.replace("'", "''") + "'"


def _handles(users):
    return "'{" + ",".join(getattr(user, "handle", user) for user in users) + "}'"


def memberships(effects):
    return {effect.uid: (effect.role, effect.seq) for effect in effects
            if effect.entry_kind is None}


def entry(effects):
    """The one entry, which comes last: whoever is new gets it, whoever is gone does not."""
    assert [e.entry_kind is None for e in effects] == [True] * (len(effects) - 1) + [False]
    return effects[-1]


def at_once(functions):
    """Runs them together; what each returned, or the Refused it raised."""
    def attempt(function):
        try:
            return function()
        except Refused as refused:
            return refused
    with concurrent.futures.ThreadPoolExecutor(len(functions)) as pool:
        return list(pool.map(attempt, functions))


def refused(state, function, *arguments):
    with pytest.raises(Refused) as raised:
        function(*arguments)
    assert raised.value.state == state
    return raised.value.message


@pytest.fixture
def sql(banter):
    database = Sql(banter.postgres_dsn)
    yield database
    assert database.broken() == ""


# ---------------------------------------------------------------- direct conversations

def ensure(sql, wanted):
    """wanted: (conversation, handle, handle) … -> rows by ord."""
    columns = [",".join(str(part) for part in column) for column in zip(*wanted)]
    rows = sql.rows("SELECT * FROM banter.ensure_direct('{%s}', '{%s}', '{%s}')" % tuple(columns))
    return {int(row["ord"]): (row["conversation"], int(row["uid_a"]), int(row["uid_b"]),
                              row["created"] == "t") for row in rows}


def test_ensure_direct(sql):
    ann, ben, cat = sql.users(3)
    sql.rows(f"UPDATE banter.users SET disabled_at = now() WHERE id = {cat.uid}")
    pair, self_notes, other = (str(uuid.uuid4()) for _ in range(3))
    wanted = [(pair, ann.handle, ben.handle), (other, ann.handle, "nobody-here"),
              (self_notes, ann.handle, ann.handle), (pair, ben.handle, ann.handle),
              (other, ann.handle, cat.handle)]
    assert ensure(sql, wanted) == {
        1: (pair, ann.uid, ben.uid, True), 3: (self_notes, ann.uid, ann.uid, True),
        4: (pair, ben.uid, ann.uid, False)}
    assert ensure(sql, wanted) == {
        1: (pair, ann.uid, ben.uid, False), 3: (self_notes, ann.uid, ann.uid, False),
        4: (pair, ben.uid, ann.uid, False)}
    assert sql.roles(pair) == {ann.uid: MEMBER, ben.uid: MEMBER}
    assert sql.roles(self_notes) == {ann.uid: MEMBER}
    assert sql.log(pair) == []


def test_ensure_direct_by_many_at_once(sql):
    """In opposite orders, as the batches of two writers may be: no deadlock, each made once."""
    ann, *others = sql.users(12)
    wanted = [(str(uuid.uuid4()), ann.handle, other.handle) for other in others]
    orders = [wanted, wanted[::-1]] * 4
    results = at_once([lambda order=order: ensure(sql, order) for order in orders])
    for result in results:
        assert not isinstance(result, Refused), result
        assert len(result) == len(wanted)
    made = [row[0] for result in results for row in result.values() if row[3]]
    assert sorted(made) == sorted(conversation for conversation, _, _ in wanted)


def test_create_direct(sql):
    ann, ben = sql.users(2)
    conversation = uuid.uuid4()
    effects = sql.create_direct(ann, conversation, ben)
    assert memberships(effects) == {ann.uid: (MEMBER, 0), ben.uid: (MEMBER, 0)}
    assert len(effects) == 2 and {effect.kind for effect in effects} == {1}
    assert sql.create_direct(ann, conversation, ben) == []
    assert sql.create_direct(ben, conversation, ann) == []
    nobody = User(0, "nobody-here")
    assert "nobody-here" in refused("BN004", sql.create_direct, ann, uuid.uuid4(), nobody)
    assert refused("BN003", sql.create_direct, nobody, uuid.uuid4(), ann)
    for function, arguments in ((sql.add_members, ([ann],)), (sql.remove_member, (ben,)),
                                (sql.leave, ())):
        assert "direct" in refused("BN003", function, ann, conversation, *arguments)


# ---------------------------------------------------------------- groups

def test_create_group(sql):
    ann, ben, cat = sql.users(3)
    group, effects = sql.create_group(ann, [cat, ben, ann, cat], title='Té"am\\ \U0001F600')
    made = entry(effects)
    assert memberships(effects) == {
        ann.uid: (OWNER, 0), ben.uid: (MEMBER, 0), cat.uid: (MEMBER, 0)}
    assert (made.entry_kind, made.uid, made.handle, made.seq) == (CREATED, ann.uid, ann.handle, 1)
    assert made.data == ('{"title":"Té\\"am\\\\ \U0001F600",'
                         f'"members":["{cat.handle}","{ben.handle}"]}}')
    assert sql.log(group) == [(1, CREATED, made.data)]

    _, effects = sql.create_group(ann)
    assert entry(effects).data == '{"members":[]}'
    assert memberships(effects) == {ann.uid: (OWNER, 0)}


def test_create_group_refusals_leave_nothing(sql):
    ann, ben, cat = sql.users(3)
    before = sql.value("SELECT count(*) FROM banter.conversations")
    assert "nobody-here" in refused("BN004", sql.create_group, ann, [ben, "nobody-here"])
    assert "2" in refused("BN007", sql.create_group, ann, [ben, cat], 2)
    assert sql.value("SELECT count(*) FROM banter.conversations") == before
    sql.create_group(ann, [ben, ben, ann], 2)


def test_add_members(sql):
    ann, ben, cat, dan = sql.users(4)
    group, _ = sql.create_group(ann, [ben])
    effects = sql.add_members(ann, group, [cat, ben, dan, cat])
    added = entry(effects)
    assert memberships(effects) == {cat.uid: (MEMBER, 1), dan.uid: (MEMBER, 1)}
    assert (added.entry_kind, added.seq, added.uid) == (ADDED, 2, ann.uid)
    assert added.data == f'{{"members":["{cat.handle}","{dan.handle}"]}}'
    assert sql.rows(f"SELECT joined_seq, received_seq, read_seq FROM banter.members "
                    f"WHERE user_id = {cat.uid}") == [
        {"joined_seq": "1", "received_seq": "1", "read_seq": "1"}]

    assert sql.add_members(ann, group, [ben, cat]) == []
    assert "nobody-here" in refused("BN004", sql.add_members, ann, group, [ben, "nobody-here"])
    eve = sql.user()
    refused("BN003", sql.add_members, ben, group, [eve])
    refused("BN004", sql.add_members, eve, group, [eve])
    refused("BN004", sql.add_members, ann, uuid.uuid4(), [eve])
    refused("BN007", sql.add_members, ann, group, [eve], 4)
    assert [seq for seq, _, _ in sql.log(group)] == [1, 2]
    sql.set_role(group, ben, ADMIN)
    assert entry(sql.add_members(ben, group, [eve], 5)).seq == 3


def test_remove_member(sql):
    ann, ben, cat, dan = sql.users(4)
    group, _ = sql.create_group(ann, [ben, cat, dan])
    effects = sql.remove_member(ann, group, cat)
    assert memberships(effects) == {cat.uid: (0, 2)}
    assert (entry(effects).entry_kind, entry(effects).seq) == (REMOVED, 2)
    assert entry(effects).data == f'{{"members":["{cat.handle}"]}}'

    assert cat.handle in refused("BN004", sql.remove_member, ann, group, cat)
    refused("BN004", sql.remove_member, ann, group, User(0, "nobody-here"))
    refused("BN004", sql.remove_member, cat, group, ann)
    refused("BN003", sql.remove_member, ben, group, dan)
    assert "leave" in refused("BN001", sql.remove_member, ben, group, ben)
    sql.set_role(group, ben, ADMIN)
    refused("BN003", sql.remove_member, ben, group, ann)
    sql.remove_member(ben, group, dan)
    sql.set_role(group, ben, OWNER)
    sql.remove_member(ben, group, ann)
    assert sql.roles(group) == {ben.uid: OWNER}


def test_leaving_passes_ownership_on(sql):
    ann, ben, cat, dan = sql.users(4)
    group, _ = sql.create_group(ann)
    for user in (cat, ben, dan):  # the order in which they joined, not in which they signed up
        sql.add_members(ann, group, [user])
    sql.set_role(group, dan, ADMIN)

    effects = sql.leave(ann, group)
    assert memberships(effects) == {ann.uid: (0, 5), dan.uid: (OWNER, 5)}
    assert effects[0].uid == ann.uid
    assert (entry(effects).entry_kind, entry(effects).data) == (
        LEFT, f'{{"owner":"{dan.handle}"}}')
    effects = sql.leave(dan, group)
    assert memberships(effects) == {dan.uid: (0, 6), cat.uid: (OWNER, 6)}
    effects = sql.leave(ben, group)
    assert memberships(effects) == {ben.uid: (0, 7)}
    assert entry(effects).data == ""
    assert memberships(sql.leave(cat, group)) == {cat.uid: (0, 8)}
    refused("BN004", sql.leave, cat, group)
    assert sql.roles(group) == {}
    assert [seq for seq, _, _ in sql.log(group)] == list(range(1, 9))


def test_a_second_owner_keeps_the_group(sql):
    ann, ben, cat = sql.users(3)
    group, _ = sql.create_group(ann, [ben, cat])
    sql.set_role(group, cat, OWNER)
    assert memberships(sql.leave(ann, group)) == {ann.uid: (0, 2)}
    assert sql.roles(group) == {ben.uid: MEMBER, cat.uid: OWNER}


def test_a_disabled_account_changes_nothing(sql):
    ann, ben = sql.users(2)
    group, _ = sql.create_group(ann, [ben])
    sql.rows(f"UPDATE banter.users SET disabled_at = now() WHERE id = {ann.uid}")
    for function, arguments in ((sql.add_members, ([ben],)), (sql.remove_member, (ben,)),
                                (sql.leave, ())):
        refused("BN003", function, ann, group, *arguments)
    refused("BN004", sql.create_group, ben, [ann])


# ---------------------------------------------------------------- many at once

def test_the_limit_holds_when_many_add(sql):
    ann, *others = sql.users(13)
    group, _ = sql.create_group(ann)
    results = at_once([lambda user=user: sql.add_members(ann, group, [user], 8)
                       for user in others])
    refusals = [result for result in results if isinstance(result, Refused)]
    assert {refusal.state for refusal in refusals} == {"BN007"}
    assert len(refusals) == 12 - 7
    assert len(sql.roles(group)) == 8
    assert [seq for seq, _, _ in sql.log(group)] == list(range(1, 9))


def test_everybody_leaves_at_once(sql):
    people = sql.users(10)
    group, _ = sql.create_group(people[0], people[1:])
    results = at_once([lambda user=user: sql.leave(user, group) for user in people])
    assert not [result for result in results if isinstance(result, Refused)]
    assert sorted(entry(result).seq for result in results) == list(range(2, 12))
    assert sql.roles(group) == {}


def test_owners_remove_each_other(sql):
    """One wins; the other is no longer a member, and is told so."""
    ann, ben, cat = sql.users(3)
    group, _ = sql.create_group(ann, [ben, cat])
    sql.set_role(group, ben, OWNER)
    results = at_once([lambda: sql.remove_member(ann, group, ben),
                       lambda: sql.remove_member(ben, group, ann)])
    [lost] = [result for result in results if isinstance(result, Refused)]
    assert lost.state == "BN004"
    assert sorted(sql.roles(group).values()) == [MEMBER, OWNER]


def test_add_and_remove_against_each_other(sql):
    ann, ben = sql.users(2)
    group, _ = sql.create_group(ann, [ben])
    results = at_once([
        lambda: sql.add_members(ann, group, [ben]), lambda: sql.remove_member(ann, group, ben),
    ] * 5)
    changes = sorted((entry(result) for result in results
                      if not isinstance(result, Refused) and result), key=lambda e: e.seq)
    assert [change.seq for change in changes] == list(range(2, len(changes) + 2))
    # They alternate, beginning with a removal, and the last one is what is so now.
    assert [change.entry_kind for change in changes] == [
        REMOVED if n % 2 == 0 else ADDED for n in range(len(changes))]
    assert (ben.uid in sql.roles(group)) == (changes[-1].entry_kind == ADDED)


# ---------------------------------------------------------------- the invariants themselves

BREAKAGES = [
    "UPDATE banter.conversations SET last_seq = 9 WHERE id = '{group}'",
    "DELETE FROM banter.messages WHERE conversation = '{group}' AND seq = 2",
    "UPDATE banter.messages SET seq = 7 WHERE conversation = '{group}' AND seq = 3",
    "UPDATE banter.messages SET sender = 0 WHERE conversation = '{group}' AND seq = 2",
    "UPDATE banter.messages SET text = NULL WHERE conversation = '{group}' AND seq = 3",
    "UPDATE banter.messages SET kind = 99 WHERE conversation = '{group}' AND seq = 3",
    "UPDATE banter.messages SET reply_to = 0 WHERE conversation = '{group}' AND seq = 3",
    "UPDATE banter.members SET role = 2 WHERE conversation = '{group}'",
    "UPDATE banter.members SET read_seq = 4 WHERE conversation = '{group}'",
    "INSERT INTO banter.members (conversation, user_id, role) VALUES ('{group}', 0, 2)",
    "DELETE FROM banter.conversations WHERE id = '{group}'",
    "UPDATE banter.conversations SET created_by = 0 WHERE id = '{group}'",
    "UPDATE banter.messages SET kind = 13, data = NULL WHERE conversation = '{group}' AND seq = 1",
    "DELETE FROM banter.members WHERE conversation = '{direct}'",
    "UPDATE banter.members SET role = 3 WHERE conversation = '{direct}'",
]


@pytest.mark.parametrize("breakage", BREAKAGES, ids=range(len(BREAKAGES)))
def test_the_check_notices(sql, breakage):
    ann, ben = sql.users(2)
    group, _ = sql.create_group(ann)
    sql.add_members(ann, group, [ben])
    sql.rows(f"UPDATE banter.conversations SET last_seq = 3 WHERE id = '{group}'; INSERT INTO "
             "banter.messages (conversation, seq, sender, at, kind, id, text) VALUES "
             f"('{group}', 3, {ann.uid}, now(), 1, 'a', 'hello')")
    direct = uuid.uuid4()
    sql.create_direct(ann, direct, ben)
    assert sql.broken() == ""
    script = (f"BEGIN; {breakage.format(group=group, direct=direct)};\n"
              + CHECK.read_text(encoding="utf-8") + "\nROLLBACK;")
    found = subprocess.run(["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", sql.dsn], text=True,
                           input=script, capture_output=True, timeout=60, check=True).stdout
    assert str(group) in found or str(direct) in found
