# SPDX-License-Identifier: MIT
"""I2 once, I3 dense, I6 order: what the stored entries show by themselves."""
from . import Rule


class Table(Rule):
    def finish(self):
        for rule, sentence, proof in self.run.stored.broken:
            self.report(rule, sentence, *proof)
        for c in self.run.stored.conversations.values():
            self._head(c)
            self._order(c)

    def _head(self, c):
        if c.last_seq is None:
            self.report("I3", f"{c.id} has entries and is no conversation", c.row(len(c)))
        elif c.last_seq != len(c):
            self.report("I3", f"{c.id}: last_seq is {c.last_seq}, and {len(c)} the highest seq",
                        c.row(len(c)))

    def _order(self, c):
        """n of each device must rise with seq."""
        last = {}
        for i, author in enumerate(c.authors):
            if author is None:
                continue
            if author.split("/")[0] != c.handles[i]:
                self.report("I1", f"{c.id} {i + 1}: stored under the name of somebody else",
                            c.row(i + 1))
            before = last.get(author)
            if before is not None and c.numbers[i] <= c.numbers[before]:
                self.report("I6", f"{author} sent {c.numbers[i]} before {c.numbers[before]}, and "
                                  "it is stored after it", c.row(before + 1), c.row(i + 1))
            last[author] = i
