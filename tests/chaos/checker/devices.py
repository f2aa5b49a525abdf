# SPDX-License-Identifier: MIT
"""Reads the event logs, line by line, and keeps what each device has.

A log line is real µs, monotonic µs, device, letter, fields. `Reader` calls what rules have
registered for the letter with (device, columns). Of connections (C, X, R, Z) the device knows then;
an entry (D, Y, A) counts as had only after the rules have seen it come."""
import collections

LIVE, SYNCED, OWN = 1, 2, 4   # how a device came to have an entry

COLUMNS = {"C": 4, "R": 4, "X": 4, "S": 7, "T": 6, "A": 7, "N": 7, "D": 10, "Y": 10, "G": 7,
           "Z": 6, "E": 4}    # at least, by letter


class Seen:
    """What a device has of one conversation."""
    __slots__ = ("have", "position", "connection", "live_seq", "live_us", "goal", "complete")

    def __init__(self):
        self.have = bytearray(64)  # index seq: how
        self.position = 0          # everything up to it is there
        self.connection = 0        # that the next two belong to
        self.live_seq = 0          # the last that came live
        self.live_us = 0           # and when
        self.goal = 0              # recovery.py: the position that the device waits for
        self.complete = 0          # of its last Z

    def how(self, seq):
        """How the entry is had; 0: not at all."""
        return self.have[seq] if seq < len(self.have) else 0

    def position_with(self, seq):
        """What `position` is when this entry is had too."""
        if seq != self.position + 1:
            return self.position
        end = self.have.find(0, seq + 1)
        return (end if end >= 0 else max(len(self.have), seq + 1)) - 1

    def mark(self, seq, how):
        position = self.position_with(seq)
        if seq >= len(self.have):
            self.have.extend(bytes(max(seq + 1 - len(self.have), len(self.have))))
        self.have[seq] |= how
        self.position = position


class Device:
    __slots__ = ("name", "handle", "role", "driver", "connection", "connected", "ready_us",
                 "waiting", "seen", "open", "counts", "last_line")

    def __init__(self, name, role, driver):
        self.name = name
        self.handle = name.split("/")[0]
        self.role = role
        self.driver = driver
        self.connection = 0    # number of its connections so far
        self.connected = False
        self.ready_us = 0      # the last time; 0: never
        self.waiting = 0       # recovery.py: conversations that have not reached their goal
        self.seen = {}         # conversation -> Seen
        self.open = {}         # (conversation, draft id) -> columns of its S
        self.counts = collections.Counter()
        self.last_line = None

    def of(self, conversation):
        seen = self.seen.get(conversation)
        if seen is None:
            seen = self.seen[conversation] = Seen()
        return seen


class Reader:
    def __init__(self, cast, rules):
        self.devices = {name: Device(name, role, cast.driver_of[name])
                        for name, role in cast.roles.items()}
        self.counts = collections.Counter()
        self.problems = []      # lines that are no events
        self._handlers = {letter: [] for letter in COLUMNS}
        for rule in rules:
            for letter, handler in rule.handlers().items():
                self._handlers[letter].append(handler)
        self._update = {"C": _connected, "X": _disconnected, "R": _ready, "Z": _complete}

    def read(self, lines):
        """Lines with their line ends: what has none was cut off."""
        for line in lines:
            f = line.rstrip("\n").split("\t")
            if len(f) < 4 or line[-1] != "\n" or len(f) < COLUMNS.get(f[3], 99):
                self.problems.append(line)
                continue
            device = self.devices.get(f[2])
            if device is None:
                self.problems.append(line)
                continue
            letter = f[3]
            self.counts[letter] += 1
            device.counts[letter] += 1
            device.last_line = f
            update = self._update.get(letter)
            if update:
                update(device, f)
            for handler in self._handlers[letter]:
                handler(device, f)
            if letter in "DYA":
                _have(device, f, letter)


def _connected(device, _columns):
    device.connection += 1
    device.connected = True


def _disconnected(device, _columns):
    device.connected = False


def _ready(device, columns):
    device.ready_us = int(columns[1])


def _complete(device, columns):
    seen = device.of(columns[4])
    seen.complete = max(seen.complete, int(columns[5]))


_HOW = {"D": LIVE, "Y": SYNCED, "A": OWN}


def _have(device, columns, letter):
    seq = int(columns[6] if letter == "A" else columns[5])
    seen = device.of(columns[4])
    seen.mark(seq, _HOW[letter])
    if letter == "D":
        seen.connection = device.connection
        seen.live_seq = seq
        seen.live_us = int(columns[1])
