# SPDX-License-Identifier: MIT
"""What alice and bob have sent and what each of them got, written down as it came and balanced
after each attack: every draft has one receipt and is heard once, by the other one, in the order of
`seq`.

Rule: what comes is entered before anybody judges it, also what nobody expected."""
import dataclasses
import itertools
import json

SILENT = ("me/heads",)  # may come at any time and says nothing


@dataclasses.dataclass
class Book:
    """One person's: the page that is open. What was balanced is put away."""
    handle: str
    sent: list = dataclasses.field(default_factory=list)      # (id, text)
    receipts: list = dataclasses.field(default_factory=list)
    entries: list = dataclasses.field(default_factory=list)   # of the conversation
    echoes: list = dataclasses.field(default_factory=list)    # the own ones among them
    others: list = dataclasses.field(default_factory=list)    # (topic, payload) of all else

    def hear(self, topic, payload, conversation):
        if topic == "me/receipt":
            self.receipts.append(json.loads(payload))
        elif topic == f"chat/{conversation}":
            entry = json.loads(payload)
            (self.echoes if entry.get("from") == self.handle else self.entries).append(entry)
        elif topic not in SILENT:
            self.others.append((topic, payload))

    def clear(self):
        for page in (self.sent, self.receipts, self.entries, self.echoes, self.others):
            page.clear()


def _line(entry):
    return entry.get("seq"), entry.get("from"), entry.get("text")


class Books:
    """Of two people in one conversation, which nobody else is in."""

    def __init__(self, *handles):
        self.of = {handle: Book(handle) for handle in handles}
        self.stored = []  # (seq, from, text) of all that was balanced, by `seq`
        self._echoed = set()

    def _sent(self):
        """(What the drafts have become, what is wrong with their receipts.)"""
        stored, wrong = [], []
        for book in self.of.values():
            ids = [receipt.get("id") for receipt in book.receipts]
            if ids != [name for name, _ in book.sent]:
                wrong.append(f"{book.handle} sent {book.sent} and has the receipts {ids}")
            seqs = [receipt.get("seq") for receipt in book.receipts]
            if None in seqs or seqs != sorted(set(seqs)):
                wrong.append(f"{book.handle} has receipts without or with odd numbers: {seqs}")
            stored += [(seq, book.handle, text) for seq, (_, text) in zip(seqs, book.sent)]
        return stored, wrong

    def _echoes(self, book, stored, failing):
        """After a failure in the server who posted an entry may get it as well, but once."""
        for line in map(_line, book.echoes):
            if not failing or line not in stored or line in self._echoed:
                yield f"{book.handle} got the own entry {line}"
            self._echoed.add(line)

    def balance(self, failing=False):
        """Between two messages: what does not add up, as sentences. What does is put away.
        `failing`: the server has been made to."""
        stored, wrong = self._sent()
        if wrong:
            return wrong
        stored.sort()
        first = len(self.stored) + 1
        if [seq for seq, _, _ in stored] != list(range(first, first + len(stored))):
            wrong.append(f"from {first} on there are {[seq for seq, _, _ in stored]}")
        for book in self.of.values():
            wanted = [line for line in stored if line[1] != book.handle]
            got = [_line(entry) for entry in book.entries]
            if got != wanted:
                pairs = itertools.zip_longest(got, wanted)
                wrong.append(f"{book.handle} got {next(p for p in pairs if p[0] != p[1])}, that "
                             "is, the first and not the second")
            wrong += self._echoes(book, self.stored + stored, failing)
            if book.others:
                wrong.append(f"{book.handle} heard {book.others}")
        if not wrong:
            self.stored += stored
            for book in self.of.values():
                book.clear()
        return wrong

    def against(self, log):
        """What is wrong with the server's log, entries in their order, as long as it is one of a
        balanced moment."""
        lines = [_line(entry) for entry in log]
        if lines == self.stored:
            return []
        pairs = itertools.zip_longest(lines, self.stored)
        return [f"the log has {next(p for p in pairs if p[0] != p[1])}, that is, the first and not "
                "the second"]
