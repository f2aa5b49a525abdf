# SPDX-License-Identifier: MIT
"""Faults at aimed points: the code says where (schema/base/fault_point.h), so that a process ends
or stops between a commit and what it tells of it. Only in a build of the preset `chaos`."""
import os
import signal
import time

from .crowd import storm
from .fault import Fault

_PATIENCE_S = 8  # some points are passed only when somebody connects, or is removed
_PASSED_BEFORE_MAX = 20
_REFUSED_MAX = 500


class FaultFile:
    """What BANTER_FAULTS names in the environment of the processes."""

    def __init__(self, directory):
        directory.mkdir()
        directory.chmod(0o777)  # the processes run as another user, and write what has fired
        self.path = directory / "armed"
        self.fired = directory / "armed.fired"
        self.arm()

    def arm(self, *lines):
        new = self.path.with_suffix(".new")
        new.write_text("".join(line + "\n" for line in lines))
        os.replace(new, self.path)

    def count_fired(self):
        return self.fired.read_text().count("\n") if self.fired.exists() else 0


def aim(world, seconds, point, action, argument=""):
    """Arms the point, sees to it that somebody passes, and takes the armed line back. False: nobody
    passed in time, and nothing happened."""
    faults, before = world.product.faults, world.product.faults.count_fired()
    process = "broker" if point.startswith("plugin.") else "bridge"
    try:
        faults.arm(f"{point} {action} 1 {argument}".rstrip())
        if point in _NEED_NEWCOMERS:
            storm(world, 0)
        elif point in _NEED_HOLES:
            world.proxies.say("link", "cut 100")
        fired = _await_firing(faults, before)
        if action == "stop":
            time.sleep(seconds)
        return fired
    finally:
        faults.arm()
        if action == "stop":
            world.signal(process, signal.SIGCONT)


def refuse_drafts(world, seconds):
    """Many are refused in passing, and each device's later ones because of them."""
    faults, before = world.product.faults, world.product.faults.count_fired()
    try:
        faults.arm(f"plugin.ring_full fail {_REFUSED_MAX}")
        fired = _await_firing(faults, before)
        time.sleep(seconds)
        return fired
    finally:
        faults.arm()


def tear_frames(world, _seconds):
    """The bridge dies when half of what it had to say has left."""
    faults, before = world.product.faults, world.product.faults.count_fired()
    try:
        faults.arm("bridge.torn_write fail", "bridge.link_written kill")
        return _await_firing(faults, before)
    finally:
        faults.arm()


def _await_firing(faults, before):
    deadline = time.monotonic() + _PATIENCE_S
    while faults.count_fired() == before and time.monotonic() < deadline:
        time.sleep(0.02)
    return faults.count_fired() > before


_NEED_NEWCOMERS = ("bridge.in_attach", "bridge.in_sync")
_NEED_HOLES = ("bridge.in_fill",)
_RARE = (*_NEED_NEWCOMERS, *_NEED_HOLES, "bridge.in_removal", "plugin.before_barrier_echo")
_POINTS = (
    "plugin.draft_in_ring", "plugin.before_receipt", "plugin.after_delivery",
    "plugin.before_barrier_echo", "bridge.before_commit", "bridge.batch_sent",
    "bridge.after_commit", "bridge.after_entry", "bridge.link_written", "bridge.before_confirm",
    "bridge.in_attach", "bridge.in_sync", "bridge.in_fill", "bridge.in_removal",
)
_MAY_FAIL = ("plugin.link_lost",)

FAULTS = (
    *(Fault(f"kill.at.{point}", aim, (point, "kill"), (0, 0), ("points",)) for point in _POINTS),
    *(Fault(f"stop.at.{point}", aim, (point, "stop"), (1, 4), ("points",), ci=False)
      for point in _POINTS),
    *(Fault(f"kill.later.at.{point}", aim, (point, "kill", _PASSED_BEFORE_MAX), (0, 0), ("points",),
            ci=False) for point in _POINTS if point not in _RARE),
    *(Fault(f"fail.at.{point}", aim, (point, "fail"), (0, 0), ("points",)) for point in _MAY_FAIL),
    Fault("refuse.at.plugin.ring_full", refuse_drafts, (), (0.5, 2), ("points",)),
    Fault("kill.at.bridge.torn_write", tear_frames, (), (0, 0), ("points",)),
)
