# SPDX-License-Identifier: MIT
"""Changes of members while PostgreSQL ends connections in the middle of them and crashes: what the
plugin believes must be what is stored, although the bridge cannot always know what was committed.
"""
import contextlib
import os
import random
import signal
import threading
import time

from support import Timeout, wait_until

from test_sql_commands import Sql

KILL_POOL = ("SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
             "WHERE application_name LIKE 'banter-pool/%'")


class Nuisance:
    """Ends the pool's connections every few milliseconds, and PostgreSQL itself now and then."""

    def __init__(self, banter, crashes):
        self._banter, self._crashes, self.rounds = banter, crashes, 0
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stopping.set()
        self._thread.join()

    def _run(self):
        chance = random.Random(7)
        while not self._stopping.wait(chance.uniform(0.0, 0.15)):
            try:
                self._banter.psql(KILL_POOL)
                self.rounds += 1
            except RuntimeError:
                continue  # it is just starting again
            if self._crashes and self.rounds % 25 == 0:
                self._crashes -= 1
                self._banter.wait_restarted("postgres", self._banter.kill("postgres"))


def change(banter, actor, command):
    """Asks until the answer is certain; returns its error's code, or "ok"."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        response = banter.request("POST", "/v1/control", {"commands": [command]}, actor)
        if response.status == 200:
            code = response.json()["responses"][0].get("error", {}).get("code", "ok")
            if code != "unavailable":
                return code
        time.sleep(0.02)
    raise AssertionError(f"{command['command']} was never answered with certainty")


def a_commit_waits(banter):
    """Tries one. The setting takes effect later than it can be read: backends go by what another
    process makes of it."""
    probe = threading.Thread(target=banter.psql,
                             args=("SELECT pg_logical_emit_message(true, 'probe', '')",))
    probe.start()
    waited = False
    while probe.is_alive() and not waited:
        waited = bool(banter.psql("SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE "
                                  "wait_event = 'SyncRep' AND query LIKE '%(true, ''probe''%'"))
    probe.join()
    return waited


def commits_wait(banter, waiting):
    """While true, a commit is durable but not answered: it waits for a replica that never comes."""
    name = "nobody" if waiting else ""
    with open(banter.data / "postgres.conf", "a", encoding="utf-8") as settings:
        settings.write(f"synchronous_standby_names = '{name}'\n")
    os.kill(banter.pid("postgres"), signal.SIGHUP)
    query = f"SELECT current_setting('synchronous_standby_names') = '{name}'"
    wait_until(lambda: banter.psql(query) == [["t"]], 10, "the setting to be taken")
    if waiting:
        wait_until(lambda: a_commit_waits(banter), 10, "commits to wait")


def commit_without_answer(banter, actor, command, function):
    """The command, which calls that function, is committed, but its connection ends before the
    bridge can know. Others wait too: the bridge itself writes when users were seen."""
    commits_wait(banter, True)
    answers = []
    asking = threading.Thread(target=lambda: answers.extend(banter.control(actor, command)))
    asking.start()
    [[pid]] = wait_until(lambda: banter.psql(
        "SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep' "
        f"AND application_name LIKE 'banter-pool/%' AND query LIKE '%banter.{function}(%'"),
                         10, "the commit of the command to wait")
    banter.psql(f"SELECT pg_terminate_backend({pid})")
    asking.join()
    commits_wait(banter, False)
    assert answers[0]["error"]["code"] == "unavailable"


def test_a_change_of_unknown_outcome_is_found_out(fresh_banter):
    banter = fresh_banter
    alice, bob = banter.signup("alice"), banter.signup("bob")
    group = banter.group(alice, [bob])
    phone, other = banter.device(alice), banter.device(bob)
    remove = {"command": "removeMember", "conversation": group, "user": bob.handle}
    add = {"command": "addMembers", "conversation": group, "members": [bob.handle]}

    def heard():
        return [e["seq"] for e in other.entries(group)]

    def say(text):
        return phone.receipt(phone.send(group, text), timeout=60)["seq"]

    commit_without_answer(banter, alice, remove, "remove_member")
    assert change(banter, alice, remove) == "not_found"
    secret = say("not for bob")
    time.sleep(0.5)
    assert secret not in heard()

    commit_without_answer(banter, alice, add, "add_members")
    assert change(banter, alice, add) == "ok"
    banter.wait_ready()
    time.sleep(1)  # everybody is attached again
    public = say("for bob too")
    wait_until(lambda: public in heard(), 10, "what was said to bob, who is in again")
    assert secret not in heard()
    assert Sql(banter.postgres_dsn).broken() == ""


def test_the_plugin_believes_what_is_stored(fresh_banter):
    banter = fresh_banter
    alice, bob = banter.signup("alice"), banter.signup("bob")
    group = banter.group(alice, [bob])
    phone, other = banter.device(alice), banter.device(bob)
    remove = {"command": "removeMember", "conversation": group, "user": bob.handle}
    add = {"command": "addMembers", "conversation": group, "members": [bob.handle]}

    def say(text):
        return phone.receipt(phone.send(group, text), timeout=60)["seq"]

    def heard():
        return [e["seq"] for e in other.entries(group)]

    def reaches_bob(seq):
        with contextlib.suppress(Timeout):
            return wait_until(lambda: seq in heard(), 1, "one message")

    # Bob hears nothing while he is out. Once he is back he may get it after all: it is in his
    # history again, and a gap that the lost link left is filled with it.
    with Nuisance(banter, crashes=2) as nuisance:
        while nuisance.rounds < 50:
            assert change(banter, alice, remove) in ("ok", "not_found")
            secret = say("not for bob")
            time.sleep(0.01)
            assert secret not in heard()
            assert change(banter, alice, add) == "ok"
            say("for bob too")

    # In the calm that follows, who is in hears everything and who is out hears nothing. First the
    # plugin has to hear who is in: what is said until then Bob gets with the sync for which "added"
    # asks.
    banter.wait_ready()
    wait_until(lambda: reaches_bob(say("for bob too")), 30, "Bob to be known as a member again")
    changes = [e["event"] for e in other.events() if e.get("conversation") == group]
    assert changes[-1] == "added"
    public = [say("for bob too") for _ in range(5)]
    wait_until(lambda: public[-1] in heard(), 30, "what was said after the faults")
    assert change(banter, alice, remove) == "ok"
    secret = say("not for bob")
    time.sleep(0.5)
    assert secret not in heard()
    assert heard() == sorted(set(heard())) and set(public) <= set(heard())
    assert Sql(banter.postgres_dsn).broken() == ""
