# SPDX-License-Identifier: MIT
"""Readiness tells the truth: whatever the node needs is taken away, one thing after the other, and
/readyz must say so, with the reason, in a bounded time, and say yes again when it is back."""
import contextlib
import os
import shutil
import signal
import subprocess
import threading

import pytest

from support import wait_until
from support.faults import frozen, postgres_frozen, thread_frozen, thread_named
from support.health import Health, wait_unwell, wait_well
from support.http import request

DEADLINE_S = 5     # health_deadline_ms by default
NOTICED_S = DEADLINE_S + 3  # questions are asked every second, and this machine may be busy
DISK_MIB = 128


def test_all_is_well(banter):
    health = Health(banter)
    assert health.reason is None
    assert health.values["banter_ready"] == "1"
    assert health.values["banter_draining"] == "0"
    for part in ("database", "writer", "logins", "strays", "plugin", "door"):
        assert health.is_well(part), part
    assert banter.request("GET", "/livez").json() == {"status": "live"}


def test_postgres_is_gone(fresh_banter):
    fresh_banter.stop("postgres")
    wait_unwell(fresh_banter, "database", "database cannot be read", NOTICED_S)
    assert fresh_banter.request("GET", "/livez").status == 200
    fresh_banter.start("postgres")
    wait_well(fresh_banter)


def test_postgres_hangs(banter):
    """Its connections stay, and nothing comes over them."""
    with postgres_frozen(banter):
        wait_unwell(banter, "database", "database does not answer", NOTICED_S)
    wait_well(banter)


def test_the_broker_is_gone(fresh_banter):
    fresh_banter.stop("broker")
    wait_unwell(fresh_banter, "plugin", "plugin is not connected", 3)
    fresh_banter.start("broker")
    wait_well(fresh_banter)


def test_the_broker_hangs(banter):
    """The link stays up and is silent; nobody is disconnected by it."""
    alice, bob = banter.signup("alice"), banter.signup("bob")
    phone, other = banter.device(alice), banter.device(bob)
    connects = banter.log("bridge").count("plugin connected")
    with frozen(banter, "broker"):
        health = wait_unwell(banter, "plugin", "broker does not answer", NOTICED_S)
        assert int(health.values["banter_link_silent_milliseconds"]) >= DEADLINE_S * 1000
    wait_well(banter)
    phone.say(f"@{bob.handle}", "still here")
    assert phone.connected and other.connected
    assert banter.log("bridge").count("plugin connected") == connects


def test_the_writer_hangs(banter):
    """Its backend alone is stopped while a draft is on its way; readers go on."""
    alice, bob = banter.signup("alice"), banter.signup("bob")
    phone = banter.device(alice)
    phone.say(f"@{bob.handle}", "before")
    [[pid]] = banter.psql("SELECT pid FROM pg_stat_activity"
                          " WHERE application_name LIKE 'banter-writer/%'")
    os.kill(int(pid), signal.SIGSTOP)
    try:
        draft = phone.send(f"@{bob.handle}", "into the void")
        health = wait_unwell(banter, "writer", "writer cannot commit", NOTICED_S)
        assert health.is_well("database")
    finally:
        os.kill(int(pid), signal.SIGCONT)
    assert phone.receipt(draft, timeout=20)["seq"] == 2
    wait_well(banter)


def test_a_conversation_that_somebody_holds_is_no_illness(banter):
    """An operator's forgotten transaction stops one conversation; the node is well."""
    alice, bob = banter.signup("alice"), banter.signup("bob")
    group = banter.group(alice, [bob])
    phone = banter.device(alice)
    holder = threading.Thread(target=banter.psql, args=(
        f"BEGIN; SELECT FROM banter.conversations WHERE id = '{group}' FOR UPDATE; "
        f"SELECT pg_sleep({DEADLINE_S + 5}); COMMIT",))
    holder.start()
    wait_until(lambda: banter.psql("SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'"),
               5, "the lock")
    draft = phone.send(group, "waits")
    while holder.is_alive():
        reason = Health(banter).reason
        assert reason is None, reason
        holder.join(0.3)
    phone.receipt(draft, timeout=10)


def test_the_front_door_hangs(banter):
    """Its thread alone is stopped: only the operators' port can still answer, and says why."""
    with thread_frozen(thread_named(banter.pid("bridge"), "banter-door")):
        wait_unwell(banter, "door", "front door does not come round", NOTICED_S)
        with pytest.raises(OSError):
            request(banter.http, "GET", "/readyz", timeout=1)
    wait_well(banter)


@contextlib.contextmanager
def small_disk(system):
    """Puts the database on a file system of its own, which has little room."""
    cluster, aside = system.data / "postgres", system.data / "postgres.aside"
    owner = cluster.stat()
    system.down()
    cluster.rename(aside)
    cluster.mkdir(mode=0o700)
    options = f"size={DISK_MIB}m,mode=700,uid={owner.st_uid},gid={owner.st_gid}"
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", cluster], check=False,
                             capture_output=True)
    if mounted.returncode != 0:
        cluster.rmdir()
        aside.rename(cluster)
        pytest.fail(f"no file system may be mounted here: {mounted.stderr.decode()}")
    try:
        subprocess.run(["cp", "-a", f"{aside}/.", cluster], check=True)
        system.up()
        yield cluster
        system.down()
    finally:
        subprocess.run(["umount", "-l", cluster], check=True)
        shutil.rmtree(aside)


def fill(directory):
    """Leaves not a byte; the file that takes them."""
    ballast = directory / "ballast"
    with open(ballast, "wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(1 << 16))
    return ballast


def test_the_disk_is_full(fresh_banter):
    """The writer cannot commit. Nothing that was taken is lost: it is receipted once there is room
    again."""
    with small_disk(fresh_banter) as cluster:
        alice, bob = fresh_banter.signup("alice"), fresh_banter.signup("bob")
        phone = fresh_banter.device(alice)
        phone.say(f"@{bob.handle}", "before")
        ballast = fill(cluster)
        drafts = [phone.send(f"@{bob.handle}", f"{n} " + "x" * 90_000) for n in range(200)]
        reason = wait_until(lambda: Health(fresh_banter).reason, 20, "/readyz saying no")
        assert "cannot" in reason or "not connected" in reason or "does not" in reason, reason
        received = {r["id"] for r in phone.receipts()}
        assert not received.issuperset(drafts), "there was room enough"
        ballast.unlink()
        wait_well(fresh_banter, timeout=60)
        seqs = [phone.receipt(draft, timeout=30)["seq"] for draft in drafts]
        assert seqs == list(range(2, 202))
