# SPDX-License-Identifier: MIT
"""One run of the suite, read and judged."""
import pathlib

from . import cast, stored, sql, world
from .devices import Reader
from .rules import complete, evidence, memory, receipts, recovery, stream, table
from .violations import Violations

SQL_RULES = ("I1", "I2", "I3", "I6")


class Run:
    """`logs`: the folder with the drivers' logs, faults.log, members.log and memory.log.
    `ceilings`: kB that a process may have at most, by name. `least`: see rules/evidence.py.
    `fired`: files in which fault points recorded (schema/base/fault_point.h), of each node."""

    def __init__(self, people, entries, logs, ceilings=None, least=None, fired=()):
        self.logs = pathlib.Path(logs)
        self.cast = people
        self.stored = entries
        self.violations = Violations()
        self.ceilings = ceilings or {}
        self.least = {**evidence.LEAST, **(least or {})}
        self.faults = world.Faults(world.read_lines(self.logs / "faults.log"))
        self.members_lines = world.read_lines(self.logs / "members.log")
        self.members = world.Members(people, self.members_lines)
        self.memory_lines = world.read_lines(self.logs / "memory.log")
        # What was armed and passed, however often: each arming has a time of its own.
        self.passed = {(path, line.split("\t")[-1]) for path in fired
                       for line in world.read_lines(path) if "\tbreak\t" not in line}
        self.lines_of = {}
        self.stream = stream.Stream(self)
        self.fault_rule = recovery.Faults(self)
        self.reconnects = recovery.Reconnects(self, self.fault_rule)
        self.memory = memory.Memory(self)
        # In this order for each event. Who looks at open drafts comes before who closes them.
        self.rules = [self.reconnects, self.fault_rule, receipts.Receipts(self), self.stream,
                      table.Table(self), complete.Complete(self), self.memory,
                      evidence.Contract(self), evidence.Evidence(self)]
        self.reader = Reader(people, self.rules)

    def log_of(self, driver):
        return self.logs / f"{driver}.log"

    def judge(self):
        for driver in self.cast.drivers:
            before = sum(self.reader.counts.values())
            if self.log_of(driver).exists():
                with open(self.log_of(driver), encoding="utf-8", newline="\n") as lines:
                    self.reader.read(lines)
            self.lines_of[driver] = sum(self.reader.counts.values()) - before
        for rule in self.rules:
            rule.finish()

    def compare(self, counted):
        """With what SQL found: {rule: how many}."""
        for rule in SQL_RULES:
            here, there = self.violations.counts[rule], counted.get(rule)
            if there is None or bool(here) != bool(there):
                self.violations.add("I0", f"of {rule} Python finds {here} violations and SQL "
                                          f"{there}")

    def amounts(self):
        counts = self.reader.counts
        return {"receipts": counts["A"], "deliveries": counts["D"] + counts["Y"],
                "syncs": counts["Z"], "faults": len(self.faults.all),
                "members": len(self.members_lines)}


def check(people, dsn, logs, ceilings=None, least=None, fired=()):
    """Reads everything and judges it. `people`: path of the cast file."""
    run = Run(cast.read(people), stored.load(dsn), logs, ceilings, least, fired)
    run.judge()
    run.compare(sql.count(dsn, [run.log_of(driver) for driver in run.cast.drivers]))
    return run
