# SPDX-License-Identifier: MIT
"""Chooses faults by a seed, strikes, and waits in between until messages are receipted again.

faults.log has a line at the begin and the end of each: realtime and monotonic microseconds, `begin`
or `end`, number, name, seconds that it was to last. A fault that could not be done is none: then
the run has failed, whatever the product did."""
import random
import subprocess
import time

from . import crowd, database, detours, network, nodes, points, processes, resources

TABLE = (*processes.FAULTS, *database.FAULTS, *network.FAULTS, *detours.FAULTS, *resources.FAULTS,
         *points.FAULTS, *crowd.FAULTS, *nodes.FAULTS)
_OF_THE_FIRST = (*database.FAULTS, *crowd.FAULTS)  # with postgres, which one node has
_RECOVERY_MAX_S = 20  # the checker judges; this is when the nemesis goes on all the same


def choose(patterns, capabilities, ci):
    """The rows to draw from: all that this machine can do, or those whose names begin with one of
    the patterns."""
    rows = [row for row in TABLE if set(row.needs) <= set(capabilities)]
    if patterns:
        return [row for row in rows if any(_fits(row.name, pattern) for pattern in patterns)]
    return [row for row in rows if row.ci] if ci else rows


def _fits(name, pattern):
    return name == pattern or name.startswith((pattern + ".", pattern + "+", pattern + ","))


class Nemesis:
    """`worlds`: of the nodes; the first one's has the database."""

    def __init__(self, worlds, rows, seed, log, seconds_max, gap=(1.0, 3.0)):
        self._worlds = worlds
        self._rows = rows
        self._random = random.Random(seed)
        self._log = log
        self._seconds_max = seconds_max
        self._gap = gap
        self._bag = []
        self.done = []      # names, in order
        self.missed = []    # those of them that had no occasion
        self.failures = []  # sentences

    def run_until(self, deadline):
        """Strikes until the monotonic time `deadline`, and leaves with everything recovered."""
        while time.monotonic() < deadline:
            self.strike(self._draw())
            self._await_recovery()
            time.sleep(self._random.uniform(*self._gap))

    def strike(self, row):
        low, high = row.seconds
        seconds = round(min(self._random.uniform(low, high), self._seconds_max), 2)
        number = len(self.done) + 1
        world = self._victim(row)
        name = row.name + world.suffix
        self.done.append(row.name)
        self._write("begin", number, name, seconds)
        try:
            if row.do(world, seconds, *row.arguments) is False:
                self.missed.append(row.name)
        except (OSError, RuntimeError, ValueError, subprocess.SubprocessError) as error:
            self.failures.append(f"fault {number}, {name}: {error!r}")
        finally:
            self._write("end", number, name, seconds)

    def _victim(self, row):
        if len(self._worlds) == 1 or "postgres" in row.arguments or row in _OF_THE_FIRST:
            return self._worlds[0]
        return self._random.choice(self._worlds)

    def _draw(self):
        """From a bag with all rows, so that none is left out for long."""
        if not self._bag:
            self._bag = [row for row in self._rows for _ in range(row.weight)]
            self._random.shuffle(self._bag)
        return self._bag.pop()

    def _await_recovery(self):
        """Ready, and something new was receipted: the next fault shall strike what works."""
        deadline = time.monotonic() + _RECOVERY_MAX_S
        while (not all(world.is_ready() for world in self._worlds)
               and time.monotonic() < deadline):
            time.sleep(0.1)
        before = self._worlds[0].receipts()
        while self._worlds[0].receipts() <= before and time.monotonic() < deadline:
            time.sleep(0.1)

    def _write(self, what, number, name, seconds):
        self._log.write(f"{time.time_ns() // 1000}\t{time.monotonic_ns() // 1000}\t{what}\t"
                        f"{number}\t{name}\t{seconds}\n")
        self._log.flush()
