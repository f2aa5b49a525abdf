# SPDX-License-Identifier: MIT
"""Several nodes on one machine, one database and one Redis, and banter-bench against all."""
import contextlib
import subprocess
import time

from suite.copy import BenchFailed, Copy, data_directory, free_port_base

REDIS_SECONDS = 10
MEET_SECONDS = 5  # the nodes hear of one another with every beat, once a second


class Redis:
    """A redis-server that keeps nothing, while the context lasts."""

    def __init__(self):
        self.port = free_port_base(first=26379, step=1, parts=1)
        self.process = None

    def __enter__(self):
        self.process = subprocess.Popen(
            ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", "",
             "--appendonly", "no"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        deadline = time.monotonic() + REDIS_SECONDS
        for line in self.process.stdout:
            if "Ready to accept connections" in line:
                return self
            if time.monotonic() > deadline:
                break
        self.__exit__()
        raise BenchFailed("redis-server did not start")

    def __exit__(self, *_exception):
        self.process.terminate()
        self.process.wait()
        self.process.stdout.close()


class Nodes:
    """So many of them, while the context lasts. One alone is a copy as any other, without Redis."""

    def __init__(self, count):
        self.count, self.copies, self.redis = count, [], None
        self._stack = contextlib.ExitStack()

    def __enter__(self):
        try:
            if self.count > 1:
                self.redis = self._stack.enter_context(Redis())
            for number in range(self.count):
                self._add(number)
            if self.count > 1:
                time.sleep(MEET_SECONDS)
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *_exception):
        self._stack.close()

    def _add(self, number):
        settings = {}
        if self.redis:
            settings = {"BANTER_NODE": f"n{number}", "BANTER_REDIS": f"127.0.0.1:{self.redis.port}"}
        if self.copies:
            first = self.copies[0]
            database = f"host={first.socket_directory()} dbname=banter user="
            settings |= {"BANTER_DATABASE": database + "banter_bridge",
                         "BANTER_MIGRATE_DATABASE": database + "banter",
                         "BANTER_KEYS_DIR": str(first.data / "keys"),
                         "BANTER_BLOBS_DIR": str(first.data / "blobs")}
        one = Copy(self._stack.enter_context(data_directory()), **settings)
        self.copies.append(self._stack.enter_context(one))

    def bench(self, arguments):
        """The JSON line of one invocation, over all nodes."""
        further = ",".join(f"127.0.0.1:{one.port_base + 1}/{one.pid('broker')}/{one.pid('bridge')}"
                           for one in self.copies[1:])
        if further:
            arguments = (*arguments, "--further", further, "--redis", str(self.redis.process.pid))
        return self.copies[0].bench(arguments)
