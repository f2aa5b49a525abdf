# SPDX-License-Identifier: MIT
"""Waiting with a deadline. Rule: a test never sleeps for luck; it waits for a fact."""
import time


class Timeout(AssertionError):
    """What was waited for did not happen in time."""


def wait_until(predicate, timeout=10.0, what="the condition", interval=0.02):
    """Calls `predicate` until it returns something true, and returns that."""
    deadline = time.monotonic() + timeout
    while True:
        result = predicate()
        if result:
            return result
        if time.monotonic() > deadline:
            raise Timeout(f"{what} did not happen within {timeout} s")
        time.sleep(interval)
