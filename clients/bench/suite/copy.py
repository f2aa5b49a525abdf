# SPDX-License-Identifier: MIT
"""A running copy of Banter for the bench alone, and banter-bench against it."""
import contextlib
import json
import os
import pathlib
import shutil
import re
import shlex
import socket
import subprocess
import tempfile
import time
import urllib.request

REPOSITORY = pathlib.Path(__file__).resolve().parents[3]
UP_SECONDS = 900  # may have to build first
INDEX_SECONDS = 60
METRICS_PORT = 3  # behind the first port
WAL_MARGIN_MB = 64
WAL_ROOM = 4  # times what is written, which is free


class BenchFailed(Exception):
    """An invocation failed, or found something lost, doubled or out of order."""


def free_port_base(first=28080, step=10, parts=5):
    """The first of so many ports in a row that nobody listens on."""
    for base in range(first, first + 100 * step, step):
        if all(_is_free(base + part) for part in range(parts)):
            return base
    raise BenchFailed("no free ports")


def _is_free(port):
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            s.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def placement():
    """The broker has a CPU, PostgreSQL the others: docs/operations.md, "CPUs"."""
    first, *others = sorted(os.sched_getaffinity(0))
    if not others:
        return {}
    return {"BANTER_BROKER_CPUS": str(first),
            "BANTER_POSTGRES_CPUS": ",".join(map(str, others))}


NO_LIMITS = {"BANTER_RATE_LIMITS": "false"}  # a load is not what people do


@contextlib.contextmanager
def data_directory(kept=None):
    """For a copy: one that is kept, or a new one."""
    if kept:
        pathlib.Path(kept).mkdir(parents=True, exist_ok=True)
        yield pathlib.Path(kept)
        return
    made = pathlib.Path(tempfile.mkdtemp(prefix="banter-bench-", dir="/var/tmp"))
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


class Copy:
    """`environment` are settings of ./banter, such as BANTER_MOSQUITTO."""

    def __init__(self, data, port_base=None, **environment):
        self.data = pathlib.Path(data)
        self.port_base = port_base or free_port_base()
        self.environment = {**os.environ, **NO_LIMITS, **environment}
        self.is_worn_in = None  # not decided

    def _command(self, *arguments):
        return [REPOSITORY / "banter", "--data", self.data, "--port-base", str(self.port_base),
                *arguments]

    def _run(self, *arguments, seconds):
        done = subprocess.run(self._command(*arguments), env=self.environment, text=True,
                              capture_output=True, timeout=seconds, check=False)
        if done.returncode != 0:
            raise BenchFailed(f"./banter {' '.join(arguments)}: {done.stdout[-2000:]}"
                              f"{done.stderr[-2000:]}")
        return done.stdout

    def up(self):
        self._run("up", "-d", seconds=UP_SECONDS)

    def down(self):
        self._run("down", seconds=120)

    def restart(self, service):
        self._run("restart", service, seconds=180)

    def bench(self, arguments, seconds=900):
        """The JSON line of one invocation."""
        line = self._run("bench", *arguments, seconds=seconds).splitlines()[-1]
        return json.loads(line)

    def query(self, sql):
        """The only value of a statement, as PostgreSQL's superuser."""
        done = subprocess.run(
            ["psql", "-XqAt", "-h", self.socket_directory(), "-U", "postgres", "-d", "banter",
             "-c", sql], text=True, capture_output=True, timeout=3600, check=False)
        if done.returncode != 0:
            raise BenchFailed(done.stderr)
        return done.stdout.strip()

    def settle(self):
        """After much was written: what PostgreSQL would do some time later, now."""
        self.query("VACUUM (ANALYZE) banter.messages")
        self.query("CHECKPOINT")

    def bare(self, mosquitto):
        """That broker as a program which runs where the broker of this copy does."""
        cpus = self.environment.get("BANTER_BROKER_CPUS")
        if not cpus:
            return mosquitto
        program = self.data / "bare-mosquitto"
        program.write_text(f'#!/bin/sh\nexec taskset -c {cpus} {shlex.quote(mosquitto)} "$@"\n',
                           encoding="utf-8")
        program.chmod(0o755)
        return str(program)

    def wear_in(self):
        """As after some hours: PostgreSQL has all the WAL files that it keeps to use again. Each of
        the first ones of a new server is made and filled with zeros while a commit waits for it.
        Not where the disk has too little room."""
        kept_mb = int(self.query("SELECT setting FROM pg_settings WHERE name = 'min_wal_size'"))
        self.is_worn_in = shutil.disk_usage(self.data).free > WAL_ROOM * kept_mb << 20
        if not self.is_worn_in:
            return
        self.query("SELECT count(pg_logical_emit_message(false, 'bench', repeat('x', 1 << 20)))"
                   f" FROM generate_series(1, {kept_mb + WAL_MARGIN_MB})")
        self.query("CHECKPOINT")

    def wait_for_index(self):
        """Until the search knows all that was written, or for so long: True if it does."""
        until = time.monotonic() + INDEX_SECONDS
        while time.monotonic() < until:
            if self._metric("banter_index_conversations_waiting") == 0:
                return True
            time.sleep(0.5)
        return False

    def _metric(self, name):
        address = f"http://127.0.0.1:{self.port_base + METRICS_PORT}/metrics"
        with urllib.request.urlopen(address, timeout=5) as answer:
            text = answer.read().decode()
        return float(re.search(rf"^{name} (\S+)$", text, re.MULTILINE).group(1))

    def __enter__(self):
        self.up()
        if self.is_worn_in is None:
            self.wear_in()
        return self

    def __exit__(self, *_exception):
        self.down()

    def pid(self, service):
        return (self.data / "state" / f"{service}.pid").read_text(encoding="utf-8").split()[0]

    def socket_directory(self):
        """Of its PostgreSQL."""
        for line in (self.data / "bridge.conf").read_text(encoding="utf-8").splitlines():
            if line.startswith("database "):
                return line.split("host=")[1].split()[0]
        raise BenchFailed("bridge.conf names no database")

    def crowd(self, users, seconds):
        """So many users who are connected and idle while the context lasts."""
        return Crowd(self._command("bench", "connect", "--clients", str(users),
                                   "--idle", str(seconds)), self.environment)


class Crowd:
    """A context: inside it everybody is ready."""

    def __init__(self, command, environment):
        self.command, self.environment, self.process = command, environment, None

    def __enter__(self):
        self.process = subprocess.Popen(self.command, env=self.environment, text=True,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        said = ""
        for line in self.process.stdout:
            if line.rstrip().endswith("users are ready"):
                return self
            said += line
        self.__exit__()
        raise BenchFailed(f"the idle users did not become ready: {said[-2000:]}")

    def __exit__(self, *_exception):
        self.process.kill()  # banter-bench itself: the script has replaced itself by it
        self.process.wait()
        self.process.stdout.close()
