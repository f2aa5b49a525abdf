# SPDX-License-Identifier: MIT
"""Faults that clients make: all come back at once, sleep, or are very many."""
import os
import signal
import subprocess
import time

from .fault import Fault
from .world import PROCESSES

CROWD_CLIENTS = 10000


def storm(world, _seconds):
    """All devices drop their connections without a word and come back at the same moment."""
    for driver in world.drivers:
        driver.say("storm")


def storm_and_kill(world, _seconds, name):
    """The process that they need dies while they come back."""
    storm(world, 0)
    time.sleep(0.1)
    world.signal(name, signal.SIGKILL)


def sleep_driver(world, seconds):
    """The clients of the process with most of them sleep, as laptops do, and the buffers of their
    kernel fill."""
    driver = max(world.drivers, key=lambda one: one.status.get("connected", 0))
    os.kill(driver.pid, signal.SIGSTOP)
    try:
        time.sleep(seconds)
    finally:
        os.kill(driver.pid, signal.SIGCONT)


def crowd(world, _seconds):
    """Thousands of further devices connect, are cut off all at once, and come back."""
    product = world.product
    subprocess.run(
        [product.bench, "storm", "--clients", str(CROWD_CLIENTS), "--http", product.http,
         "--mqtt", product.address(), "--data", product.data, "--dsn", product.postgres_dsn,
         "--keys", product.data / "keys",
         "--pids", ",".join(str(world.wait_pid(name)) for name in PROCESSES)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=180, check=False)


FAULTS = (
    Fault("storm.devices", storm, weight=2),
    Fault("storm,kill.bridge", storm_and_kill, ("bridge",)),
    Fault("storm,kill.broker", storm_and_kill, ("broker",)),
    Fault("freeze.driver", sleep_driver, (), (1, 5)),
    Fault("crowd", crowd, needs=("crowd",), ci=False),
)
