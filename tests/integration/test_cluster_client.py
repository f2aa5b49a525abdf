# SPDX-License-Identifier: MIT
"""libbanter on a node that dies: it goes to another one by itself, of which it knows from
GET /v1/servers alone, and nothing is lost or doubled."""
import threading
import time

import pytest

from support import Cluster, wait_until
from support.cluster_faults import kill_node
from test_client_c import assert_all_once, example, stores, whole

__all__ = ["example", "stores"]

pytestmark = pytest.mark.cluster

BACK_S = 10  # in which it is back, on a machine that is not slow
PAUSE_S = 0.002  # between drafts: it is not the speed that is looked at
KNOWS = "servers to go to"  # said once after each connection


@pytest.fixture
def two_nodes(request):
    """The first one runs the database, too; the second one may die."""
    made = Cluster(("b", "a"), public=True)
    request.node.banter_system = made
    try:
        made.wait_ready()
        yield made
    finally:
        crashes = made.close()
    assert not crashes, crashes


class Drafts:
    """Drafts without end, until it is called off: then so many more. So the sender always is in
    the middle of it."""

    def __init__(self, more):
        self.more = more
        self.count = 0
        self.over = threading.Event()

    def __iter__(self):
        while self.more > 0:
            if self.over.is_set():
                self.more -= 1
            self.count += 1
            time.sleep(PAUSE_S)
            yield f"m{self.count - 1}\tmessage {self.count - 1}"


def assert_soon(began, connecting_s):
    """A machine on which one connection takes more than a second has that much more time."""
    took = time.monotonic() - began
    assert took < BACK_S * max(1, connecting_s), took


def test_its_node_dies(two_nodes, example):
    b, a = two_nodes
    wait_until(lambda: len(a.request("GET", "/v1/servers").ok()["servers"]) == 2, 30,
               "both nodes to be told of")
    alice, bob = a.signup("alice"), a.signup("bob")
    began = time.monotonic()
    tail = example("tail", a, bob).start()
    wait_until(lambda: "online" in tail.said(), 60, "a connection")
    connecting_s = time.monotonic() - began
    drafts = Drafts(more=200)
    send = example("send", a, alice, f"@{bob.handle}").start(drafts)
    for program in (tail, send):
        wait_until(lambda: KNOWS in program.said(), 60, "the other node to be known")
    wait_until(lambda: len(send.lines()) >= 300 and tail.entries(), 60, "messages")

    before = {program: program.said().count(KNOWS) for program in (tail, send)}
    kill_node(a)
    began = time.monotonic()
    for program in (tail, send):
        wait_until(lambda: program.said().count(KNOWS) > before[program], 120, "the other node")
        assert_soon(began, connecting_s)
    receipts = len(send.lines())
    wait_until(lambda: len(send.lines()) > receipts, 120, "receipts of the other node")
    assert_soon(began, connecting_s)

    drafts.over.set()
    send.wait(120)
    wait_until(lambda: len(tail.entries()) >= drafts.count, 120, "all entries")
    tail.stop()
    assert_all_once(tail.entries(), drafts.count)
    assert_all_once(whole(b, alice, tail.entries()[0]["conversation"]), drafts.count)
    assert len(set(send.lines())) == len(send.lines()) == drafts.count, "each has one receipt"
