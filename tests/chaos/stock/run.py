# SPDX-License-Identifier: MIT
"""The devices of one process: what they share, the orders on stdin and the status on stdout."""
import collections
import json
import os
import random
import select
import sys
import threading
import time

from stock.keeping import OPEN_MAX, TURN_S, Log


class Run:
    """All devices, and what they share."""

    def __init__(self, path, name, log, make_device):
        """`make_device(run, user, device, conversations, index)` makes a keeping.Member."""
        with open(path, encoding="utf-8") as file:
            self.cast = json.load(file)
        self.log = Log(log)
        self.nonce = os.urandom(4).hex()
        self.random = random.Random(self.cast["seed"])
        self.rate = self.cast["rate"]
        self.stopped = self.finishing = self.over = False
        self.lock = threading.Lock()
        self.tally = collections.Counter()
        self.worst_s = 0.0
        self.devices = []
        for user in self.cast["users"]:
            if user["driver"] == name:
                self.add_user(user, make_device)
        self.posts = [(device, seat) for device in self.devices
                      for seat in device.seats.values() if seat.posts]

    def add_user(self, user, make_device):
        for device in user["devices"]:
            self.devices.append(make_device(self, user, device, self.cast["conversations"],
                                            len(self.devices)))

    def count(self, what, by=1):
        with self.lock:
            self.tally[what] += by

    def worst(self, seconds):
        with self.lock:
            self.worst_s = max(self.worst_s, seconds)

    def obey(self, line):
        word, _, argument = line.strip().partition(" ")
        if word == "rate":
            self.rate = int(argument)
        elif word == "storm":
            for device in self.devices:
                device.storm = True
        elif word == "stop":
            self.stopped = True
        elif word == "finish":
            self.stopped = self.finishing = True
        elif word:
            print(f"no such order: {line.strip()}", file=sys.stderr)

    def open_drafts(self, count):
        for _ in range(count if self.posts and not self.stopped else 0):
            device, seat = self.random.choice(self.posts)
            if len(seat.outbox.drafts) + len(device.orders) < OPEN_MAX:
                device.orders.append(seat.id)
            else:
                self.count("held_back")

    def tell(self):
        with self.lock:
            status = {key: self.tally[key] for key in (
                "sent", "receipted", "delivered", "resent", "refused", "replayed", "gaps",
                "syncs", "reconnects", "held_back", "violations")}
            status["max_receipt_ms"], self.worst_s = int(self.worst_s * 1000), 0.0
        status["open"] = (sum(len(seat.outbox.drafts) for _, seat in self.posts)
                          + sum(len(device.orders) for device in self.devices))
        status["devices"] = len(self.devices)
        status["connected"] = sum(device.connected for device in self.devices)
        status["finished"] = sum(device.finished for device in self.devices)
        print(json.dumps(status), flush=True)

    def read_orders(self, buffer):
        """What has come of the next line; None when stdin has ended."""
        if not select.select([sys.stdin], [], [], TURN_S)[0]:
            return buffer
        data = os.read(sys.stdin.fileno(), 4096)
        *lines, rest = (buffer + data.decode()).split("\n")
        for line in lines:
            self.obey(line)
        return rest if data else None

    def loop(self):
        """True when all devices have everything."""
        buffer, owed, last, told = "", 0.0, time.monotonic(), time.monotonic()
        while not (self.finishing and all(device.finished for device in self.devices)):
            if buffer is not None:
                buffer = self.read_orders(buffer)
            elif not self.finishing:
                return False
            else:
                time.sleep(TURN_S)
            now = time.monotonic()
            owed, last = min(owed + (now - last) * self.rate, self.rate / 4 + 1), now
            self.open_drafts(int(owed))
            owed -= int(owed)
            self.log.flush()
            if now > told + 1:
                self.tell()
                told = now
        return True

    def play(self):
        threads = [threading.Thread(target=device.run_forever) for device in self.devices]
        for thread in threads:
            thread.start()
        try:
            complete = self.loop()
        finally:
            self.over = True
            for thread in threads:
                thread.join()
            self.tell()
            self.log.flush()
        return complete
