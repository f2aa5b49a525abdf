# SPDX-License-Identifier: MIT
"""What tests of a cluster that breaks have in common: fixtures, which they import, and people who
go on talking meanwhile. Each module has its `shared_cluster`."""
import json
import os
import signal
import threading
import time

import pytest

from .waiting import wait_until


@pytest.fixture
def nodes(shared_cluster, request):
    request.node.banter_system = shared_cluster
    shared_cluster.wait_ready()
    yield shared_cluster
    shared_cluster.close_devices()


@pytest.fixture
def pair(nodes):
    """alice on the first node, bob on the second."""
    a, b = nodes[0], nodes[1]
    return a.device(a.signup("alice")), b.device(b.signup("bob"))


@pytest.fixture
def group(pair):
    alice, bob = pair
    conversation = alice.system.group(alice.account, [bob.account])
    bob.wait_entry(conversation, seq=1)
    bob.say(conversation, "here")
    alice.wait_entry(conversation, text="here")
    return conversation


def kill_node(node):
    """Its broker and its bridge, and nobody starts them again."""
    status = node.status()
    for pid in (status["supervisor"], status["pids"]["bridge"], status["pids"]["broker"]):
        os.kill(pid, signal.SIGKILL)


def assert_whole(device, conversation, count, timeout=10):
    """All texts of the other one, each once, in order."""
    def got():
        return [int(e["text"]) for e in device.entries(conversation)
                if e["kind"] == "text" and e["text"].isdigit()]
    wait_until(lambda: len(got()) >= count, timeout, f"{count} messages; got {len(got())}")
    assert got() == list(range(count))


class Chatter(threading.Thread):
    """Says 0, 1, 2 … until it is stopped."""

    def __init__(self, device, conversation, pause=0.01, start=0):
        super().__init__(daemon=True)
        self.device, self.conversation, self.pause = device, conversation, pause
        self.count = start
        self._stopped = threading.Event()
        self.start()

    def run(self):
        while not self._stopped.is_set():
            self.device.send(self.conversation, str(self.count))
            self.count += 1
            time.sleep(self.pause)

    def stop(self):
        self._stopped.set()
        self.join()
        return self.count


def states(device, account):
    return [json.loads(m.payload)["state"] for m in list(device.messages)
            if m.topic == f"presence/{account.handle}"]
