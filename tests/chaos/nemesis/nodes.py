# SPDX-License-Identifier: MIT
"""Faults of a system of several nodes: one is gone or cut off for longer than its lease, Redis is
gone, slow, or reached by some."""
import contextlib
import signal
import time

from .detours import ailing, struck
from .fault import Fault
from .network import filtered
from .processes import frozen, kill
from .world import signal_all


def away(world, seconds):
    """Both processes die, and nobody starts them for so long: the machine is gone."""
    supervisor = world.wait_pid("supervisor")
    signal_all([supervisor], signal.SIGSTOP)
    try:
        kill(world, 0, "bridge", "broker")
        time.sleep(seconds)
    finally:
        signal_all([supervisor], signal.SIGCONT)


def cut_off(world, seconds):
    """It reaches neither the database nor Redis, and its devices reach it."""
    with contextlib.ExitStack() as undo:
        for route in ("database", "redis"):
            world.proxies.say(route, "hold 1 1")
            undo.callback(world.proxies.say, route, "calm")
        time.sleep(seconds)


def kill_redis(world, seconds):
    """Everything in it is lost."""
    world.redis.kill()
    try:
        time.sleep(seconds)
    finally:
        world.redis.start()


def freeze_redis(world, seconds):
    world.redis.freeze()
    try:
        time.sleep(seconds)
    finally:
        world.redis.thaw()


_NODES = ("nodes",)
_LEASE_S = (6.5, 8)  # longer than a node's lease
_TO, _FROM = "--dport PORT -j DROP", "--sport PORT -j DROP"

FAULTS = (
    Fault("node.away", away, (), (1, 8), _NODES, weight=2),
    Fault("node.away.long", away, (), _LEASE_S, _NODES, ci=False),
    Fault("node.frozen.long", frozen, ("bridge", "broker"), _LEASE_S, _NODES, ci=False),
    Fault("node.cut.off", cut_off, (), (1, 8), _NODES, weight=2),
    Fault("node.cut.off.long", cut_off, (), _LEASE_S, _NODES, ci=False),
    Fault("node.bridge.frozen.long", frozen, ("bridge",), _LEASE_S, _NODES, ci=False),
    Fault("kill.redis", kill_redis, (), (0, 4), _NODES, weight=2),
    Fault("freeze.redis", freeze_redis, (), (1, 8), _NODES),
    Fault("slow.redis", ailing, ("redis", "delay 20 200"), (2, 8), _NODES),
    Fault("trickle.redis", ailing, ("redis", "rate 5000"), (2, 6), _NODES),
    Fault("hole.redis", ailing, ("redis", "hold 1 1"), (1, 8), _NODES),
    Fault("hole.redis.up", ailing, ("redis", "hold 1 0"), (1, 6), _NODES),
    Fault("hole.redis.down", ailing, ("redis", "hold 0 1"), (1, 6), _NODES),
    Fault("halve.redis", ailing, ("redis", "halve 100"), (1, 6), _NODES),
    Fault("sever.redis", struck, ("redis", "reset 100"), (0, 0), _NODES),
    Fault("shut.redis", ailing, ("redis", "reset 100", "refuse 100"), (1, 8), _NODES),
    Fault("cut.redis", filtered, ("redis", _TO, _FROM), (1, 8), ("nodes", "sandbox")),
)
