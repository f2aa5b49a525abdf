# SPDX-License-Identifier: MIT
"""Faults of PostgreSQL that are no fault of its process: backends, locks, the disk."""
import contextlib
import os
import random
import signal
import subprocess
import time

from .fault import Fault

_BACKENDS = "SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'banter-%'"


def kill_backend(world, _seconds):
    """kill -9 of one backend: PostgreSQL ends all others too and recovers."""
    backends = [int(row[0]) for row in _ask(world, _BACKENDS)]
    if backends:
        with contextlib.suppress(ProcessLookupError):
            os.kill(random.choice(backends), signal.SIGKILL)


def terminate_backends(world, seconds):
    """Each connection of the bridge ends as soon as it is there, so that commits end anywhere."""
    _ask(world, f"""DO $$BEGIN FOR i IN 1..{round(seconds * 50)} LOOP
        PERFORM pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE application_name LIKE 'banter-%' AND pid <> pg_backend_pid();
        PERFORM pg_stat_clear_snapshot(); PERFORM pg_sleep(0.02); END LOOP; END$$""")


def lock_table(world, seconds, table):
    _ask(world, f"BEGIN; LOCK TABLE banter.{table} IN ACCESS EXCLUSIVE MODE; "
                f"SELECT pg_sleep({seconds}); ROLLBACK")


def lock_conversations(world, seconds):
    """The rows of some conversations: the others must go on."""
    _ask(world, "BEGIN; SELECT FROM banter.conversations ORDER BY random() LIMIT 3 FOR UPDATE; "
                f"SELECT pg_sleep({seconds}); ROLLBACK")


def fill_disk(world, seconds):
    with world.disk.filled():
        time.sleep(seconds)


def fill_disk_and_crash(world, seconds):
    """It starts again while there is no room to recover in."""
    with world.disk.filled():
        time.sleep(seconds / 2)
        world.signal("postgres", signal.SIGQUIT)
        time.sleep(seconds / 2)


def _ask(world, sql):
    """Over a connection of its own, past the proxies; its end before the time is nobody's fault."""
    with contextlib.suppress(RuntimeError, subprocess.TimeoutExpired):
        return world.product.psql(sql, timeout=60)
    return []


FAULTS = (
    Fault("backend.kill", kill_backend, weight=2),
    Fault("backends.terminate", terminate_backends, (), (1, 3), weight=2),
    Fault("lock.messages", lock_table, ("messages",), (1, 8)),
    Fault("lock.members", lock_table, ("members",), (1, 8)),
    Fault("lock.conversations", lock_conversations, (), (1, 8)),
    Fault("disk.full", fill_disk, (), (2, 6), ("disk",), weight=2),
    Fault("disk.full.crash", fill_disk_and_crash, (), (2, 6), ("disk",), ci=False),
)
