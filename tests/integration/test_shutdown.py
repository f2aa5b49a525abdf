# SPDX-License-Identifier: MIT
"""A bridge that ends in the middle of something: the parts go one after the other, and what one of
them still says does not reach another that has gone."""
import os
import signal
import threading
import time

import pytest

from support import System, wait_until
from support.lifetime import kept, lent

BARRIER_S = 5  # how long the bridge waits for the plugin, after which it does without


@pytest.fixture(scope="module")
def system():
    yield from kept(System(MALLOC_PERTURB_="165"))  # what was freed does not look like itself


@pytest.fixture
def banter(system, request):
    yield from lent(system, request)


def test_a_removal_that_the_plugin_has_not_confirmed(banter):
    """The link, which goes after the database, ends it then, and that is for the audit log."""
    owner, member = banter.signup("owner"), banter.signup("member")
    group = banter.group(owner, [member])
    noted = "not stored in time: removeMember"
    assert noted not in banter.log("bridge")

    def remove():
        try:
            banter.control(owner, {"command": "removeMember", "conversation": group,
                                   "user": member.handle})
        except (OSError, AssertionError):
            pass  # nobody is left to answer

    asker = threading.Thread(target=remove)
    pid = banter.pid("bridge")
    banter.freeze("broker")
    began = time.monotonic()
    asker.start()
    try:
        wait_until(lambda: banter.psql(f"SELECT role FROM banter.members WHERE conversation = "
                                       f"'{group}' AND role > 0 OFFSET 1") == [], 4, "its commit",
                   interval=0.05)
        for _ in range(2):  # the second one says: at once
            os.kill(pid, signal.SIGTERM)
            time.sleep(0.2)
    finally:
        banter.thaw("broker")
    assert time.monotonic() - began < BARRIER_S, "too slow to say anything"
    asker.join()
    banter.wait_restarted("bridge", pid)
    banter.wait_ready()
    assert not banter.crashes()
    assert noted in banter.log("bridge")
