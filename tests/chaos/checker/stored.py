# SPDX-License-Identifier: MIT
"""What PostgreSQL holds: every entry of every conversation, as columns of numbers.

Rule: nothing is taken for granted that the database should see to, neither unique ids nor dense
sequence numbers: rows are read as they are, in the order of (conversation, seq)."""
import array
import re
import subprocess

TEXT = 1                       # banter.messages.kind
HOLE_MAX = 100_000             # a larger one is not kept as absent entries

# The rows' xmin is the transaction that wrote them last: an entry is written once, but for a text
# that was deleted, which is gone then (and its hash with it).
_ENTRIES = """COPY (
    SELECT m.conversation, m.seq, u.handle, m.id, m.kind,
           (extract(epoch FROM pg_xact_commit_timestamp(m.xmin)) * 1000000)::bigint, m.text
      FROM banter.messages m LEFT JOIN banter.users u ON u.id = m.sender
     ORDER BY m.conversation, m.seq) TO STDOUT"""
_HEADS = "COPY (SELECT id, last_seq FROM banter.conversations) TO STDOUT"
_NULL = "\\N"

_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v"}
_BEGIN = re.compile(r"(\S+/\S+) (\d+) ")  # of a text: handle/name n


def fnv1a(text):
    """FNV-1a, 64 bits, of the text in UTF-8."""
    value = 0xcbf29ce484222325
    for byte in text.encode():
        value = (value ^ byte) * 0x100000001b3 & 0xffffffffffffffff
    return value


class Conversation:
    """Entry `seq` is at index seq - 1; its kind is 0 if there is no such row."""
    __slots__ = ("id", "last_seq", "kinds", "hashes", "commits", "numbers", "authors", "handles",
                 "ids", "by_id")

    def __init__(self, id_):
        self.id = id_
        self.last_seq = None             # as banter.conversations has it; None: no such row
        self.kinds = bytearray()
        self.hashes = array.array("Q")   # of the text; 0: it is gone
        self.commits = array.array("q")  # µs; 0: not known
        self.numbers = array.array("Q")  # n of the draft; 0: none
        self.authors = []                # handle/name as the text says; None: no draft
        self.handles = []                # of the sender; None: the server
        self.ids = []
        self.by_id = {}                  # (handle, id) -> seq

    def __len__(self):
        return len(self.kinds)

    def has(self, seq):
        return 0 < seq <= len(self.kinds) and self.kinds[seq - 1] != 0

    def row(self, seq):
        """As proof."""
        if not self.has(seq):
            return f"table\t{self.id}\t{seq}\tno such row"
        i = seq - 1
        return (f"table\t{self.id}\t{seq}\t{self.handles[i]}\t{self.ids[i]}\tkind {self.kinds[i]}"
                f"\t{self.authors[i]} {self.numbers[i]}\t{self.hashes[i]:016x}"
                f"\tcommitted {self.commits[i]}")

    def put(self, handle, id_, kind, commit, author, number, hash_):
        self.handles.append(handle)
        self.ids.append(id_)
        self.kinds.append(kind)
        self.commits.append(commit)
        self.authors.append(author)
        self.numbers.append(number)
        self.hashes.append(hash_)


class Stored:
    def __init__(self):
        self.conversations = {}
        self.entries = 0
        self.undated = 0      # texts without a commit time
        self.broken = []      # (rule, sentence, proof) that reading alone has shown
        self._names = {}      # one object for each string that comes again and again

    def conversation(self, id_):
        found = self.conversations.get(id_)
        if found is None:
            found = self.conversations[id_] = Conversation(id_)
        return found

    def head(self, id_, last_seq):
        self.conversation(id_).last_seq = last_seq

    def _name(self, name):
        return self._names.setdefault(name, name)

    def entry(self, id_, seq, handle, draft_id, kind, commit, text):
        """One row, in the order of (conversation, seq)."""
        c = self.conversation(id_)
        if draft_id is not None and c.by_id.setdefault((handle, draft_id), seq) != seq:
            self.broken.append(("I2", f"{handle} has draft {draft_id} twice in {id_}",
                                (c.row(c.by_id[handle, draft_id]), f"and again as {seq}")))
        missing = seq - 1 - len(c)
        if missing != 0:
            self._hole(c, seq, missing)
            if not 0 < missing <= HOLE_MAX:
                return
        author, number = None, 0
        if kind == TEXT and text is not None and (begin := _BEGIN.match(text)):
            author, number = self._name(begin[1]), int(begin[2])
        c.put(self._name(handle) if handle else None, draft_id, kind, commit, author, number,
              fnv1a(text) if text is not None else 0)
        self.entries += 1
        self.undated += kind == TEXT and commit == 0

    def _hole(self, c, seq, missing):
        what = "is there twice" if missing < 0 else f"follows {len(c)}"
        self.broken.append(("I3", f"{c.id}: seq {seq} {what}", (c.row(len(c)),)))
        for _ in range(missing if missing <= HOLE_MAX else 0):
            c.put(None, None, 0, 0, None, 0, 0)


def _value(field):
    if field == _NULL:
        return None
    if "\\" in field:
        return _ESCAPE.sub(lambda match: _ESCAPES.get(match[1], match[1]), field)
    return field


def _copy(dsn, statement):
    """The rows of COPY … TO STDOUT, as lists of raw fields, as they come."""
    with subprocess.Popen(["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", dsn, "-c", statement],
                          stdout=subprocess.PIPE, text=True, encoding="utf-8") as process:
        for line in process.stdout:
            yield line[:-1].split("\t")
    if process.returncode != 0:
        raise RuntimeError(f"psql failed ({process.returncode})")


def load(dsn):
    stored = Stored()
    for id_, seq, handle, draft_id, kind, commit, text in _copy(dsn, _ENTRIES):
        stored.entry(id_, int(seq), _value(handle), _value(draft_id), int(kind),
                     0 if commit == _NULL else int(commit), _value(text))
    for id_, last_seq in _copy(dsn, _HEADS):
        stored.head(id_, int(last_seq))
    return stored
