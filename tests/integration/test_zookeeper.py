# SPDX-License-Identifier: MIT
"""The registry in ZooKeeper, with Debian's server and client library: who is there is found, who
dies is not, sessions expire and are made anew, and while it is away the database tells. In a suite
of its own, because it needs Java: ./banter test --only zookeeper."""
import pytest

from support import Cluster, wait_until
from support.lifetime import kept, lent
from support.registry import (
    PATIENCE, assert_goes_on_without_database, assert_names_all, told, wait_registry)
from support.zookeeper import ZooKeeper

pytestmark = pytest.mark.zookeeper

PATH = "/chat/eu/nodes"
CREDENTIALS = "banter:secret"
# Of the entries, and of what leads to them.
WHAT_STRANGERS_TRY = [
    f"{command} {path}{rest}" for path in ("/chat", "/chat/eu", PATH, f"{PATH}/b")
    for command, rest in (
        ("ls", ""), ("get", ""), ("getAcl", ""), ("set", " mine"), ("create", "/c mine"),
        ("create -e", "/c mine"), ("deleteall", ""), ("setAcl", " world:anyone:cdrwa"))
]


@pytest.fixture(scope="module")
def zookeeper():
    made = ZooKeeper()
    yield made
    made.close()


@pytest.fixture(scope="module")
def shared(zookeeper):
    address = f"zookeeper://{CREDENTIALS}@127.0.0.1:{zookeeper.port}{PATH}"
    yield from kept(Cluster(("a", "b"), per_node={"b": {"BANTER_LOCATION": "eu/de"}},
                            BANTER_REGISTRY=address))


@pytest.fixture
def nodes(shared, request):
    yield from lent(shared, request)


def test_it_names_all_nodes(nodes, zookeeper):
    wait_registry(nodes, 1)
    assert zookeeper.ephemerals() == [f"{PATH}/a", f"{PATH}/b"]
    assert_names_all(nodes)


@pytest.mark.parametrize("credentials", [None, "banter:guessed", "stranger:secret"])
def test_strangers_may_nothing(nodes, zookeeper, credentials):
    """Who does not know the digest reads nothing of ours and writes nothing there."""
    wait_registry(nodes, 1)
    said = zookeeper.shell(*WHAT_STRANGERS_TRY, credentials=credentials)
    assert said.count("Insufficient permission : ") == len(WHAT_STRANGERS_TRY), said
    assert zookeeper.ephemerals() == [f"{PATH}/a", f"{PATH}/b"]
    assert_names_all(nodes)
    ours = zookeeper.shell(f"ls {PATH}", f"get {PATH}/b", credentials=CREDENTIALS)
    assert "[a, b]" in ours and "eu/de" in ours and "Insufficient" not in ours, ours


def test_a_session_expires_and_there_is_another(nodes, zookeeper):
    """Its own thread keeps no session of a stopped process alive."""
    wait_registry(nodes, 1)
    nodes[1].freeze("bridge")
    try:
        wait_until(lambda: zookeeper.ephemerals() == [f"{PATH}/a"], PATIENCE, "b's session over")
        wait_until(lambda: told(nodes[0]) == ["a"], PATIENCE, "b gone")
    finally:
        nodes[1].thaw("bridge")
    wait_until(lambda: zookeeper.ephemerals() == [f"{PATH}/a", f"{PATH}/b"], PATIENCE, "b again")
    wait_until(lambda: told(nodes[0]) == ["a", "b"], PATIENCE, "b named")


def test_a_bridge_that_is_killed_takes_over_from_itself(nodes, zookeeper):
    """The entry that it finds belongs to a session that nobody has any more."""
    wait_registry(nodes, 1)
    old = nodes[1].kill("bridge")
    nodes[1].wait_restarted("bridge", old)
    nodes.wait_ready()
    wait_registry(nodes, 1)
    wait_until(lambda: told(nodes[0]) == told(nodes[1]) == ["a", "b"], PATIENCE, "both")
    assert zookeeper.ephemerals() == [f"{PATH}/a", f"{PATH}/b"]


@pytest.mark.parametrize("how", ["kill", "freeze"])
def test_without_zookeeper_the_database_tells(nodes, zookeeper, how):
    wait_registry(nodes, 1)
    getattr(zookeeper, how)()
    try:
        wait_registry(nodes, 0)
        wait_until(lambda: told(nodes[0]) == told(nodes[1]) == ["a", "b"], PATIENCE, "both nodes")
        assert nodes[0].request("GET", "/readyz").status == 200
        if how == "freeze":  # a node can also end meanwhile
            nodes[1].down()
            nodes[1].up()
    finally:
        if how == "kill":
            zookeeper.start()
        else:
            zookeeper.thaw()
    nodes.wait_ready()
    wait_registry(nodes, 1)
    wait_until(lambda: told(nodes[0]) == told(nodes[1]) == ["a", "b"], PATIENCE, "both nodes")


def test_without_the_database_zookeeper_tells(nodes):
    wait_registry(nodes, 1)
    assert_goes_on_without_database(nodes)


def test_who_leaves_in_order_is_gone_at_once(nodes, zookeeper):
    wait_registry(nodes, 1)
    nodes[1].down()
    assert zookeeper.ephemerals() == [f"{PATH}/a"]
    nodes[1].up()
    nodes.wait_ready()
    wait_registry(nodes, 1)
