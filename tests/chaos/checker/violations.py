# SPDX-License-Identifier: MIT
"""What was found wrong: all of it is counted, the first of each rule are kept with their proof."""
import collections
import dataclasses

KEPT = 10
PROOF_LINES = 12
LINE_MAX = 400


@dataclasses.dataclass(frozen=True)
class Violation:
    rule: str
    sentence: str
    proof: tuple


class Violations:
    def __init__(self):
        self.counts = collections.Counter()
        self.kept = []

    def add(self, rule, sentence, *proof):
        """`proof`: lines of logs, or rows, as text or as the list of their columns."""
        self.counts[rule] += 1
        if self.counts[rule] <= KEPT:
            lines = tuple(as_line(one)[:LINE_MAX] for one in proof[:PROOF_LINES] if one)
            self.kept.append(Violation(rule, sentence, lines))

    def rules(self):
        """The rules that were violated, in order."""
        return sorted(self.counts, key=lambda rule: int(rule[1:]))


def as_line(columns):
    return columns if isinstance(columns, str) else "\t".join(map(str, columns))
