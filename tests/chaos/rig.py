# SPDX-License-Identifier: MIT
"""Short runs of a small system, for test_broken_rules.py: no nemesis, one driver, some seconds.

A `Stage` is made once: a data directory with users and conversations in it, which `Rig` copies, so
that each run begins alike and within seconds. The runs' logs are those of tests/chaos/run.py, and
the same checker judges them."""
import contextlib
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import threading
import time

from checker import run as runs
from support.account import Account
from support.system import REPOSITORY, System
from support.waiting import Timeout, wait_until

BUILD = pathlib.Path(os.environ.get("BANTER_BUILD_DIR", REPOSITORY / "build/chaos"))
# Short runs: less is enough, but of each something.
LEAST = {"receipts": 100, "deliveries": 200, "syncs": 10, "faults": 0}
DRIVER = "c"
HANDLES = [f"u{number}" for number in range(7)]   # the last is a guest, before it one who is alone
GUEST, STRANGER = HANDLES[-1], HANDLES[-2]
_SAMPLE_S = 0.25


def _reach(directory):
    """Banter's processes may run as another user."""
    directory.chmod(0o777)
    return directory


class Stage:
    """People and conversations, in a copy of Banter that is down. Made once in a directory."""

    def __init__(self, directory):
        self.data = directory / "data"
        cast = directory / "stage.json"
        if not cast.exists():
            self._make(cast)
        self.tokens, self.conversations = json.loads(cast.read_text())

    def _make(self, cast):
        system = System(data=self.data, BANTER_BUILD_DIR=BUILD, BANTER_ACCESS_TOKEN_TTL=86400)
        try:
            accounts = {handle: Account(system, handle, "correct horse battery").signup()
                        for handle in HANDLES}
            tokens = {handle: one.access_token for handle, one in accounts.items()}
            conversations = list(_talk(system, accounts))
        finally:
            system.down()
        with open(self.data / "postgres" / "postgresql.auto.conf", "a", encoding="ascii") as file:
            file.write("track_commit_timestamp = on\n")
        cast.write_text(json.dumps([tokens, conversations]))


def _talk(system, accounts):
    everybody = [accounts[handle] for handle in HANDLES[:-2]]
    for kind, members in (("group", everybody), ("group", everybody[:3]),
                          ("direct", everybody[:2]), ("direct", everybody[2:4]),
                          ("direct", [everybody[4], accounts[STRANGER]])):
        if kind == "direct":
            id_ = system.data_of(members[0], {"command": "createDirect",
                                              "user": members[1].handle})["conversation"]
        else:
            id_ = system.group(members[0], members[1:])
        handles = [one.handle for one in members]
        yield {"id": id_, "type": kind, "members": handles, "posters": handles}


