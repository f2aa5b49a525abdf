# SPDX-License-Identifier: MIT
"""Adds and removes members of some groups over the API while people chat.

members.log: realtime and monotonic microseconds, `+` or `-`, conversation, handle. A removal is
logged when its answer came: nothing may reach the removed one from then on. An addition is logged
before it is asked for: from then on entries may reach the new one."""
import random
import threading
import time

_INTERVAL_S = (0.3, 1.5)
_TIMEOUT_S = 5


class Churn(threading.Thread):
    """`churned`: (conversation, its owner, [guests]); at first no guest is a member, and in the end
    none is any more. Any of `products`, the nodes, is asked."""

    def __init__(self, products, churned, path, seed):
        super().__init__(daemon=True)
        self._products = products
        self._guests = [[conversation, owner, handle, False]
                        for conversation, owner, handles in churned for handle in handles]
        self._file = open(path, "a", encoding="ascii", buffering=1)
        self._random = random.Random(seed)
        self._end = threading.Event()
        self.changes = 0

    def run(self):
        while not self._end.wait(self._random.uniform(*_INTERVAL_S)):
            self._turn(self._random.choice(self._guests))

    def stop(self):
        self._end.set()
        self.join()
        deadline = time.monotonic() + 30
        for guest in self._guests:
            while guest[3] and time.monotonic() < deadline:
                self._turn(guest)
        self._file.close()

    def _turn(self, guest):
        """One change, asked for until it is answered: an answer that was lost may have been yes."""
        conversation, owner, handle, is_member = guest
        if is_member:
            command = {"command": "removeMember", "conversation": conversation, "user": handle}
        else:
            self._write("+", conversation, handle)
            guest[3] = True
            command = {"command": "addMembers", "conversation": conversation, "members": [handle]}
        if not self._ask(owner, command) or not is_member:
            return
        self._write("-", conversation, handle)
        guest[3] = False
        self.changes += 1

    def _ask(self, owner, command):
        """Whether it was done. `not_found` says that an earlier try has removed them."""
        try:
            product = self._products[self.changes % len(self._products)]
            answer = product.request("POST", "/v1/control", {"commands": [command]}, owner,
                                           timeout=_TIMEOUT_S)
        except OSError:
            return False
        if answer.status != 200:
            return False
        error = answer.json()["responses"][0].get("error")
        return error is None or error["code"] == "not_found"

    def _write(self, sign, conversation, handle):
        self._file.write(f"{time.time_ns() // 1000}\t{time.monotonic_ns() // 1000}\t{sign}\t"
                         f"{conversation}\t{handle}\n")
