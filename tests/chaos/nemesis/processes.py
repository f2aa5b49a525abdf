# SPDX-License-Identifier: MIT
"""Faults of the three processes: killed, frozen, restarted, upgraded; alone and in pairs."""
import contextlib
import signal
import time

from .fault import Fault
from .world import freeze, signal_all


def kill(world, _seconds, *names):
    """kill -9, in this order and at once. PostgreSQL: the server with all its backends, which must
    not start one another anew meanwhile."""
    for name in names:
        if name == "postgres":
            signal_all(world.family(name)[:1], signal.SIGSTOP)
            signal_all(reversed(world.family(name)), signal.SIGKILL)
        else:
            world.signal(name, signal.SIGKILL)


def kill_again(world, _seconds, name, times):
    """As soon as it runs, and so at all stages of a start."""
    for _ in range(times):
        kill(world, 0, name)
        time.sleep(0.05)
        world.wait_pid(name)
        time.sleep(0.1)


def crash(world, _seconds, name):
    """PostgreSQL's immediate shutdown: no checkpoint, and recovery at the next start."""
    world.signal(name, signal.SIGQUIT)


def frozen(world, seconds, *names):
    """Nothing answers any more, connections stay."""
    with contextlib.ExitStack() as undo:
        for name in names:
            undo.callback(freeze(world.family(name)))
        time.sleep(seconds)


def frozen_and_killed(world, seconds, sleeper, victim):
    """One dies while the other cannot notice."""
    thaw = freeze(world.family(sleeper))
    try:
        kill(world, 0, victim)
        time.sleep(seconds)
    finally:
        thaw()


def flicker(world, seconds, name):
    """Frozen and thawed many times: every wait is cut somewhere else."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        thaw = freeze(world.family(name))
        time.sleep(0.05)
        thaw()
        time.sleep(0.05)


def restart(world, _seconds, name):
    """In good order, as an operator does it."""
    world.product.stop(name)
    world.product.start(name)


def restart_rolling(world, seconds, name):
    """Again and again while people chat."""
    for _ in range(3):
        restart(world, 0, name)
        time.sleep(seconds / 3)


def drain(world, seconds):
    """Everybody is sent away over some time, and nobody let in; then all are welcome again."""
    try:
        world.product.operate("drain", "--over", str(round(seconds)))
    finally:
        world.product.operate("drain", "--off")


def upgrade(world, _seconds):
    """The bridge's program is replaced by another copy while the old one runs; then a restart."""
    world.product.replace_bridge()
    world.product.operate("restart", "bridge")


def hang_up(world, seconds, name):
    """SIGHUP, as a rotation of logs sends it, many times."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        world.signal(name, signal.SIGHUP)
        time.sleep(0.05)


FAULTS = (
    Fault("kill.bridge", kill, ("bridge",), weight=3),
    Fault("kill.broker", kill, ("broker",), weight=2),
    Fault("kill.postgres", kill, ("postgres",), weight=2),
    Fault("kill.bridge+broker", kill, ("bridge", "broker")),
    Fault("kill.bridge+postgres", kill, ("bridge", "postgres")),
    Fault("kill.broker+postgres", kill, ("broker", "postgres")),
    Fault("kill.all", kill, ("broker", "bridge", "postgres"), ci=False),
    Fault("kill.bridge.again", kill_again, ("bridge", 3), ci=False),
    Fault("kill.broker.again", kill_again, ("broker", 3), ci=False),
    Fault("crash.postgres", crash, ("postgres",), weight=2),
    Fault("freeze.bridge", frozen, ("bridge",), (1, 8), weight=2),
    Fault("freeze.broker", frozen, ("broker",), (1, 8), weight=2),
    Fault("freeze.postgres", frozen, ("postgres",), (1, 8), weight=2),
    Fault("freeze.bridge+broker", frozen, ("bridge", "broker"), (1, 4)),
    Fault("freeze.bridge+postgres", frozen, ("bridge", "postgres"), (1, 4)),
    Fault("freeze.bridge,kill.broker", frozen_and_killed, ("bridge", "broker"), (1, 4)),
    Fault("freeze.bridge,kill.postgres", frozen_and_killed, ("bridge", "postgres"), (1, 4)),
    Fault("freeze.broker,kill.bridge", frozen_and_killed, ("broker", "bridge"), (1, 4)),
    Fault("freeze.postgres,kill.bridge", frozen_and_killed, ("postgres", "bridge"), (1, 4)),
    Fault("freeze.postgres,kill.broker", frozen_and_killed, ("postgres", "broker"), (1, 4)),
    Fault("flicker.bridge", flicker, ("bridge",), (2, 4)),
    Fault("flicker.broker", flicker, ("broker",), (2, 4)),
    Fault("restart.bridge", restart, ("bridge",)),
    Fault("restart.broker", restart, ("broker",)),
    Fault("restart.postgres", restart, ("postgres",)),
    Fault("restart.bridge.rolling", restart_rolling, ("bridge",), (6, 12), ci=False),
    Fault("upgrade.bridge", upgrade),
    Fault("drain", drain, (), (2, 5)),
    Fault("hangups.broker", hang_up, ("broker",), (1, 3)),
    Fault("hangups.bridge", hang_up, ("bridge",), (1, 3)),
)
