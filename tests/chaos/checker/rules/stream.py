# SPDX-License-Identifier: MIT
"""I4 committed, I5 stream, I7 private, and of I8 the bytes: every entry that came to a device.

A device does not get its own drafts live: their receipts stand in for them, and a receipt may come
late, after a resend. So holes are looked for among the entries of all others.

Commit times are PostgreSQL's real time just before a transaction is made durable; a client cannot
have an entry earlier by the same clock. Stock clients in other languages have a clock of their own
making, with milliseconds: hence CLOCK_SLACK_US. Faults of the clock are those of the
bridge, which has no say in either."""
from ..devices import LIVE
from . import Rule

CLOCK_SLACK_US = 5000
# A removal counts from its answer on. What was written to a socket before may be read later, so an
# entry that was committed after the answer convicts at once; an older one only after this time,
# and only if nothing held up the network.
REMOVAL_GRACE_US = 30_000_000


class Stream(Rule):
    def __init__(self, run):
        super().__init__(run)
        self.holes = 0

    def handlers(self):
        return {"D": self.live, "Y": self.synced, "A": self.receipted}

    def live(self, device, f):
        seq = int(f[5])
        c = self._stored(device, f, seq)
        seen = device.of(f[4])
        if seen.how(seq) & LIVE:
            self.report("I5", f"{device.name} got {seq} live twice", f)
        elif seen.connection == device.connection:
            self._follows(device, f, c, seen, seq)
        if c:
            self._private(device, f, c, seq, True)

    def synced(self, device, f):
        seq = int(f[5])
        c = self._stored(device, f, seq)
        seen = device.of(f[4])
        if seq > seen.position + 1:
            self.report("I8", f"{device.name} had everything up to {seen.position}, and the sync "
                              f"went on with {seq}", f, c and c.row(seen.position + 1))
        if c:
            self._private(device, f, c, seq, False)

    def receipted(self, device, f):
        c = self.run.stored.conversations.get(f[4])
        seq = int(f[6])
        if c and c.has(seq):
            self._committed(device, f, c, seq)

    def _stored(self, device, f, seq):
        """The conversation, if it has this very entry."""
        c = self.run.stored.conversations.get(f[4])
        if c is None or not c.has(seq):
            self.report("I4", f"{device.name} got {seq}, which is not stored", f,
                        c.row(seq) if c else f"table\t{f[4]}\tno such conversation")
            return None
        self._committed(device, f, c, seq)
        i = seq - 1
        if f[7] != "-":
            if (f[6], f[8], int(f[7])) != (c.handles[i], c.ids[i], c.numbers[i]) and c.hashes[i]:
                self.report("I4", f"{device.name} got another {seq} than is stored", f, c.row(seq))
            elif c.hashes[i] and int(f[9], 16) != c.hashes[i]:
                self.report("I8", f"{device.name} got {seq} with another text", f, c.row(seq))
        return c

    def _committed(self, device, f, c, seq):
        early = c.commits[seq - 1] - int(f[0])
        if early > CLOCK_SLACK_US:
            self.report("I4", f"{device.name} heard of {seq} {early / 1000:.1f} ms before its "
                              "commit", f, c.row(seq))

    def _follows(self, device, f, c, seen, seq):
        """After what came before on this connection."""
        if seq < seen.live_seq:
            self.report("I5", f"{device.name} got {seq} after {seen.live_seq}", f)
        elif seq > seen.live_seq + 1 and c:
            hole = [n for n in range(seen.live_seq + 1, seq)
                    if not c.has(n) or c.authors[n - 1] != device.name]
            if hole:
                self._hole(device, f, c, seen, hole)

    def _hole(self, device, f, c, seen, hole):
        """Lost after it was committed, and after what came before it."""
        self.holes += 1
        now = int(f[1])
        since = max(seen.live_us, c.commits[hole[0] - 1] + now - int(f[0]) if c.has(hole[0]) else 0)
        if (device.role == "normal" and not self.run.faults.troubled(since, now)
                and not self.run.members.changed_within(f[4], device.handle, since, now)):
            self.report("I5", f"{device.name} got {seen.live_seq} and then {f[5]}, although "
                              "nothing was wrong", f, *map(c.row, hole[:3]))

    def _private(self, device, f, c, seq, is_live):
        absences = self.run.members.absences_of(f[4], device.handle)
        if not absences:
            return
        commit, now = c.commits[seq - 1], int(f[0])
        for absence in absences:
            ends = commit if is_live else now
            if absence.begin_us < commit and ends < absence.end_us:
                what = "was committed while its user was no member"
            elif self._too_late(device, f, absence, now):
                what = "came long after its user was removed"
            else:
                continue
            self.report("I7", f"{device.name} got {seq}, which {what}", absence.line, f,
                        c.row(seq))

    def _too_late(self, device, f, absence, now):
        monotonic = int(f[1])
        return (absence.begin_us + REMOVAL_GRACE_US < now < absence.end_us
                and device.role == "normal"
                and not self.run.faults.troubled(monotonic - REMOVAL_GRACE_US, monotonic))
