# SPDX-License-Identifier: MIT
"""Several Redis, each with a part of the channels: they come and go as one."""
import json
import time

import pytest

from support import Cluster, wait_until
from support.cluster_faults import Chatter, assert_whole, group, nodes, pair
from support.lifetime import kept

COUNT = 3
GROUPS = 24
HEALS = 2  # seconds in which a hole closes, also one at the end

__all__ = ["group", "nodes", "pair"]

pytestmark = pytest.mark.cluster


@pytest.fixture(scope="module")
def shared_cluster():
    yield from kept(Cluster(redises=COUNT))


def homes(nodes, channel):
    """The Redis that somebody listens to for the channel, by number."""
    return [number for number, redis in enumerate(nodes.redises)
            if redis.command("PUBSUB", "CHANNELS", f"banter:{channel}") != "0"]


def wait_bus(nodes, value, timeout):
    wait_until(lambda: all(nodes.metric(n, "banter_bus_up") == value for n in nodes), timeout,
               f"the bus: {value}")


def test_each_has_a_part_of_the_channels(nodes, pair):
    alice, bob = pair
    groups = [alice.system.group(alice.account, [bob.account]) for _ in range(GROUPS)]
    for conversation in groups:
        alice.say(conversation, "to the other node")
        bob.wait_entry(conversation, text="to the other node")
    wait_until(lambda: all(len(homes(nodes, f"c:{c}")) == 1 for c in groups), 5, "subscriptions")
    assert {homes(nodes, f"c:{c}")[0] for c in groups} == set(range(COUNT))
    assert len(homes(nodes, "all")) == 1
    for conversation in groups:  # what is told over the bus alone
        alice.publish(f"send/{conversation}/typing", json.dumps({"state": "start"}))
        bob.wait_message(lambda m: m.topic == f"chat/{conversation}/typing", timeout=5)


def test_one_of_them_dies(nodes, pair, group):
    """Whichever it is: one that has the group's channel, the one of all nodes, and another."""
    alice, bob = pair
    chatter = Chatter(alice, group, pause=0.02)
    for redis in nodes.redises:
        redis.kill()
        wait_bus(nodes, 0, 5)
        bob.send(group, "into the dark")
        alice.wait_entry(group, text="into the dark", timeout=HEALS)
        redis.start()
        wait_bus(nodes, 1, 8)
        time.sleep(0.2)
    assert_whole(bob, group, chatter.stop())
    assert len(homes(nodes, f"c:{group}")) == 1
    for node in nodes:
        node.wait_ready(1)
