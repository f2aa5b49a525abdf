# SPDX-License-Identifier: MIT
"""Two people who chat while the system is attacked, and a supervisor who asks whether it is ready.

Rule: they are strict. What they did not expect, or did not get in time, is written down with the
moment, and whoever runs the attacks asks for it after each of them."""
import contextlib
import json
import threading
import time

from support import Timeout, http
from support.faults import resident_kib
from support.log import whole_log
from support.wire import PUBACK, PUBLISH, take_properties, take_text

from books import SILENT, Books

LATEST = 20.0  # seconds that one message may take; a loaded machine is slow, a stalled server late
PAUSE = 0.03


class Chat(threading.Thread):
    """alice (MQTT 5 over TCP) and bob (MQTT 3.1.1 over WebSocket) take turns: each message has its
    receipt, the other's entry is the next thing that the other hears, and nothing else comes."""

    def __init__(self, alice, bob):
        super().__init__(name="chat", daemon=True)
        self._wires = [alice, bob]
        self._ending = threading.Event()
        self._turn = threading.Lock()  # held while a message is on its way
        self._failing = False
        self.problems = []
        self.books = Books(alice.account.handle, bob.account.handle)
        self.count = 0   # of messages
        self.times = []  # of each one, from its sender to the other's device
        self.conversation = self._introduce()

    def _introduce(self):
        """The first messages, beside which both hear of their new conversation."""
        conversation = None
        for wire, other in (self._wires, self._wires[::-1]):
            self._publish(wire, f"@{other.account.handle}")
            receipt = wire.publish_on("me/receipt", LATEST)[2]
            conversation = json.loads(receipt)["conversation"]
            self._book(wire).hear("me/receipt", receipt, conversation)
            topic = f"chat/{conversation}"
            self._book(other).hear(topic, other.publish_on(topic, LATEST)[2], conversation)
        return conversation

    def _book(self, wire):
        return self.books.of[wire.account.handle]

    def _publish(self, wire, to):
        self.count += 1
        name, text = f"n{self.count}", f"message {self.count}"
        self._book(wire).sent.append((name, text))
        wire.publish(f"send/{to}", json.dumps({"id": name, "text": text}).encode(),
                     mid=self.count % 65535 + 1)
        wire.receive(PUBACK, LATEST)

    def _hear(self, wire, topic):
        """What comes next; it must be this."""
        while True:
            body = wire.receive(PUBLISH, LATEST).body
            on, rest = take_text(body)
            payload = take_properties(rest)[1] if wire.version == 5 else rest
            self._book(wire).hear(on.decode(), payload, self.conversation)
            if on.decode() in SILENT or self._failing and self._is_echo(wire, payload):
                continue
            assert on.decode() == topic, f"{wire.account} heard {on!r} {payload[:300]!r}"
            return json.loads(payload)

    @staticmethod
    def _is_echo(wire, payload):
        return json.loads(payload).get("from") == wire.account.handle

    def _exchange(self, wire, other):
        began = time.monotonic()
        self._publish(wire, self.conversation)
        receipt = self._hear(wire, "me/receipt")
        assert receipt.get("seq") == self.count, receipt
        entry = self._hear(other, f"chat/{self.conversation}")
        assert entry.get("seq") == self.count, entry
        self.times.append(time.monotonic() - began)

    def run(self):
        wires = list(self._wires)
        while not self._ending.wait(PAUSE) and not self.problems:
            with self._turn:
                try:
                    self._exchange(*wires)
                except (AssertionError, OSError, ValueError) as problem:
                    self.problems.append(f"the chat was disturbed at message {self.count}: "
                                         f"{problem!r}")
            wires.reverse()

    @contextlib.contextmanager
    def failing(self):
        """Meanwhile the server is made to fail: their own entries may come to them as well."""
        self._failing = True
        yield
        self.balance()
        self._failing = False

    def balance(self, server=None):
        """Between two messages: all that has come to anybody is in the books, and these add up, if
        there is a `server` with its log, too. What does not is a problem."""
        with self._turn:
            if self.problems:
                return
            for wire in self._wires:
                seen = wire.attack(b"")
                for topic, payload in seen.published:
                    self._book(wire).hear(topic, payload, self.conversation)
                if seen.ended:
                    self.problems.append(f"{wire.account} was closed")
            self.problems += self.books.balance(self._failing)
            if server and not self.problems:
                log = whole_log(server, self._wires[0].account, self.conversation)
                self.problems += self.books.against(log)

    def go_on(self):
        """Waits for one whole exchange from now on: they are served."""
        wanted, deadline = len(self.times) + 2, time.monotonic() + 2 * LATEST
        while len(self.times) < wanted and not self.problems:
            if time.monotonic() > deadline:
                raise Timeout("the chat does not go on")
            time.sleep(0.01)

    def end(self):
        self._ending.set()
        self.join(2 * LATEST)


