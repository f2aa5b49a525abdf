# SPDX-License-Identifier: MIT
"""What a run did: its faults and its changes of members, from faults.log and members.log."""
import bisect
import dataclasses
import math

COMMAND_US = 10_000_000      # a command is answered or given up in this time
AFTERMATH_US = 10_000_000    # after a fault's end, for which recovering is allowed


@dataclasses.dataclass
class Fault:
    number: str
    name: str
    begin_us: int            # monotonic
    end_us: float = math.inf
    line: str = ""


class Faults:
    def __init__(self, lines=()):
        self.all = []
        self.problems = []
        begun = {}
        for line in lines:
            f = line.split("\t")
            if len(f) < 5 or f[2] not in ("begin", "end"):
                self.problems.append(line)
            elif f[2] == "begin":
                begun[f[3]] = fault = Fault(f[3], f[4], int(f[1]), line=line)
                self.all.append(fault)
            elif f[3] in begun:
                begun.pop(f[3]).end_us = int(f[1])
            else:
                self.problems.append(line)
        self.problems += [fault.line for fault in begun.values()]
        self.all.sort(key=lambda fault: fault.begin_us)
        self._spans = _merge((f.begin_us, f.end_us) for f in self.all)
        self._troubled = _merge((f.begin_us, f.end_us + AFTERMATH_US) for f in self.all)

    def active(self, from_us, to_us):
        """Whether one was under way at some time of these."""
        return _overlaps(self._spans, from_us, to_us)

    def troubled(self, from_us, to_us):
        """The same, with the time after each that recovering may take."""
        return _overlaps(self._troubled, from_us, to_us)


def _merge(spans):
    merged = []
    for begin, end in sorted(spans):
        if merged and begin <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((begin, end))
    return merged


def _overlaps(spans, from_us, to_us):
    i = bisect.bisect_right(spans, (to_us, math.inf)) - 1
    return i >= 0 and spans[i][1] >= from_us


@dataclasses.dataclass
class Absence:
    """A user is no member: certainly so between these real times."""
    begin_us: float
    end_us: float
    line: str


class Members:
    """Who was a member when: as the cast says, and then as members.log does. `-` is written when
    the removal was answered, so nothing that happens later may reach the user; `+` before the
    addition is asked for, so nothing that happened before may."""

    def __init__(self, cast, lines=()):
        self.problems = []
        self._absences = {}   # (conversation, handle) -> [Absence …]
        self._changed = {}    # (conversation, handle) -> [monotonic µs …]
        self._initial = {id_: one.members for id_, one in cast.conversations.items()}
        self._now = {id_: set(members) for id_, members in self._initial.items()}
        for line in lines:
            f = line.split("\t")
            if len(f) < 5 or f[2] not in ("+", "-"):
                self.problems.append(line)
            else:
                self._change(int(f[0]), int(f[1]), f[2], f[3:5], line)

    def _change(self, real, monotonic, sign, key, line):
        conversation, handle = key
        members = self._now.setdefault(conversation, set())
        absences = self.absences_of(conversation, handle)
        self._changed.setdefault((conversation, handle), []).append(monotonic)
        if sign == "-" and handle in members:
            members.discard(handle)
            self._absences[conversation, handle] = [*absences, Absence(real, math.inf, line)]
        elif sign == "+" and handle not in members:
            members.add(handle)
            absences[-1].end_us = real

    def absences_of(self, conversation, handle):
        """When this user was no member; empty for those who always were."""
        found = self._absences.get((conversation, handle))
        if found is None:
            found = []
            if handle not in self._initial.get(conversation, ()):
                found.append(Absence(-math.inf, math.inf, "not a member in the cast"))
            self._absences[conversation, handle] = found
        return found

    def changed_within(self, conversation, handle, from_us, to_us):
        """Whether the membership changed in about this (monotonic) time."""
        return any(from_us - COMMAND_US <= at <= to_us + COMMAND_US
                   for at in self._changed.get((conversation, handle), ()))

    def ever_changed(self, conversation, handle):
        return (conversation, handle) in self._changed

    def conversations_at_end(self, handle):
        return [id_ for id_, members in self._now.items() if handle in members]


def read_lines(path):
    """The lines of a log; none if there is none."""
    try:
        with open(path, encoding="utf-8", newline="\n") as file:
            return [line.rstrip("\n") for line in file if line.strip()]
    except FileNotFoundError:
        return []
