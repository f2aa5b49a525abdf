# SPDX-License-Identifier: MIT
"""I9 recovers: new receipts soon after each fault, and what was missed soon after each reconnect.

A fault is judged by the first receipt for a draft that was first sent after the fault's end: others
may have been on their way when it struck. If the next fault begins before one came,
but also before the time is up, nothing can be said of the first, and it counts as not judged; the
last of such a row is judged. A reconnect is judged unless a fault was under way meanwhile, or had
ended before without anybody having been receipted since."""
import bisect

from . import Rule

RECEIPT_US = 10_000_000
MISSED_US = 2_000_000
MISSED_ROLES = ("normal", "resend")


class Faults(Rule):
    """How long after each the first new receipt came."""

    def __init__(self, run):
        super().__init__(run)
        self.faults = sorted(run.faults.all, key=lambda fault: fault.end_us)
        self.ends = [fault.end_us for fault in self.faults]
        # The first receipt for a draft sent after this fault's end and before that of the next.
        self.firsts = [None] * len(self.faults)
        self.asked_us = 0    # the last time that somebody waited for a receipt
        self.times = []      # µs
        self.unjudged = 0

    def handlers(self):
        return {"S": self.asked, "T": self.asked_again, "A": self.receipted}

    def asked(self, _device, f):
        self.asked_us = max(self.asked_us, int(f[1]))

    def asked_again(self, device, f):
        if (f[4], f[5]) in device.open:
            self.asked(device, f)

    def receipted(self, device, f):
        draft = device.open.get((f[4], f[5]))
        i = bisect.bisect_right(self.ends, int(draft[1])) - 1 if draft else -1
        if i >= 0 and (self.firsts[i] is None or int(f[1]) < self.firsts[i]):
            self.firsts[i] = int(f[1])

    def finish(self):
        first = None
        for i in range(len(self.faults) - 1, -1, -1):
            fault = self.faults[i]
            first = self.firsts[i] if self.firsts[i] is not None else first
            taken = None if first is None else first - fault.end_us
            if taken is not None and taken <= RECEIPT_US:
                self.times.append(taken)
            elif self._was_disturbed(fault):
                self.unjudged += 1
            else:
                how = "never" if taken is None else f"after {taken / 1e6:.1f} s"
                self.report("I9", f"after fault {fault.number} ({fault.name}) the first new "
                                  f"receipt came {how}", fault.line)

    def _was_disturbed(self, fault):
        """Another fault came in between, or nobody was asking any more."""
        until = fault.end_us + RECEIPT_US
        return until > self.asked_us or any(
            other is not fault and other.begin_us < until and other.end_us > fault.end_us
            for other in self.faults)

    def is_troubled(self, from_us, to_us):
        """Whether a fault was under way, or was not yet recovered from."""
        i = bisect.bisect_right(self.ends, to_us) - 1
        return (self.run.faults.active(from_us, to_us)
                or i >= 0 and (self.firsts[i] is None or self.firsts[i] > from_us))


class Reconnects(Rule):
    """How long after me/ready a device had what was committed before it."""

    def __init__(self, run, faults):
        super().__init__(run)
        self._faults = faults
        self._all = []       # (device's name, ready µs, until µs, whether it had all, columns)
        self.times = []      # µs, of those judged
        self.unjudged = 0

    def handlers(self):
        return {"R": self.ready, "D": self.entry, "Y": self.entry, "A": self.receipted,
                "X": self.gone, "C": self.gone}

    def ready(self, device, f):
        device.waiting = 0
        if device.role not in MISSED_ROLES:
            return
        for conversation in self.run.cast.conversations_of.get(device.handle, ()):
            c = self.run.stored.conversations.get(conversation)
            seen = device.of(conversation)
            seen.goal = 0
            if c is None or self.run.members.ever_changed(conversation, device.handle):
                continue
            head = bisect.bisect_right(c.commits, int(f[0]))
            if seen.position < head:
                seen.goal = head
                device.waiting += 1

    def entry(self, device, f):
        if device.waiting:
            self._came(device, f, int(f[5]))

    def receipted(self, device, f):
        if device.waiting:
            self._came(device, f, int(f[6]))

    def _came(self, device, f, seq):
        seen = device.of(f[4])
        if seen.goal and seen.position_with(seq) >= seen.goal:
            seen.goal = 0
            device.waiting -= 1
            if device.waiting == 0:
                self._all.append((device.name, device.ready_us, int(f[1]), True, f))

    def gone(self, device, f):
        """A connection ended, or another began, before everything was there."""
        if device.waiting:
            self._all.append((device.name, device.ready_us, int(f[1]), False, f))
        device.waiting = 0

    def finish(self):
        for device in self.run.reader.devices.values():
            if device.waiting:
                self.gone(device, device.last_line)
        for name, ready_us, until_us, had_all, f in self._all:
            taken = until_us - ready_us
            if (self._faults.is_troubled(ready_us, min(until_us, ready_us + MISSED_US))
                    or not had_all and taken <= MISSED_US):
                self.unjudged += 1
                continue
            self.times.append(taken)
            if taken > MISSED_US:
                how = "and had" if had_all else "and had not"
                self.report("I9", f"{name} was ready at {ready_us}, {how} {taken / 1e6:.2f} s "
                                  "later what it had missed", f)
