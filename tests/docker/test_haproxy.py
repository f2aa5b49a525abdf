# SPDX-License-Identifier: MIT
"""HAProxy with TLS in front of a node: everything goes through it, and it follows /readyz."""
import pytest

from support import Refused, wait_until
from stack import COMPOSE, HAPROXY, ProxiedStack
from talk import Talk


@pytest.fixture(scope="module")
def node(images, certificates):
    stack = ProxiedStack(images, certificates, COMPOSE, HAPROXY, BANTER_DRAIN_SECONDS=2)
    try:
        stack.up()
        stack.wait_ready()
        yield stack
    finally:
        stack.close()


def test_the_node_has_no_other_door(node):
    published = {port: bindings for service in ("bridge", "broker")
                 for port, bindings in node.state(service)["NetworkSettings"]["Ports"].items()
                 if bindings}
    assert set(published) == {"9464/tcp"}
    assert node.state("haproxy")["HostConfig"]["ReadonlyRootfs"]


def test_people_chat_over_mqtts_and_wss(node):
    alice, bob = node.signup("alice"), node.signup("bob")
    phones = [node.device(bob, "phone"), node.device(bob, "browser", transport="websockets")]
    laptop = node.device(alice, "laptop", transport="websockets")
    receipt = laptop.say(f"@{bob.handle}", "through the proxy")
    for phone in phones:
        phone.wait_entry(receipt["conversation"], text="through the proxy")


def test_a_new_bridge_is_noticed_by_nobody_on_mqtt(node):
    sender, reader = node.device(node.signup("alice")), node.device(node.signup("bob"))
    with Talk(node, sender, reader) as talk:
        talk.wait_more(20)
        node.kill("bridge")
        node.wait_ready()
        talk.wait_more(50)
    assert talk.reconnects == 0 and reader.connected
    talk.assert_nothing_lost()


def test_a_draining_node_gets_nobody(node):
    """Its users are sent away, over HAProxy as directly; new ones find no server, until it ends."""
    account = node.signup("alice")
    device = node.device(account)
    node.execute("broker", "/usr/lib/banter/broker/drain.sh", "2")
    device.wait_closed()
    wait_until(lambda: node.request("GET", "/readyz").status == 503, 10, "no server")
    with pytest.raises((Refused, AssertionError, OSError)):
        node.device(account, "tablet")
    node.execute("broker", "/usr/lib/banter/broker/drain.sh", "--off")
    node.wait_ready()
    device.reconnect()
