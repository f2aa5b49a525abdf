# SPDX-License-Identifier: MIT
"""`./banter` keeps what its help says: starting, stopping, restarting, telling, staying apart.

Most of these need no chat to work, only the processes."""
import contextlib
import json
import os
import pathlib
import pty
import select
import shutil
import signal
import socket
import subprocess
import time

import pytest

from support import wait_until
from support.system import REPOSITORY, free_port_base

pytestmark = pytest.mark.once


def banter(*arguments, environment=None, timeout=60):
    return subprocess.run([REPOSITORY / "banter", *map(str, arguments)], text=True,
                          capture_output=True, stdin=subprocess.DEVNULL, timeout=timeout,
                          env={**os.environ, **(environment or {})}, check=False)


def is_gone(pid):
    """A process that has ended and waits for its parent to ask is gone: orphans are init's, which
    may take its time."""
    try:
        state = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2]
    except (FileNotFoundError, ProcessLookupError):
        return True
    return state.split()[0] in "ZX"


def test_status_for_scripts(banter_status):
    status = banter_status
    assert status["http"].startswith("http://127.0.0.1:")
    host, port = status["mqtt"].split(":")
    assert host == "127.0.0.1" and port.isdigit()
    assert status["ws"].startswith("ws://127.0.0.1:") and status["ws"].endswith("/mqtt")
    assert set(status["pids"]) == {"broker", "bridge", "postgres"}
    assert all(not is_gone(pid) for pid in status["pids"].values())


@pytest.fixture
def banter_status(banter):
    return banter.status()


def test_the_dsn_reaches_the_database(banter):
    row = banter.psql("SELECT current_user, current_database(), current_setting('fsync'), "
                      "current_setting('synchronous_commit')")[0]
    assert row == ["banter", "banter", "on", "on"]


def test_what_status_says_to_people(shared_system):
    done = banter("--data", shared_system.data, "status")
    assert done.returncode == 0
    for word in ("running", "postgres", "bridge", "broker", shared_system.http):
        assert word in done.stdout


def test_up_twice_is_fine(shared_system):
    before = shared_system.status()["pids"]
    done = banter("--data", shared_system.data, "up", "-d")
    assert done.returncode == 0 and shared_system.http in done.stdout
    assert shared_system.status()["pids"] == before


@pytest.mark.parametrize("name", ["broker", "bridge", "postgres"])
def test_a_killed_process_comes_back(fresh_banter, name):
    old = fresh_banter.kill(name)
    began = time.monotonic()
    fresh_banter.wait_restarted(name, old)
    assert time.monotonic() - began < 2
    fresh_banter.wait_ready()
    done = banter("--data", fresh_banter.data, "logs", "supervisor")
    assert f"{name} died of signal 9" in done.stdout


def test_a_stopped_process_stays_down_until_it_is_started(fresh_banter):
    fresh_banter.stop("bridge")
    time.sleep(1)
    assert fresh_banter.pid("bridge") is None
    fresh_banter.start("bridge")
    fresh_banter.wait_ready()


def test_data_stays_and_the_second_start_is_quick(make_system):
    system = make_system()
    account = system.signup("dora")
    system.down()
    began = time.monotonic()
    system.up()
    assert time.monotonic() - began < 10
    account.login()


def test_secrets_are_closed_to_others(shared_system):
    modes = {name: (shared_system.data / name).stat().st_mode & 0o777
             for name in ("link.key", "bridge.conf", "keys", "run", "postgres")}
    assert modes == {"link.key": 0o600, "bridge.conf": 0o600, "keys": 0o700, "run": 0o700,
                     "postgres": 0o700}
    for key in (shared_system.data / "keys").glob("*.pem"):
        assert key.stat().st_mode & 0o777 == 0o600


def test_down_leaves_nothing_behind(make_system):
    system = make_system()
    pids = system.status()["pids"].values()
    system.down()
    assert all(is_gone(pid) for pid in pids)
    status = banter("--data", system.data, "status", "--json")
    assert status.returncode != 0
    assert json.loads(status.stdout)["pids"] == {"broker": None, "bridge": None, "postgres": None}
    system.down()  # twice is fine


def test_nothing_outlives_a_killed_supervisor(make_system):
    system = make_system()
    status = system.status()
    os.kill(status["supervisor"], signal.SIGKILL)
    wait_until(lambda: all(is_gone(pid) for pid in status["pids"].values()), 20,
               "end of the processes")
    system.up()  # and what was left in its directory confuses nobody
    after = system.status()
    assert after["pids"].keys() == status["pids"].keys()
    assert all(after["pids"].values())
    system.signup("eve")


@pytest.mark.parametrize("offset, what", [(0, "http"), (1, "mqtt"), (3, "metrics")])
def test_a_taken_port_is_a_clear_error(tmp_data, offset, what):
    base = free_port_base()
    with socket.create_server(("127.0.0.1", base + offset)):
        done = banter("--data", tmp_data, "--port-base", base, "up", "-d")
    assert done.returncode == 1
    assert f"port {base + offset} ({what}) is taken" in done.stderr
    assert "--port-base" in done.stderr


@pytest.mark.parametrize("arguments, complaint", [
    (["frobnicate"], "no command 'frobnicate'"),
    (["up", "--frobnicate"], "does not know '--frobnicate'"),
    (["--port-base", "0", "status"], "--port-base must be"),
    (["--port-base", "70000", "status"], "--port-base must be"),
    (["--port-base", "x", "status"], "--port-base must be"),
    (["--data"], "--data needs a value"),
    (["--data", "/tmp/with space", "status"], "the data directory"),
    (["--data", "/usr/lib", "up", "-d"], "choose another directory"),
    (["--data", "/tmp/banter-none", "stop", "bridge"], "not running"),
    (["--data", "/tmp/banter-none", "demo"], "not running"),
    (["test", "--only", "frobnicate"], "no suite 'frobnicate'"),
])
def test_clear_complaints(arguments, complaint):
    done = banter(*arguments)
    assert done.returncode == 1
    assert complaint in done.stderr


