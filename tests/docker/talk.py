# SPDX-License-Identifier: MIT
"""Two people who talk while something happens, and the judgement afterwards."""
import itertools
import threading
import time

from support import wait_until
from support.log import assert_dense, assert_heard_in_order, whole_log

INTERVAL_S = 0.02


class Talk:
    """A thread has `sender` say something to `reader` every 20 ms. A device that loses its
    connection connects again and sends once more whatever has no receipt, as the contract demands.
    """

    def __init__(self, stack, sender, reader):
        self._stack = stack
        self._sender, self._reader = sender, reader
        self._count = itertools.count()
        self._sent = {}  # id -> text, in order
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.reconnects = 0
        receipt = sender.say(f"@{reader.account.handle}", "first")
        self.conversation = receipt["conversation"]
        self._base = receipt["seq"]

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_error):
        self._stop.set()
        self._thread.join(60)

    def _run(self):
        while not self._stop.wait(INTERVAL_S):
            if not self._sender.connected:
                self._come_back(self._sender)
                for id, text in self._unanswered():
                    self._sender.send(self.conversation, text, id)
            number = next(self._count)
            text = f"message {number}"
            try:
                self._sent[self._sender.send(self.conversation, text, f"m{number}")] = text
            except ConnectionError:
                self._sent[f"m{number}"] = text  # it goes with the next connection

    def _come_back(self, device):
        deadline = time.monotonic() + 60
        while True:
            try:
                device.reconnect()
                self.reconnects += 1
                return
            except (AssertionError, OSError):
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)

    def _answered(self):
        return {receipt["id"] for receipt in self._sender.receipts() if "error" not in receipt}

    def _unanswered(self):
        answered = self._answered()
        return [(id, text) for id, text in self._sent.items() if id not in answered]

    def sent(self):
        return len(self._sent)

    def wait_more(self, count, timeout=30):
        """Until so many more have been sent and have a receipt."""
        goal = len(self._answered()) + count
        wait_until(lambda: len(self._answered()) >= goal, timeout, f"{count} more receipts",
                   interval=0.05)

    def assert_nothing_lost(self):
        """After the end: every message has its receipt and stands in the history once, in the order
        in which it was sent; the reader knows all of it, live or from there."""
        assert not self._thread.is_alive()
        if not self._sender.connected:
            self._come_back(self._sender)
        for id, text in self._unanswered():
            self._sender.send(self.conversation, text, id)
        wait_until(lambda: not self._unanswered(), 20, "a receipt for each message")
        entries = whole_log(self._stack, self._reader.account, self.conversation)
        assert_dense(entries)
        said = [entry["text"] for entry in entries if entry["seq"] > self._base]
        assert said == list(self._sent.values())
        assert_heard_in_order(self._reader, self.conversation)
        if self._reader.connected:
            last = entries[-1]["seq"]
            self._reader.wait_entry(self.conversation, seq=last)
