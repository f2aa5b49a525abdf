# SPDX-License-Identifier: MIT
"""What a device remembers, and what it writes down: the same for every client library.

Rule: drafts go oldest first, each time; ../driver/outbox.c says why."""
import collections
import json
import random
import threading
import time

OPEN_MAX = 32
SILENCE_S = 5.0
SILENCE_MAX_S = 20.0
PATIENCE_S = 1.0
BACKOFF_S = (0.1, 2.0)
TURN_S = 0.02
SYNC_LIMIT = 500
PIECES = ("and then ", "nobody was there ", "a line\nand another ", '"quoted" ', "back\\slash ",
          "\tindented ", '{"seq":1} ', "'; drop -- ", "naïve café ", "東京都 ", "שלום ", "👩‍👧 ")


def fnv(text):
    """FNV-1a, 64 bits."""
    value = 0xCBF29CE484222325
    for byte in text.encode():
        value = ((value ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return f"{value:016x}"


class Log:
    """Lines of events from all threads; written out by the main one."""

    def __init__(self, path):
        self.file = open(path, "a", encoding="utf-8", newline="\n")
        self.lock = threading.Lock()

    def put(self, device, letter, *fields):
        cells = (str(field).replace("\t", " ").replace("\n", " ") for field in fields)
        with self.lock:
            times = f"{time.time_ns() // 1000}\t{time.monotonic_ns() // 1000}"
            self.file.write("\t".join((times, device, letter, *cells)) + "\n")

    def flush(self):
        with self.lock:
            self.file.flush()


class Outbox:
    """The drafts of one device in one conversation without a receipt; driver/outbox.c says why
    rounds begin with the oldest."""

    def __init__(self):
        self.drafts = {}  # n -> [payload, time of the first publish or None]
        self.flying = set()
        self.next = 1
        self.cursor = 1
        self.owed = None  # (n, payload): the server waits for it, whether it is open or not
        self.retry = None  # when the next round may begin
        self.refusals = 0
        self.heard = 0.0
        self.silence = SILENCE_S

    def restart(self):
        self.flying.clear()
        self.cursor = min(self.drafts, default=self.next)
        self.retry = None

    def take(self, now):
        """(n, payload, published before) of the next one, or None."""
        if self.retry is not None:
            if now < self.retry or (self.flying and now < self.retry + PATIENCE_S):
                return None
            self.restart()
        if self.owed and self.owed[0] not in self.drafts:
            (n, payload), self.owed = self.owed, None
            return n, payload, True
        while self.cursor < self.next and self.cursor not in self.drafts:
            self.cursor += 1
        if self.cursor >= self.next:
            return None
        n, self.cursor = self.cursor, self.cursor + 1
        if self.owed and self.owed[0] == n:
            self.owed = None
        draft = self.drafts[n]
        again = draft[1] is not None
        if not again:
            draft[1] = now
        if not self.flying:
            self.heard = now
        self.flying.add(n)
        return n, draft[0], again

    def answered(self, n, now):
        self.flying.discard(n)
        self.heard, self.silence = now, SILENCE_S

    def close(self, n, now):
        """The time of the first publish; None if it was not open."""
        if n not in self.drafts:
            return None
        self.answered(n, now)
        self.refusals = 0
        return self.drafts.pop(n)[1]

    def refuse(self, n, payload, now, wait):
        """`payload`: of a draft that the server waits for from now on, else None."""
        if n in self.drafts:
            self.answered(n, now)
        elif not payload:
            return
        if payload:
            self.owed = (n, payload)
        if self.retry is None:
            self.retry = now + max(wait, 0.1 * 2 ** self.refusals * (1 + random.random()))
            self.refusals = min(self.refusals + 1, 4)

    def check_silence(self, now):
        if self.flying and self.retry is None and now > self.heard + self.silence:
            self.silence = min(2 * self.silence, SILENCE_MAX_S)
            self.restart()


class Seat:
    """A device's place in one conversation: what it has of it, and what it wrote."""

    def __init__(self, conversation, posts):
        self.id = conversation
        self.posts = posts
        self.member = True
        self.position = 0
        self.beyond = set()
        self.head = 0
        self.live = 0
        self.outbox = Outbox()
        self.late = collections.deque(maxlen=OPEN_MAX)  # (n, payload) with their receipt

    def mark(self, seq):
        new = seq > self.position and seq not in self.beyond
        self.head = max(self.head, seq)
        if new:
            self.beyond.add(seq)
        while self.position + 1 in self.beyond:
            self.position += 1
            self.beyond.discard(self.position)
        return new

    def hole_before(self, seq):
        while seq - 1 > self.position and seq - 1 not in self.beyond:
            seq -= 1
        return seq


class Member:
    """What devices over MQTT and over HTTP have in common."""

    def __init__(self, run, user, device, conversations):
        self.run = run
        self.name = f"{user['handle']}/{device['name']}"
        self.short = device["name"]
        self.handle, self.token = user["handle"], user["token"]
        self.role = device["role"]
        self.random = random.Random(f"{run.cast['seed']} {self.name}")
        self.orders = collections.deque()  # conversations in which to open a draft
        self.finished = False
        self.seats = {}
        for conversation in conversations:
            if user["handle"] in conversation["members"]:
                posts = user["handle"] in conversation["posters"] and self.role != "mute"
                self.seats[conversation["id"]] = Seat(conversation["id"], posts)

    def log(self, letter, *fields):
        self.run.log.put(self.name, letter, *fields)

    def seat(self, conversation):
        return self.seats.setdefault(conversation, Seat(conversation, False))

    def id_of(self, n):
        return f"{self.short}-{self.run.nonce}-{n}"

    def number_of(self, draft_id):
        start, _, n = draft_id.rpartition("-")
        if start != f"{self.short}-{self.run.nonce}" or not n.isdigit():
            raise ValueError(f"not a draft of this device: {draft_id}")
        return int(n)

    def write_draft(self, n):
        roll = self.random.randrange(20000)
        length = 100000 if roll == 1 else 10000 if roll % 500 == 2 else 50 + roll % 250
        text = f"{self.name} {n} "
        while len(text) < length:
            text += self.random.choice(PIECES)
        return json.dumps({"id": self.id_of(n), "text": text[:length]}, ensure_ascii=False)

    def open_drafts(self):
        while self.orders:
            seat = self.seats[self.orders.popleft()]
            if len(seat.outbox.drafts) < OPEN_MAX and seat.member:
                n = seat.outbox.next
                seat.outbox.drafts[n] = [self.write_draft(n), None]
                seat.outbox.next += 1

    def log_publish(self, seat, n, again):
        if again:
            self.log("T", seat.id, self.id_of(n))
            self.run.count("resent")
        else:
            self.log("S", seat.id, self.id_of(n), n)
            self.run.count("sent")

    def stored(self, seat, n, receipt, now):
        self.log("A", seat.id, receipt["id"], receipt["seq"], receipt["at"])
        payload = seat.outbox.drafts.get(n, (None,))[0]
        first = seat.outbox.close(n, now)
        if first is not None:
            self.run.count("receipted")
            self.run.worst(now - first)
            seat.late.append((n, payload))

    def entry(self, entry, letter):
        """Logs an entry; true if it was missing."""
        seat = self.seat(entry["conversation"])
        sender = entry.get("from", "-")
        if entry["kind"] == "text" and "text" in entry:
            words = entry["text"].split(" ", 2)
            n = words[1] if len(words) == 3 and "/" in words[0] and words[1].isdigit() else "-"
            self.log(letter, seat.id, entry["seq"], sender, n, entry["id"], fnv(entry["text"]))
        else:
            self.log(letter, seat.id, entry["seq"], sender, "-", "-", entry["kind"])
        self.run.count("delivered" if letter == "D" else "replayed")
        return seat.mark(entry["seq"])

    def judge(self, conversation):
        """Whether nothing is missing up to the last_seq that a sync told."""
        seat = self.seat(conversation["conversation"])
        seat.member = True
        seat.head = max(seat.head, conversation["last_seq"])
        if seat.position < conversation["last_seq"]:
            return False
        self.log("Z", seat.id, seat.position)
        return True

    def is_behind(self):
        return any(s.member and s.head > s.position for s in self.seats.values())
