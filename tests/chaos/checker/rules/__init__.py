# SPDX-License-Identifier: MIT
"""The table of rules, and what a rule is.

A rule has `handlers()`, from letters of the event log to functions of (device, columns), and
`finish()`, which is called when all logs have been read. Both report to run.violations."""

# id: what must hold, in the words of the report
TABLE = {
    "I0": "the run says enough to be judged",
    "I1": "everything receipted is stored, under the seq of the receipt",
    "I2": "no draft is stored twice",
    "I3": "seq is dense from 1 in every conversation",
    "I4": "nothing is receipted or delivered before its commit, or without one",
    "I5": "each connection's stream is in order, without repeats or silent holes",
    "I6": "the order of each sender's drafts is kept",
    "I7": "nothing reaches who is no member",
    "I8": "in the end every member's device has every entry, byte for byte",
    "I9": "receipts within 10 s of a fault's end, what was missed within 2 s of a reconnect",
    "I10": "memory stays below its ceiling and returns",
    "I11": "every draft is answered",
    "I12": "no client sees what the contract forbids",
}


class Rule:
    def __init__(self, run):
        self.run = run
        self.report = run.violations.add

    def handlers(self):
        return {}

    def finish(self):
        pass
