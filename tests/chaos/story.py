# SPDX-License-Identifier: MIT
"""A run of the chaos suite told by hand, for test_checker.py: a cast, a table and logs.

a, b and c talk in a group; x is a stranger, who talks with c in another one. `Story.good()` is a
run in which nothing went wrong; a test then changes what it is about."""
from checker import run as runs
from checker.cast import Cast
from checker.stored import TEXT, Stored, fnv1a

GROUP, OTHER = "018f0000-0000-7000-8000-000000000001", "018f0000-0000-7000-8000-000000000002"
REAL_US, MONOTONIC_US = 1_790_000_000_000_000, 5_000_000_000
SECOND = 1_000_000
LEAST = {"receipts": 5, "deliveries": 5, "syncs": 2, "faults": 1}
FIRST, FAULT, LAST = 8, 3 * SECOND, 20 * SECOND


class Story:
    def __init__(self, directory):
        self.directory = directory
        self.now = 0
        self.entries = {GROUP: [], OTHER: []}   # rows: seq, handle, id, kind, commit, text
        self.heads = {}
        self.events = {"c": [], "paho": []}
        self.faults, self.members, self.memory = [], [], []
        self.roles = {"a/d0": "normal", "b/d0": "normal", "b/d1": "slow", "c/d0": "normal",
                      "x/d0": "normal"}

    # ---------------------------------------------------------------- telling

    def stamp(self, at=None):
        at = self.now if at is None else at
        return [REAL_US + at, MONOTONIC_US + at]

    def tick(self, us=10_000):
        self.now += us

    def log(self, device, letter, *fields, at=None):
        driver = "paho" if device.startswith("x") else "c"
        self.events[driver].append([*self.stamp(at), device, letter, *fields])
        self.tick(1000)

    def store(self, author, n, conversation=GROUP, id_=None, seq=None):
        rows = self.entries[conversation]
        text = f"{author} {n} and some filler, naïve"
        rows.append([seq or len(rows) + 1, author.split("/")[0], id_ or f"d0-{n}", TEXT,
                     REAL_US + self.now, text])
        self.tick(1000)
        return rows[-1]

    def entry_fields(self, row, conversation=GROUP):
        return [conversation, row[0], row[1], row[5].split()[1], row[2], f"{fnv1a(row[5]):016x}"]

    def send(self, author, n, conversation=GROUP):
        self.log(author, "S", conversation, f"d0-{n}", n)

    def receipt(self, author, row, conversation=GROUP, **more):
        self.log(author, "A", conversation, row[2], row[0], "2026-11-22T10:00:00.000Z", **more)

    def deliver(self, device, row, letter="D", conversation=GROUP, **more):
        self.log(device, letter, *self.entry_fields(row, conversation), **more)

    def connect(self, *devices):
        for device in devices:
            self.log(device, "C")
            self.log(device, "R")

    def talk(self, author, n):
        """The usual: sent, stored, receipted, delivered to the others of the group."""
        self.send(author, n)
        row = self.store(author, n)
        self.receipt(author, row)
        for device in ("a/d0", "b/d0", "b/d1", "c/d0"):
            if device != author:
                self.deliver(device, row)
        self.tick()
        return row

    def fault(self, begin_us, end_us, name="kill.bridge"):
        number = len(self.faults) // 2 + 1
        self.faults += [[*self.stamp(begin_us), "begin", number, name, 1],
                        [*self.stamp(end_us), "end", number, name, 1]]

    def member(self, sign, handle, conversation=GROUP):
        self.members.append([*self.stamp(), sign, conversation, handle])

    def finish(self):
        for device in ("a/d0", "b/d0", "b/d1", "c/d0"):
            self.log(device, "Z", GROUP, len(self.entries[GROUP]))
        for device in ("c/d0", "x/d0"):
            self.log(device, "Z", OTHER, len(self.entries[OTHER]))

    def sample_memory(self, until_us):
        for at in range(0, until_us, SECOND // 2):
            for name in ("broker", "bridge"):
                self.memory.append([self.stamp(at)[1], name, 17, 40_000, 30])

    @classmethod
    def good(cls, directory):
        """8 messages, a fault, 8 more, and the end."""
        story = cls(directory)
        story.connect(*story.roles)
        row = story.store("c/d0", 1, OTHER)
        story.log("c/d0", "S", OTHER, "d0-1", 1, at=story.now - 1500)
        story.receipt("c/d0", row, OTHER)
        story.deliver("x/d0", row, conversation=OTHER)
        for n in range(1, FIRST + 1):
            story.talk("a/d0" if n % 2 else "b/d0", n)
        story.now = FAULT + SECOND
        story.fault(FAULT, FAULT + SECOND)
        for n in range(FIRST + 1, 2 * FIRST + 1):
            story.talk("a/d0" if n % 2 else "b/d0", n)
        story.sample_memory(LAST)
        story.now = LAST
        return story

    # ---------------------------------------------------------------- judging

    def write(self):
        def lines(rows):
            return "".join("\t".join(map(str, row)) + "\n" for row in rows)
        for driver, events in self.events.items():
            (self.directory / f"{driver}.log").write_text(lines(events), encoding="utf-8")
        for name in ("faults", "members", "memory"):
            (self.directory / f"{name}.log").write_text(lines(getattr(self, name)))

    def cast(self):
        handles = sorted({name.split("/")[0] for name in self.roles})
        return Cast({
            "seed": 1,
            "users": [{"handle": handle, "driver": "paho" if handle == "x" else "c",
                       "devices": [{"name": name.split("/")[1], "role": role}
                                   for name, role in self.roles.items()
                                   if name.startswith(handle + "/")]} for handle in handles],
            "conversations": [
                {"id": GROUP, "type": "group", "members": ["a", "b", "c"],
                 "posters": ["a", "b", "c"]},
                {"id": OTHER, "type": "group", "members": ["c", "x"], "posters": ["c"]}]})

    def stored(self):
        stored = Stored()
        for conversation, rows in self.entries.items():
            for seq, handle, id_, kind, commit, text in rows:
                stored.entry(conversation, seq, handle, id_, kind, commit, text)
            stored.head(conversation, self.heads.get(conversation, len(rows)))
        return stored

    def judge(self, write=True, fired=()):
        """The run, judged: `violations.counts` says what was found."""
        if write:
            self.write()
        run = runs.Run(self.cast(), self.stored(), self.directory, least=LEAST,
                       fired=fired)
        run.judge()
        return run

    def found(self):
        return set(self.judge().violations.rules())
