# SPDX-License-Identifier: MIT
"""Redis breaks, and nobody misses a message; and a node leaves."""
import time

import pytest

from support import Cluster, wait_until
from support.cluster_faults import Chatter, assert_whole, group, nodes, pair, states
from support.lossy import Lossy

HEALS = 2  # seconds in which a hole closes, also one at the end

__all__ = ["group", "nodes", "pair"]

pytestmark = pytest.mark.cluster


@pytest.fixture(scope="module")
def shared_cluster():
    """The second node's way to Redis is `lossy`, if a test wants it to be."""
    made = Cluster(("a",))
    made.lossy = Lossy(made.redis.port)
    made.add("b", BANTER_REDIS=f"127.0.0.1:{made.lossy.port}")
    yield made
    crashes = made.close()
    made.lossy.close()
    assert not crashes, crashes


def test_redis_dies_and_comes_back(nodes, pair, group):
    """While it is away messages take the way through the database."""
    alice, bob = pair
    chatter = Chatter(alice, group)
    time.sleep(0.3)
    nodes.redis.kill()
    time.sleep(0.5)
    began = time.monotonic()
    bob.send(group, "into the dark")
    alice.wait_entry(group, text="into the dark", timeout=HEALS)
    assert nodes.metric(nodes[1], "banter_bus_up") == 0
    for node in nodes:
        node.wait_ready(1)
    member = nodes[0].signup("carol")
    carol = nodes[1].device(member)
    nodes[0].data_of(alice.account, {"command": "addMembers", "conversation": group,
                                     "members": [member.handle]})
    carol.wait_entry(group, kind="members_added", timeout=2 * HEALS)
    nodes[0].data_of(alice.account, {"command": "removeMember", "conversation": group,
                                     "user": member.handle})
    seen = len(carol.entries(group))
    assert time.monotonic() - began < 8
    nodes.redis.start()
    wait_until(lambda: all(nodes.metric(n, "banter_bus_up") == 1 for n in nodes), 5, "the bus")
    time.sleep(0.2)
    assert_whole(bob, group, chatter.stop())
    assert len(carol.entries(group)) == seen


def test_redis_hangs(nodes, pair, group):
    alice, bob = pair
    nodes.redis.freeze()
    try:
        for number in range(5):
            alice.say(group, str(number))
        assert_whole(bob, group, 5, timeout=6)
        nodes[0].data_of(alice.account, {"command": "removeMember", "conversation": group,
                                         "user": bob.account.handle})
        alice.say(group, "secret")
    finally:
        nodes.redis.thaw()
    wait_until(lambda: all(nodes.metric(n, "banter_bus_up") == 1 for n in nodes), 8, "the bus")
    time.sleep(0.5)
    assert "secret" not in str(bob.entries(group))


def test_subscribers_are_thrown_out(nodes, pair, group):
    alice, bob = pair
    chatter = Chatter(alice, group)
    for _ in range(4):
        time.sleep(0.25)
        nodes.redis.command("CLIENT", "KILL", "TYPE", "pubsub")
    assert_whole(bob, group, chatter.stop(), timeout=2 * HEALS)


def test_messages_vanish(nodes, pair, group):
    """One in three, in silence; and some come twice."""
    alice, bob = pair
    lossy = nodes.lossy
    try:
        lossy.loss, lossy.repeat = 0.3, 0.1
        for number in range(100):
            alice.send(group, str(number))
            time.sleep(0.005)
        assert_whole(bob, group, 100, timeout=2 * HEALS)
        lossy.loss = 1.0  # the last one, and everything that could tell of it
        alice.say(group, "the end")
        bob.wait_entry(group, text="the end", timeout=HEALS)
        assert lossy.lost > 20
    finally:
        lossy.loss = lossy.repeat = 0


def test_a_node_leaves_in_order(nodes, pair, group):
    alice, bob = pair
    alice.subscribe(f"presence/{bob.account.handle}")
    wait_until(lambda: states(alice, bob.account)[-1:] == ["online"], 5, "bob online")
    nodes[1].down()
    wait_until(lambda: nodes.metric(nodes[0], "banter_cluster_nodes") == 1, 2, "it has left")
    wait_until(lambda: states(alice, bob.account)[-1] == "offline", 5, "bob offline")
    began = time.monotonic()
    nodes[0].data_of(alice.account, {"command": "removeMember", "conversation": group,
                                     "user": bob.account.handle})
    assert time.monotonic() - began < 1
    nodes[1].up()
