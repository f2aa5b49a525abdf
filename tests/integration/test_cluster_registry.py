# SPDX-License-Identifier: MIT
"""The registry in Redis: who says where they are is found there, who dies is not, and while it is
away the database tells."""
import pytest

from support import Cluster, wait_until
from support.lifetime import kept, lent
from support.registry import (
    PATIENCE, assert_goes_on_without_database, assert_names_all, told, wait_registry)

pytestmark = pytest.mark.cluster

CHANNEL = "banter:registry"


@pytest.fixture(scope="module")
def shared():
    yield from kept(Cluster(("a", "b"), BANTER_REGISTRY="redis",
                            per_node={"b": {"BANTER_LOCATION": "eu/de"}}))


@pytest.fixture
def nodes(shared, request):
    yield from lent(shared, request)


def test_it_names_all_nodes(nodes):
    wait_registry(nodes, 1)
    assert_names_all(nodes)


def forget_strangers(nodes):
    nodes.redis.command("PUBLISH", CHANNEL, b"\x01c")
    wait_registry(nodes, 1)


def test_strangers_name_nobody(nodes):
    wait_registry(nodes, 1)
    for payload in ("", "x", "\x01c" + '{"node":"c","capacity":1,"connections":0}',
                    "\x01b" + '{"node":"b","capacity":9,"connections":0,"location":"eu/de"}'):
        nodes.redis.command("PUBLISH", CHANNEL, payload)
    assert "c" not in told(nodes[0])
    wait_until(lambda: told(nodes[0]) == ["a", "b"], PATIENCE, "b's own entry")
    # What b has sealed, overheard and repeated in the name of another node: read, and nothing.
    sealed = nodes.redis.overhear(CHANNEL, lambda message: message.startswith(b"\x01b")
                                  and len(message) > 2)[2:]
    forget_strangers(nodes)
    nodes.redis.command("PUBLISH", CHANNEL, b"\x01c" + sealed)
    wait_until(lambda: nodes.metric(nodes[0], "banter_registry_entries") == 2, PATIENCE, "read")
    assert told(nodes[0]) == ["a", "b"]
    nodes.redis.command("PUBLISH", CHANNEL, b"\x01b" + sealed)  # but it is what b says
    assert told(nodes[0]) == ["a", "b"]
    forget_strangers(nodes)


def test_who_dies_is_left_out_and_comes_back(nodes):
    wait_registry(nodes, 1)
    nodes[1].stop("broker")
    nodes[1].freeze("bridge")
    try:
        wait_until(lambda: told(nodes[0]) == ["a"], PATIENCE, "b gone")
        wait_until(lambda: nodes.metric(nodes[0], "banter_registry_entries") == 0, PATIENCE,
                   "b forgotten")
    finally:
        nodes[1].thaw("bridge")
        nodes[1].start("broker")
    wait_until(lambda: told(nodes[0]) == ["a", "b"], PATIENCE, "b again")


def test_without_redis_the_database_tells(nodes):
    wait_registry(nodes, 1)
    nodes.redis.kill()
    wait_registry(nodes, 0)
    try:
        wait_until(lambda: told(nodes[0]) == told(nodes[1]) == ["a", "b"], PATIENCE, "both nodes")
    finally:
        nodes.redis.start()
    wait_registry(nodes, 1)
    assert told(nodes[1]) == ["a", "b"]


def test_without_the_database_redis_tells(nodes):
    wait_registry(nodes, 1)
    assert_goes_on_without_database(nodes)
