# SPDX-License-Identifier: MIT
"""What hangs is ended and started anew, by itself or by the supervisor; what was only stopped for a
moment, or is busy, is left alone."""
import os
import re
import signal
import socket
import struct
import subprocess
import time

import pytest

from support import wait_until
from support.faults import thread_frozen, thread_named
from support.system import REPOSITORY

WATCHDOG_MS = 2000


def assert_it_works(banter):
    banter.wait_ready()
    alice, bob = banter.signup("alice"), banter.signup("bob")
    phone, other = banter.device(alice), banter.device(bob)
    receipt = phone.say(f"@{bob.handle}", "hello")
    other.wait_entry(receipt["conversation"], text="hello")


@pytest.fixture
def watched(make_system):
    banter = make_system(BANTER_WATCHDOG_MS=WATCHDOG_MS)
    banter.forgiven.add("died of signal 6")  # which is what these tests are about
    return banter


@pytest.mark.parametrize("thread, name", [
    (None, "the event loop"), ("banter-door", "the thread of the front door")])
def test_a_loop_that_does_not_come_round_is_aborted(watched, thread, name):
    bridge = watched.pid("bridge")
    began = time.monotonic()
    words = f"{name} has made no progress for {WATCHDOG_MS} ms: aborting"
    with thread_frozen(thread_named(bridge, thread) if thread else bridge):
        wait_until(lambda: words in watched.log("bridge"), 10, "the watchdog")
        assert time.monotonic() - began >= WATCHDOG_MS / 1000 - 0.3
    watched.wait_restarted("bridge", bridge)
    assert_it_works(watched)


def freeze_all(banter):
    pids = {name: banter.pid(name) for name in ("bridge", "broker")}
    for pid in pids.values():
        os.kill(pid, signal.SIGSTOP)
    return pids


def test_five_seconds_are_not_too_long(make_system):
    """Stopped for longer than the watchdog's limit: time in which nobody ran does not count, and
    the supervisor waits for longer than that."""
    banter = make_system(BANTER_WATCHDOG_MS=WATCHDOG_MS)
    alice = banter.signup("alice")
    phone = banter.device(alice)
    pids = freeze_all(banter)
    time.sleep(5)
    for pid in pids.values():
        os.kill(pid, signal.SIGCONT)
    banter.wait_ready()
    time.sleep(WATCHDOG_MS / 1000 + 1)
    assert {name: banter.pid(name) for name in pids} == pids
    assert phone.connected
    assert_it_works(banter)


@pytest.mark.slow
def test_a_minute_is(make_system):
    """Bridge and broker are stopped, and nobody ever lets them go on."""
    banter = make_system()
    assert_it_works(banter)
    pids = freeze_all(banter)
    for name, pid in pids.items():
        banter.wait_restarted(name, pid, timeout=120)
    assert_it_works(banter)
    log = (banter.data / "log" / "supervisor.log").read_text()
    for name, pid in pids.items():
        assert re.search(rf"{name} \(process {pid}\) has not answered .*: it hangs and is killed",
                         log.replace("\n", " "))


def judge(child):
    """How long the supervisor's own functions let a process live that answers the first question
    and none after it; None: for longer than ten times the limit of 1 s. (Real processes of ours
    compute and answer.)"""
    script = f"""
        REPO={REPOSITORY} BANTER_HANG_SECONDS=1 STATE=/nonexistent
        . $REPO/scripts/lib/common.sh; . $REPO/scripts/lib/hang.sh
        {child} & CHILD[bridge]=$!
        ask_bridge() {{ [[ ! ${{ANSWERED_BY[bridge]:-}} ]]; }}
        for ((i = 0; i < 90; i++)); do
            sleep 0.1
            kill -0 ${{CHILD[bridge]}} || exit 0
            look_for_hangs
        done
        kill -KILL ${{CHILD[bridge]}}
    """
    began = time.monotonic()
    done = subprocess.run(["bash", "-c", f"declare -A CHILD=()\n{script}"], text=True,
                          capture_output=True, timeout=60, check=False)
    killed = "it hangs and is killed" in done.stdout
    return time.monotonic() - began if killed else None


def test_who_computes_is_busy_and_who_does_nothing_hangs():
    idle = judge("sleep 1000")
    assert idle is not None and 1 <= idle < 6
    assert judge("sha256sum /dev/zero") is None


def hear(manager, pid, seconds):
    """What the process has said to the service manager meanwhile. (PostgreSQL and Mosquitto 2.1
    speak to it as well.)"""
    heard = []
    deadline = time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0:
        manager.settimeout(left)
        try:
            said, [(_, _, sender)], _, _ = manager.recvmsg(100, 64)
        except TimeoutError:
            break
        if struct.unpack("3i", sender)[0] == pid:
            heard.append(said.decode())
    return heard


def test_a_service_manager_hears_that_all_is_well(make_system):
    """sd_notify(3): READY once it serves, WATCHDOG every half of what is allowed; nothing more when
    the loop does not come round, so that the manager ends it."""
    name = f"\0banter-test-notify-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        manager.bind(name)
        banter = make_system(NOTIFY_SOCKET=f"@{name[1:]}", WATCHDOG_USEC=2_000_000)
        bridge = banter.pid("bridge")
        ready, *signs = hear(manager, bridge, 5)
        assert ready == "READY=1"
        assert set(signs) == {"WATCHDOG=1"} and len(signs) >= 3
        with thread_frozen(bridge):
            hear(manager, bridge, 2)  # what was on its way
            assert not hear(manager, bridge, 4)
        assert "WATCHDOG=1" in hear(manager, bridge, 4), "it goes on"