def test_a_bridge_that_cannot_start_is_explained(tmp_data):
    base = free_port_base()
    done = banter("--data", tmp_data, "--port-base", base, "up", "-d",
                  environment={"BANTER_POOL_CONNECTIONS": "many"})
    assert done.returncode == 1
    assert "bridge ended with status" in done.stderr and "pool_connections" in done.stderr
    assert banter("--data", tmp_data, "status").returncode != 0


def test_ctrl_c_stops_all_of_it(tmp_data):
    """On a terminal, as a person would: everything is up, Ctrl-C, everything is gone."""
    base = free_port_base()
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(REPOSITORY / "banter", ["banter", "--data", str(tmp_data), "--port-base",
                                         str(base), "up"])
    try:
        read_until(terminal, b"Ctrl-C stops everything", 120)
        status = json.loads(banter("--data", tmp_data, "status", "--json").stdout)
        os.write(terminal, b"\x03")
        read_until(terminal, None, 30)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
        assert all(is_gone(child) for child in status["pids"].values())
    finally:
        os.close(terminal)
        banter("--data", tmp_data, "down")


def read_until(terminal, wanted, seconds):
    """Reads until `wanted` was seen; None: until the end."""
    seen = b""
    deadline = time.monotonic() + seconds
    while wanted is None or wanted not in seen:
        assert time.monotonic() < deadline, f"only saw {seen!r}"
        if select.select([terminal], [], [], 0.2)[0]:
            try:
                data = os.read(terminal, 4096)
            except OSError:  # the other end is closed
                data = b""
            if not data:
                assert wanted is None, f"only saw {seen!r}"
                return
            seen += data


def test_reset_deletes_and_asks_first(make_system):
    system = make_system()
    assert banter("--data", system.data, "reset").returncode == 1
    assert system.status()["running"]
    assert banter("--data", system.data, "reset", "--yes").returncode == 0
    assert not (system.data / "postgres").exists()


def clients_of(system):
    """Command lines of Mosquitto's clients that are connected to it."""
    port = system.status()["mqtt"].rpartition(":")[2].encode()
    found = []
    for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            words = path.read_bytes().split(b"\0")
            if pathlib.Path(words[0].decode()).name.startswith("mosquitto_") and port in words:
                found.append(b" ".join(words))
    return found


def test_the_demo(shared_system):
    """alice and bob, twice: the second time they log in with what the first has kept."""
    for verb in ("signs up", "logs in"):
        done = banter("--data", shared_system.data, "demo")
        assert done.returncode == 0, done.stdout + done.stderr
        assert f"alice {verb}" in done.stdout and f"bob {verb}" in done.stdout
        assert "Loud and clear" in done.stdout and "mosquitto_pub" in done.stdout
        wait_until(lambda: not clients_of(shared_system), 5, "the demo's clients end with it")


OVERHEARD = ("curl", "env", "mosquitto_pub", "mosquitto_sub", "setpriv")  # that may get a secret


@pytest.fixture
def overheard(tmp_data):
    """A directory for PATH whose programs write their command lines into the file beside it, as
    ps shows them to everybody, before they do what they always do."""
    directory, heard = tmp_data / "bin", tmp_data / "heard"
    tmp_data.chmod(0o755)
    directory.mkdir()
    heard.touch()
    heard.chmod(0o666)  # whoever runs them
    for name in OVERHEARD:
        program = directory / name
        program.write_text(f"#!/bin/bash\nprintf '%s\\n' {name} \"$@\" >>{heard}\n"
                           f"exec {shutil.which(name)} \"$@\"\n")
        program.chmod(0o755)
    return {"PATH": f"{directory}:{os.environ['PATH']}"}, heard


def test_secrets_are_on_no_command_line(make_system, overheard):
    environment, heard = overheard
    secret = "an operator's key of this test"
    system = make_system(BANTER_OPERATOR_KEY=secret)
    done = banter("--data", system.data, "keys", "list", environment=environment)
    assert done.stdout.startswith("key\tstate"), done.stdout + done.stderr
    done = banter("--data", system.data, "demo", environment=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    passwords = [(system.data / "demo" / name).read_text().split()[1] for name in ("alice", "bob")]
    said = heard.read_text()
    assert "mosquitto_sub" in said and "/v1/signup" in said
    for word in (secret, *passwords, "eyJ"):  # as every token begins
        assert word not in said


def test_processes_run_where_they_are_told_to(make_system):
    first, *_others = sorted(os.sched_getaffinity(0))
    system = make_system(BANTER_BROKER_CPUS=str(first), BANTER_POSTGRES_CPUS=str(first))
    pids = system.status()["pids"]
    assert os.sched_getaffinity(pids["broker"]) == {first}
    assert os.sched_getaffinity(pids["postgres"]) == {first}
    assert os.sched_getaffinity(pids["bridge"]) == os.sched_getaffinity(0)


def test_a_cpu_that_is_not_there(tmp_data):
    done = banter("--data", tmp_data, "--port-base", free_port_base(), "up", "-d",
                  environment={"BANTER_BRIDGE_CPUS": "none"})
    assert done.returncode != 0
    assert "BANTER_BRIDGE_CPUS: 'none' is no list of CPUs" in done.stderr
