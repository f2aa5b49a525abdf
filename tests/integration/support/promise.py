# SPDX-License-Identifier: MIT
"""Promised times, on machines that may be slow just now.

A check that waits generously says nothing of a promise, and one that waits exactly fails wherever
somebody else uses the machine. So while something promised is waited for, a device connects again
and again. What that costs meanwhile, compared with what it usually costs, is how much slower the
machine is; by so much the promise stretches, and by no more."""
import contextlib
import threading
import time

from .wire import Wire

PATIENCE = 60       # seconds to wait for what was promised much sooner: then it is known how late
NOISE_S = 0.003     # what two connects differ by on a quiet machine
GRAIN_S = 0.1       # what asking, and hearing of it, take beside what is promised
PAUSE_S = 0.02
FIRST_CONNECTS = 5

_usual_s = float("inf")  # the quickest connect of this process


class _Pace(threading.Thread):
    """Connects until it is stopped. Up to the CONNACK, which the broker gives from memory: a bridge
    that hangs does not count as a slow machine."""

    def __init__(self, system):
        super().__init__(daemon=True)
        self._system, self._account = system, system.signup("pace")
        self._stopping = threading.Event()
        self._times = []
        self.problem = None
        for _ in range(FIRST_CONNECTS):
            self._connect()

    def _connect(self):
        global _usual_s
        began = time.monotonic()
        with Wire(self._system) as wire:
            wire.connect(self._account, "pace")
            took = time.monotonic() - began
        self._times.append(took)
        _usual_s = min(_usual_s, took)

    def run(self):
        while not self._stopping.wait(PAUSE_S):
            try:
                self._connect()
            except (AssertionError, OSError) as problem:
                self.problem = problem
                return

    def stop(self):
        """How many times slower than usual it was."""
        self._stopping.set()
        self.join()
        mean = sum(self._times) / len(self._times)
        return (mean + NOISE_S) / (_usual_s + NOISE_S)


class Promise:
    def __init__(self):
        self._began = time.monotonic()

    def begins(self):
        """It counts from now on, not from the beginning of the block."""
        self._began = time.monotonic()

    def took(self):
        return time.monotonic() - self._began


@contextlib.contextmanager
def promised(system, seconds):
    """The block, which waits patiently, is through within so many seconds of an undisturbed
    machine. `system` is whom to connect to meanwhile."""
    pace = _Pace(system)
    pace.start()
    promise = Promise()
    try:
        yield promise
        took = promise.took()
    finally:
        slower = pace.stop()
    assert pace.problem is None, f"nobody could connect meanwhile: {pace.problem!r}"
    assert took <= seconds * slower + GRAIN_S, (
        f"{took:.2f} s instead of {seconds}, where connecting took {slower:.1f} times as long "
        "as usual")
