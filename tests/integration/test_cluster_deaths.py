# SPDX-License-Identifier: MIT
"""Bridges and whole nodes die, and nobody misses a message."""
import concurrent.futures
import os
import signal
import threading
import time

import pytest

from support import Cluster, wait_until
from support.lifetime import kept
from support.cluster import GRACE_MS
from support.cluster_faults import (
    Chatter, assert_whole, group, kill_node, nodes, pair, states)

from test_membership_faults import commits_wait

__all__ = ["group", "nodes", "pair"]

pytestmark = pytest.mark.cluster

WAITING = ("SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep' "
           "AND application_name LIKE 'banter-pool/b/%' AND query LIKE '%banter.remove_member(%'")


@pytest.fixture(scope="module")
def shared_cluster():
    yield from kept(Cluster(("a", "b", "c")))


def test_a_bridge_dies(nodes, pair, group):
    alice, bob = pair
    count = 0
    for victim in (0, 1):
        chatter = Chatter(alice, group, start=count)
        time.sleep(0.2)
        old = nodes[victim].kill("bridge")
        nodes[victim].wait_restarted("bridge", old)
        time.sleep(0.3)
        count = chatter.stop()
    assert_whole(bob, group, count, timeout=15)


def remove_and_add(node, desk, conversation, carol):
    """Carol hears nothing of what is said between the two."""
    command = {"conversation": conversation, "user": carol.account.handle}
    [answer] = node.control(desk.account, {"command": "removeMember", **command})
    assert "error" not in answer
    secret = desk.say(conversation, "secret")["seq"]
    node.data_of(desk.account, {"command": "addMembers", "conversation": conversation,
                                "members": [carol.account.handle]})
    carol.wait_entry(conversation, seq=desk.say(conversation, "for carol too")["seq"], timeout=20)
    assert secret not in [e["seq"] for e in carol.entries(conversation)]


def test_a_node_comes_back_while_others_talk(nodes, pair, group):
    """What they told between its first look at the database and its first word reaches it too: who
    lacks one bulletin applies none that follows, and a removal would be nothing to it."""
    alice, bob = pair
    desk, carol = nodes[0].device(alice.account, "desk"), nodes[2].device(nodes[2].signup("carol"))
    other = nodes[0].group(alice.account, [bob.account, carol.account])
    chatters = [Chatter(device, group, pause=0.05) for device in pair]
    for _ in range(2):
        nodes[2].stop("bridge")
        wait_until(lambda: all(nodes.metric(nodes[n], "banter_cluster_nodes") == 2 for n in (0, 1)),
                   30, "it has left")
        nodes[2].start("bridge")
        nodes.wait_ready()
        for node in nodes[0], nodes[1]:
            remove_and_add(node, desk, other, carol)
    for chatter in chatters:
        chatter.stop()
    if not any("has lost its lease" in node.log("bridge") for node in nodes):
        assert nodes.metric(nodes[2], "banter_cluster_reconciled_total") == 0, "nothing was missing"


def see_it_die(nodes, alice, bob, group):
    """Its users are offline after the grace time, and can go on at another one at once."""
    began = time.monotonic()
    alice.say(group, "0")
    wait_until(lambda: states(alice, bob.account)[-1] == "offline", 10, "bob offline")
    assert time.monotonic() - began < 5 + GRACE_MS / 1000
    moved = nodes[0].device(bob.account, "phone")
    assert time.monotonic() - began < 10
    alice.say(group, "1")
    moved.wait_entry(group, text="1")
    wait_until(lambda: states(alice, bob.account)[-1] == "online", 5, "bob online again")


def remove(nodes, alice, conversation, account):
    """Returns how long it took to be confirmed."""
    began = time.monotonic()
    nodes[0].data_of(alice.account, {"command": "removeMember", "conversation": conversation,
                                     "user": account.handle})
    return time.monotonic() - began


def test_one_node_dies_and_one_has_no_lease(nodes, pair, group):
    """A node that cannot reach the database for longer than its lease is waited for no more, and
    what Redis brings it stays with it until it is back. Meanwhile another one dies."""
    alice, bob = pair
    alice.subscribe(f"presence/{bob.account.handle}")
    wait_until(lambda: states(alice, bob.account)[-1:] == ["online"], 5, "bob online")
    carol = nodes[2].device(nodes[2].signup("carol"))
    other = nodes[0].group(alice.account, [carol.account])
    carol.wait_entry(other, seq=1)
    pid = nodes[2].pid("bridge")
    os.kill(pid, signal.SIGSTOP)
    try:
        kill_node(nodes[1])
        with concurrent.futures.ThreadPoolExecutor() as pool:
            removal = pool.submit(remove, nodes, alice, other, carol.account)
            see_it_die(nodes, alice, bob, group)
            assert 3 < removal.result() < 10, "confirmed without that node"
        for number in range(20):
            alice.say(other, f"secret {number}")
        wait_until(lambda: nodes.metric(nodes[0], "banter_cluster_nodes") == 1, 10, "forgotten")
    finally:
        os.kill(pid, signal.SIGCONT)
    nodes[1].up()
    carol.wait_message(lambda m: m.topic == "me/event" and b"removed" in m.payload, timeout=10)
    time.sleep(0.5)
    assert "secret" not in str(carol.entries(other))
    nodes.wait_ready()
    again = nodes[1].device(bob.account, "tablet")
    answer = alice.say(f"@{bob.account.handle}", "welcome back")
    again.wait_entry(answer["conversation"], seq=answer["seq"])


class Removing(threading.Thread):
    """Asks node b for a removal; `answer` stays None if the bridge dies first."""

    def __init__(self, nodes, alice, command):
        super().__init__(daemon=True)
        self._ask = lambda: nodes[1].control(alice.account, command)[0]
        self.answer = None
        self.start()

    def run(self):
        try:
            self.answer = self._ask()
        except OSError:
            pass


def commit_unheard(nodes, alice, command, die):
    """The command is committed at node b, which does not hear so."""
    commits_wait(nodes[0], True)
    try:
        asking = Removing(nodes, alice, command)
        [[pid]] = wait_until(lambda: nodes[0].psql(WAITING), 30, "the removal's commit to wait")
        if die:
            nodes[1].kill("bridge")
        nodes[0].psql(f"SELECT pg_terminate_backend({pid})")
    finally:
        commits_wait(nodes[0], False)
    asking.join()
    return asking.answer


@pytest.mark.parametrize("fault", ["lost", "lost, no redis", "died, no redis"])
def test_a_removal_that_its_bridge_did_not_hear_of(nodes, pair, group, fault):
    alice, bob = pair
    eve = nodes[0].device(nodes[0].signup("eve"))
    nodes[0].data_of(alice.account, {"command": "addMembers", "conversation": group,
                                     "members": [eve.account.handle]})
    eve.wait_entry(group, seq=bob.say(group, "for eve too")["seq"])
    if "no redis" in fault:
        nodes.redis.kill()
    answer = commit_unheard(nodes, alice, {"command": "removeMember", "conversation": group,
                                           "user": eve.account.handle}, "died" in fault)
    assert answer is None or answer["error"]["code"] == "unavailable"
    eve.wait_message(lambda m: m.topic == "me/event" and b'"removed"' in m.payload, timeout=30)
    secret = alice.say(group, "not for eve", timeout=30)["seq"]
    refused = eve.receipt(eve.send(group, "but"), timeout=30)
    assert refused["error"]["code"] == "not_found"
    assert secret not in [e["seq"] for e in eve.entries(group)]
    if "no redis" in fault:
        nodes.redis.start()
