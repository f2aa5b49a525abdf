# SPDX-License-Identifier: MIT
"""Three nodes behind HAProxy, as docker/compose.cluster.yaml has them: people on different nodes
are as on one, a node dies, all are replaced one by one, and the replica of the database follows.
"""
import json
import time

import pytest

from support import wait_until
from stack import CLUSTER, ProxiedStack, docker
from talk import Talk

NODES = ("1", "2", "3")


class Cluster(ProxiedStack):
    def sql_of_replica(self, statement):
        return self.execute("replica", "psql", "-X", "-A", "-t", "-d", "banter",
                            "-c", statement).stdout.strip()

    def wait_all_ready(self):
        for number in NODES:
            wait_until(lambda n=number: self.execute(
                f"bridge{n}", "/usr/lib/banter/bridge/ready.sh", check=False).returncode == 0,
                60, f"node {number}", interval=0.2)

    def apart(self, *accounts):
        """A device of each account, all on different nodes: HAProxy puts a new connection where
        there are the fewest, so this takes few attempts."""
        devices, taken = [], set()
        for account in accounts:
            for attempt in range(20):
                device = self.device(account, f"phone-{attempt}")
                if node_of(device) not in taken:
                    break
            else:
                raise AssertionError(f"20 connections, and none outside of {taken}")
            taken.add(node_of(device))
            devices.append(device)
        return devices


def node_of(device):
    ready = [m for m in device.messages if m.topic == "me/ready"]
    return json.loads(ready[-1].payload)["node"]


@pytest.fixture(scope="module")
def node(images, certificates):
    stack = Cluster(images, certificates, CLUSTER, BANTER_DRAIN_SECONDS=2)
    try:
        stack.up()
        stack.wait_all_ready()
        yield stack
    finally:
        stack.close()


def test_people_on_different_nodes_chat(node):
    alice, bob, carol = (node.signup(name) for name in ("alice", "bob", "carol"))
    devices = node.apart(alice, bob, carol)
    assert {node_of(device) for device in devices} == {"n1", "n2", "n3"}
    browser = node.device(bob, "browser", transport="websockets")
    receipt = devices[0].say(f"@{bob.handle}", "to another node")
    for device in (devices[1], browser):
        device.wait_entry(receipt["conversation"], text="to another node")
    answer = devices[1].say(receipt["conversation"], "and back")
    assert answer["seq"] == receipt["seq"] + 1
    devices[0].wait_entry(receipt["conversation"], text="and back")


def test_the_replica_follows(node):
    alice, bob = node.signup("alice"), node.signup("bob")
    receipt = node.device(alice).say(f"@{bob.handle}", "twice on disk")
    assert node.sql_of_replica("SELECT pg_is_in_recovery()") == "t"
    count = ("SELECT count(*) FROM banter.messages WHERE conversation = "
             f"'{receipt['conversation']}'")
    wait_until(lambda: node.sql_of_replica(count) == "1", 10, "the replica", interval=0.2)
    readers = ("SELECT DISTINCT usename FROM pg_stat_activity "
               "WHERE datname = 'banter' AND usename <> 'postgres'")
    wait_until(lambda: node.sql_of_replica(readers) == "banter_bridge", 10, "the bridges there")


def test_errors_are_logged_but_where_they_may_name_users(node):
    assert node.sql("SHOW log_min_messages") == "log"  # as the owner
    assert node.sql_of_replica("SHOW log_min_messages") == "warning"


def test_a_node_is_killed(node):
    """Its people are back on another within ten seconds, and nothing is lost."""
    alice, bob = node.signup("alice"), node.signup("bob")
    sender, reader = node.apart(alice, bob)
    killed = node_of(sender)[-1]
    with Talk(node, sender, reader) as talk:
        talk.wait_more(20)
        for service in ("broker", "bridge"):
            docker("kill", node.container(f"{service}{killed}"))
        began = time.monotonic()
        wait_until(lambda: talk.reconnects > 0 and sender.connected, 10, "another node")
        assert time.monotonic() - began < 10
        assert node_of(sender) != f"n{killed}"
        talk.wait_more(50)
    assert reader.connected
    talk.assert_nothing_lost()
    node.up()
    node.wait_all_ready()


def test_an_upgrade_rolls_through_all_nodes(node, next_version):
    alice, bob = node.signup("alice"), node.signup("bob")
    sender, reader = node.apart(alice, bob)
    node.version = next_version
    with Talk(node, sender, reader) as talk:
        talk.wait_more(20)
        for number in NODES:
            node.up("--no-deps", f"bridge{number}", f"broker{number}")
            talk.wait_more(20)
    talk.assert_nothing_lost()
    for number in NODES:
        for service in ("bridge", "broker"):
            assert node.state(f"{service}{number}")["Config"]["Image"].endswith(f":{next_version}")