class Rig:
    """One run: `with Rig(stage, …) as rig: rig.play(…); rig.judge()`."""

    def __init__(self, stage, rate, broken=""):
        self.directory = _reach(pathlib.Path(tempfile.mkdtemp(prefix="banter-broken-", dir="/tmp")))
        self.logs, points = self.directory / "logs", self.directory / "points"
        for directory in (self.logs, points):
            directory.mkdir()
            _reach(directory)
        self._armed, self.fired = points / "armed", points / "armed.fired"
        self._stage = stage
        self._rate = rate
        self.driver = None
        self._end = threading.Event()
        self._faults = 0
        subprocess.run(["cp", "-a", stage.data, self.directory / "data"], check=True)
        try:
            self.system = System(data=self.directory / "data", BANTER_BUILD_DIR=BUILD,
                                 BANTER_FAULTS=self._armed, BANTER_BREAK=broken)
        except BaseException:
            shutil.rmtree(self.directory, ignore_errors=True)
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_exception):
        self._end.set()
        self.system.close()
        shutil.rmtree(self.directory, ignore_errors=True)

    # ---------------------------------------------------------------- the run

    def play(self, seconds, meanwhile=None):
        """Devices talk for so long; `meanwhile(rig)` runs beside it. Then all is receipted, or not,
        and every device asks for what it has not."""
        self._write_cast()
        sampler = threading.Thread(target=self._sample_memory)
        sampler.start()
        with self._start_driver() as self.driver:
            driver = self.driver
            driver.say(f"rate {self._rate}")
            wait_until(lambda: driver.status.get("receipted", 0) > self._rate / 2, 30, "talk")
            time.sleep(1.5)
            began = time.monotonic()
            if meanwhile:
                meanwhile(self)
            time.sleep(max(0, began + seconds - time.monotonic()))
            driver.say("stop")
            with contextlib.suppress(Timeout):  # if so, the checker says what was not answered
                wait_until(lambda: driver.status.get("open", 1) == 0, 8, "receipts", 0.2)
            time.sleep(1)
            driver.say("finish")
            with contextlib.suppress(subprocess.TimeoutExpired):
                driver.process.wait(10)
        self._end.set()
        sampler.join()

    def judge(self):
        """The rules that were violated, and the report."""
        return runs.check(self.directory / "cast.json", self.system.postgres_dsn, self.logs,
                          least=LEAST)

    def _write_cast(self):
        cast = {"seed": 1, "http": [self.system.http], "ws": [self.system.ws], "rate": self._rate,
                "mqtt": [self.system.address()], "log_dir": str(self.logs),
                "conversations": self._stage.conversations,
                "users": [{"handle": handle, "token": self._stage.tokens[handle], "driver": DRIVER,
                           "devices": _devices(handle)} for handle in HANDLES]}
        (self.directory / "cast.json").write_text(json.dumps(cast))

    @contextlib.contextmanager
    def _start_driver(self):
        command = [BUILD / "tests/chaos/banter-chaos-driver", self.directory / "cast.json", DRIVER,
                   self.logs / f"{DRIVER}.log"]
        driver = Driver(command)
        try:
            yield driver
        finally:
            driver.process.kill()
            driver.process.wait()

    def _sample_memory(self):
        with open(self.logs / "memory.log", "w", encoding="ascii") as file:
            while not self._end.wait(_SAMPLE_S):
                for name in ("broker", "bridge"):
                    with contextlib.suppress(OSError, StopIteration, ValueError):
                        pid = int((self.system.data / "state" / f"{name}.pid").read_text())
                        file.write(f"{time.monotonic_ns() // 1000}\t{name}\t{pid}\t"
                                   f"{_resident_kb(pid)}\t{len(os.listdir(f'/proc/{pid}/fd'))}\n")

    # ---------------------------------------------------------------- what a test does meanwhile

    def arm(self, *lines):
        """Fault points, as base/fault_point.h has them."""
        fresh = self._armed.with_suffix(".new")
        fresh.write_text("".join(line + "\n" for line in lines))
        fresh.replace(self._armed)

    def fault(self, name, do):
        """On record, as the nemesis does it."""
        self._faults += 1
        with open(self.logs / "faults.log", "a", encoding="ascii") as file:
            file.write(f"{_stamp()}\tbegin\t{self._faults}\t{name}\t0\n")
            do()
            file.write(f"{_stamp()}\tend\t{self._faults}\t{name}\t0\n")

    def change_guest(self, conversation):
        """The guest is added and removed again, by the first member."""
        owner = Account(self.system, HANDLES[0], "")
        owner.access_token = self._stage.tokens[HANDLES[0]]
        with open(self.logs / "members.log", "a", encoding="ascii") as file:
            file.write(f"{_stamp()}\t+\t{conversation}\t{GUEST}\n")
            self.system.data_of(owner, {"command": "addMembers", "conversation": conversation,
                                        "members": [GUEST]})
            time.sleep(0.4)
            self.system.data_of(owner, {"command": "removeMember", "conversation": conversation,
                                        "user": GUEST})
            file.write(f"{_stamp()}\t-\t{conversation}\t{GUEST}\n")

    def groups(self):
        return [one["id"] for one in self._stage.conversations if one["type"] == "group"]


class Driver:
    """`status`: the newest line that the process printed of itself."""

    def __init__(self, command):
        self.status = {}
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True, bufsize=1)
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            with contextlib.suppress(ValueError):
                self.status = json.loads(line)

    def say(self, line):
        with contextlib.suppress(OSError):
            self.process.stdin.write(line + "\n")


def _devices(handle):
    """Two have a second one: one that sends everything several times, and one that reads slowly."""
    second = {HANDLES[0]: "resend", HANDLES[1]: "slow"}.get(handle)
    return [{"name": "d0", "role": "normal"}, *([{"name": "d1", "role": second}] if second else [])]


def _stamp():
    return f"{time.time_ns() // 1000}\t{time.monotonic_ns() // 1000}"


def _resident_kb(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS:"))
