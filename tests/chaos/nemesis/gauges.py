# SPDX-License-Identifier: MIT
"""memory.log: each half second the resident memory and the open files of broker and bridge, of
each node. Monotonic microseconds, name, process, KiB, files."""
import contextlib
import os
import threading
import time

_INTERVAL_S = 0.5


class Gauges(threading.Thread):
    def __init__(self, worlds, path):
        super().__init__(daemon=True)
        self._worlds = worlds
        self._file = open(path, "a", encoding="ascii", buffering=1)
        self._end = threading.Event()

    def run(self):
        while not self._end.wait(_INTERVAL_S):
            for world in self._worlds:
                for name in ("broker", "bridge"):
                    with contextlib.suppress(OSError, StopIteration):
                        self._sample(world, name)
        self._file.close()

    def _sample(self, world, name):
        pid = world.pid(name)
        if pid is None:
            return
        with open(f"/proc/{pid}/status", encoding="ascii") as status:
            kib = next(int(line.split()[1]) for line in status if line.startswith("VmRSS:"))
        files = len(os.listdir(f"/proc/{pid}/fd"))
        self._file.write(f"{time.monotonic_ns() // 1000}\t{name}{world.suffix}\t{pid}\t{kib}\t"
                         f"{files}\n")

    def stop(self):
        self._end.set()
        self.join()