class Spies(threading.Thread):
    """eve's devices, which have subscribed to all that is granted and should hear nothing."""

    HEARD = {"me/heads"}
    INTERVAL = 3.0  # seconds between two looks, which are the signs of life, too

    def __init__(self, wires):
        super().__init__(name="spies", daemon=True)
        self._wires = wires
        self._ending = threading.Event()
        self.problems = []

    def _look(self, wire):
        seen = wire.attack(b"")
        self.problems += [f"eve heard {topic}: {payload[:200]!r}"
                          for topic, payload in seen.published if topic not in self.HEARD]
        if seen.ended:
            self.problems.append("eve was closed")

    def run(self):
        while not self.problems:
            ended = self._ending.wait(self.INTERVAL)
            for wire in self._wires:
                try:
                    self._look(wire)
                except (AssertionError, OSError) as problem:
                    self.problems.append(f"eve: {problem!r}")
            if ended:
                return

    def end(self):
        """Looks a last time."""
        self._ending.set()
        self.join(2 * LATEST)


class Watch(threading.Thread):
    """Looks at readiness, and at each process: is it still the same, and how large is it?"""

    PROCESSES = ("bridge", "broker")

    def __init__(self, system):
        super().__init__(name="watch", daemon=True)
        self._system = system
        self._ending = threading.Event()
        self.pids = system.status()["pids"]
        self._born = {pid: _started(pid) for pid in self.pids.values()}
        self._forgiving = False
        self.problems = []
        self.looks = 0
        self.at_first = self._sizes()
        self.largest = dict(self.at_first)

    def _sizes(self):
        return {name: resident_kib(self.pids[name]) for name in self.PROCESSES}

    @contextlib.contextmanager
    def unready(self):
        """Meanwhile it need not be ready; in the end it is."""
        self._forgiving = True
        yield
        self._system.wait_ready(timeout=60)
        self._forgiving = False

    def _look(self):
        forgiving = self._forgiving
        answer = http.request(self._system.http, "GET", "/readyz", timeout=LATEST)
        if answer.status != 200 and not (forgiving or self._forgiving):
            self.problems.append(f"not ready: {answer}")
        for name, pid in self.pids.items():
            if _started(pid) != self._born[pid]:
                self.problems.append(f"{name} is not the process any more that it was")
        sizes = self._sizes()
        self.largest = {name: max(size, self.largest[name]) for name, size in sizes.items()}
        self.looks += 1

    def run(self):
        while not self._ending.wait(0.2) and not self.problems:
            try:
                self._look()
            except OSError as problem:  # also a process that has gone
                self.problems.append(f"no answer about readiness, or a process gone: {problem!r}")

    def grown_kib(self):
        """The most that each process was larger than at first."""
        return {name: self.largest[name] - self.at_first[name] for name in self.at_first}

    def end(self):
        self._ending.set()
        self.join(2 * LATEST)


def _started(pid):
    """When the process began, in ticks since the machine did: a number that no other one has."""
    with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
        return file.read().rsplit(")", 1)[1].split()[19]
