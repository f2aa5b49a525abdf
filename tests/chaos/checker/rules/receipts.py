# SPDX-License-Identifier: MIT
"""I1 stored, I11 answered: what became of every draft."""
from ..devices import OWN
from ..stored import TEXT
from . import Rule

TRANSIENT = ("unavailable", "rate_limited", "out_of_order")
# Only these may refuse a draft for good, and only to whose membership changed.
MEMBERSHIP = ("forbidden", "not_found")


class Receipts(Rule):
    def handlers(self):
        return {"S": self.sent, "A": self.receipted, "N": self.refused}

    def sent(self, device, f):
        device.open[f[4], f[5]] = f

    def receipted(self, device, f):
        conversation, id_, seq = f[4], f[5], int(f[6])
        c = self.run.stored.conversations.get(conversation)
        stored = c.by_id.get((device.handle, id_)) if c else None
        draft = device.open.pop((conversation, id_), None)
        if stored is None:
            self.report("I1", f"{device.name} has a receipt for {id_}, which is not stored",
                        draft, f, c.row(seq) if c else f"table\t{conversation}\tno such row")
        elif stored != seq:
            self.report("I1", f"{device.name} has a receipt for {id_} that says {seq}, and it is "
                              f"stored as {stored}", draft, f, c.row(stored))
        elif draft:
            self._compare(device, draft, f, c, seq)
        elif not device.of(conversation).how(seq) & OWN:
            self.report("I0", f"{device.name} has a receipt for {id_}, which its log never sent", f)

    def _compare(self, device, draft, f, c, seq):
        """The first receipt: is what was stored what was sent?"""
        number = int(draft[6])
        if (c.authors[seq - 1], c.numbers[seq - 1]) != (device.name, number):
            if c.kinds[seq - 1] != TEXT or c.hashes[seq - 1] != 0:  # not one deleted since
                self.report("I1", f"{device.name} sent {number} as {f[5]}, and something else is "
                                  "stored", draft, f, c.row(seq))

    def refused(self, device, f):
        code = f[6]
        if code in TRANSIENT or (f[4], f[5]) not in device.open:
            return
        draft = device.open.pop((f[4], f[5]))
        if code in MEMBERSHIP and self.run.members.ever_changed(f[4], device.handle):
            return
        self.report("I11", f"{device.name}'s draft {f[5]} was refused for good: {code}", draft, f)

    def finish(self):
        for device in self.run.reader.devices.values():
            for draft in device.open.values():
                if not self._excused(device, draft):
                    self.report("I11", f"{device.name}'s draft {draft[5]} was never answered",
                                draft, device.last_line)

    def _excused(self, device, draft):
        """Who was put out of a conversation may stop asking."""
        return any(absence.end_us == float("inf")
                   for absence in self.run.members.absences_of(draft[4], device.handle))
