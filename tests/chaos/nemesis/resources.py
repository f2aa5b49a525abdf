# SPDX-License-Identifier: MIT
"""Faults of what the machine gives: descriptors, memory, the time of day."""
import contextlib
import os
import random
import resource
import subprocess
import time

from .fault import Fault

_MEMORY_SLACK = 1 << 20


@contextlib.contextmanager
def _limited(world, name, option, value_of):
    """The soft limit alone, so that it can be taken back; a process that dies of it is started
    again without. Only the processes' own user may do it in a container."""
    pid = world.wait_pid(name)
    command = [*_as_owner_of(pid), "prlimit", "--pid", str(pid)]
    before = subprocess.run([*command, f"--{option}", "--output=SOFT", "--noheadings"], text=True,
                            check=True, capture_output=True).stdout.strip()
    subprocess.run([*command, f"--{option}={value_of(pid)}:"], check=True, capture_output=True)
    try:
        yield
    finally:
        if os.path.exists(f"/proc/{pid}"):
            subprocess.run([*command, f"--{option}={before}:"], check=False, capture_output=True)


def _as_owner_of(pid):
    owner = os.stat(f"/proc/{pid}")
    if os.geteuid() == owner.st_uid:
        return []
    return ["setpriv", f"--reuid={owner.st_uid}", f"--regid={owner.st_gid}", "--clear-groups"]


def few_descriptors(world, seconds, name):
    """No more than are open; and at once everybody comes back."""
    with _limited(world, name, "nofile", lambda pid: len(os.listdir(f"/proc/{pid}/fd")) + 1):
        for driver in world.drivers:
            driver.say("storm")
        time.sleep(seconds)


def little_memory(world, seconds, name):
    """What malloc(3) may take from the system is all but gone."""
    with _limited(world, name, "as", lambda pid: _address_space(pid) + _MEMORY_SLACK):
        time.sleep(seconds)


def _address_space(pid):
    with open(f"/proc/{pid}/statm", encoding="ascii") as file:
        return int(file.read().split()[0]) * resource.getpagesize()


def clock_jumps(world, seconds):
    """Forth, back, and right again, while monotonic time goes on."""
    try:
        for _ in range(2):
            world.product.set_clock(random.choice((-86400, -3600, -60, 60, 3600, 86400)))
            time.sleep(seconds / 2)
    finally:
        world.product.set_clock(0)


FAULTS = (
    Fault("descriptors.bridge", few_descriptors, ("bridge",), (2, 5)),
    Fault("descriptors.broker", few_descriptors, ("broker",), (2, 5)),
    Fault("memory.bridge", little_memory, ("bridge",), (2, 5)),
    Fault("memory.broker", little_memory, ("broker",), (2, 5)),
    Fault("clock.bridge", clock_jumps, (), (4, 8), ("clock",), weight=2),
)
