# SPDX-License-Identifier: MIT
"""A whole running Banter of the tests' own: `./banter up -d` on free ports and its own data.

Rule: everything that a System starts it also stops, and close() fails when a process died that no
test killed or a sanitizer wrote a report: a crash that the supervisor repaired is still a crash.
"""
import concurrent.futures
import csv
import io
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile

from . import contract, copies, http
from .account import Account, unique_handle
from .device import Device
from .waiting import wait_until

REPOSITORY = pathlib.Path(__file__).resolve().parents[3]
PROCESSES = ("postgres", "bridge", "broker")
PORTS_PER_SYSTEM = 5
ANSWERS_CHECKED = 200  # of one test, against openapi.yaml
CHEAP_PASSWORDS = {"BANTER_ARGON2_MEMORY_KIB": 1024, "BANTER_ARGON2_PASSES": 1}
NO_LIMITS = {"BANTER_RATE_LIMITS": "false"}  # most tests do more than people do
QUICK_STOPS = {"BANTER_DRAIN_SECONDS": "0"}  # nobody waits for a test's devices
CRASH_MARKS = ("AddressSanitizer", "LeakSanitizer", "ThreadSanitizer", "runtime error:",
               "Assertion ", "died of signal 6", "died of signal 11")


_claims = []


def free_port_base():
    """A port with enough free neighbours, below the range that outgoing connections use. It stays
    this process's own until its end, even while nothing listens: a name that only one process
    can have says so to test runs beside this one."""
    for base in range(20000, 32000, PORTS_PER_SYSTEM):
        claim = socket.socket(socket.AF_UNIX)
        sockets = []
        try:
            claim.bind(f"\0banter-test-ports-{base}")
            for port in range(base, base + PORTS_PER_SYSTEM):
                probe = socket.socket()
                sockets.append(probe)
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(("127.0.0.1", port))
            _claims.append(claim)
            return base
        except OSError:
            claim.close()
        finally:
            for probe in sockets:
                probe.close()
    raise RuntimeError("no free ports")


class System:
    def __init__(self, data=None, public=False, **environment):
        """Starts one; `environment` are settings of the bridge, e.g. BANTER_ACCESS_TOKEN_TTL=2.
        `data`: its directory, which need not exist. `public`: it tells clients its addresses."""
        self.data = data or pathlib.Path(tempfile.mkdtemp(prefix="banter-test-", dir="/tmp"))
        settings = {**CHEAP_PASSWORDS, **QUICK_STOPS, **NO_LIMITS, **environment}
        self._environment = {**os.environ, **{key: str(v) for key, v in settings.items()}}
        self._devices = []
        self._answers = []
        self.forgiven = set()  # marks of crashes that a test brought about
        self._port_base = free_port_base()
        if public:
            here = f"127.0.0.1:{self._port_base}"
            self.configure(BANTER_PUBLIC_HTTP=f"http://{here}",
                           BANTER_PUBLIC_WS=f"ws://{here}/mqtt")
        try:
            if data is None and "BANTER_DATABASE" not in environment:
                copies.put_into(self.data, self._command, {**os.environ, **QUICK_STOPS})
            self.up()
        except BaseException:
            self._remove()
            raise

    # ---------------------------------------------------------------- life

    @property
    def _command(self):
        return [REPOSITORY / "banter", "--port-base", str(self._port_base)]

    def _banter(self, *arguments, timeout=120, stdin=""):
        command = [*self._command, "--data", self.data, *arguments]
        done = subprocess.run(command, env=self._environment, text=True, capture_output=True,
                              input=stdin, timeout=timeout, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"banter {' '.join(arguments)} failed ({done.returncode}):\n"
                               f"{done.stdout}{done.stderr}")
        return done.stdout

    def up(self):
        self._banter("up", "-d", timeout=600)
        status = self.status()
        self.http = status["http"]
        self.ws = status["ws"]
        self.https, self.wss, self.mqtts = status["https"], status["wss"], status["mqtts"]
        self.postgres_dsn = status["postgres_dsn"]
        self.operators = status["metrics"].removesuffix("/metrics")
        self.mqtt_host, port = status["mqtt"].rsplit(":", 1)
        self.mqtt_port = int(port)

    def down(self):
        self._banter("down")

    def configure(self, **environment):
        """Settings of the bridge for the next up()."""
        self._environment.update({key: str(value) for key, value in environment.items()})

    def status(self):
        return json.loads(self._banter("status", "--json"))

    def close(self):
        """Stops everything and returns what the logs say of crashes, as text; "" when clean."""
        self.close_devices()
        try:
            self.down()
            return self.crashes()
        finally:
            self._remove()

    def _remove(self):
        subprocess.run([REPOSITORY / "banter", "--data", self.data, "down"],
                       env=self._environment, capture_output=True, timeout=60, check=False)
        shutil.rmtree(self.data, ignore_errors=True)

    def close_devices(self):
        while self._devices:
            self._devices.pop().disconnect()

    def take_contract_problems(self):
        """What was said since the last call and is not in schema/*.yaml, as sentences."""
        found = [problem for device in self._devices
                 for problem in contract.device_problems(device)]
        for answer in self._answers:
            found += contract.answer_problems(*answer)
        self._answers.clear()
        return found

    def crashes(self):
        found = []
        for path in sorted((self.data / "log").glob("*.log")):
            lines = path.read_text(errors="replace").splitlines()
            for number, line in enumerate(lines):
                if any(mark in line for mark in CRASH_MARKS if mark not in self.forgiven):
                    found.append(f"{path.name}: " + "\n".join(lines[number:number + 30]))
                    break
        return "\n".join(found)

    def log(self, name):
        return (self.data / "log" / f"{name}.log").read_text(errors="replace")

    def tails(self, lines=40):
        """The last lines of the logs, for the report of a failed test."""
        parts = []
        for name in (*PROCESSES, "supervisor"):
            if not (self.data / "log" / f"{name}.log").exists():
                continue  # its database is another system's
            text = "\n".join(self.log(name).splitlines()[-lines:])
            parts.append(f"--- {name}\n{text}")
        return "\n".join(parts)

    # ---------------------------------------------------------------- faults

    def pid(self, name):
        """The process's id now; None while it is down."""
        return self.status()["pids"][name]

    def kill(self, name):
        """kill -9; the supervisor starts it again. Returns the id it had."""
        pid = self.pid(name)
        os.kill(pid, signal.SIGKILL)
        return pid

    def wait_restarted(self, name, old_pid, timeout=20):
        return wait_until(lambda: self.pid(name) not in (None, old_pid) and self.pid(name),
                          timeout, f"restart of {name}", interval=0.1)

    def stop(self, name):
        """Stops one process in its orderly way; it stays down until start()."""
        self._banter("stop", name)

    def start(self, name):
        self._banter("start", name)

    def freeze(self, name):
        os.kill(self.pid(name), signal.SIGSTOP)

    def thaw(self, name):
        os.kill(self.pid(name), signal.SIGCONT)

    def wait_ready(self, timeout=30):
        """Waits until GET /readyz says yes: database, writer and plugin are together."""
        def ready():
            try:
                return self.request("GET", "/readyz").status == 200
            except OSError:
                return False
        wait_until(ready, timeout, "readiness", interval=0.05)

    # ---------------------------------------------------------------- asking

    def ask_operators_port(self, method, path, token=None, timeout=30):
        return http.request(self.operators, method, path, token=token, timeout=timeout)

    def metrics(self):
        return self.ask_operators_port("GET", "/metrics", timeout=3).body.decode()

    def operate(self, *arguments, stdin=""):
        """./banter ARGUMENTS, for commands that only the runner has: what it prints."""
        return self._banter(*arguments, stdin=stdin)

    def address(self):
        return f"{self.mqtt_host}:{self.mqtt_port}"

    def request(self, method, path, body=None, account=None, token=None, headers=None, timeout=30,
                source=None):
        token = account.access_token if account is not None and token is None else token
        answer = http.request(self.http, method, path, body, token, headers, timeout, source)
        if len(self._answers) < ANSWERS_CHECKED:
            self._answers.append((method, path, answer.status, answer.headers["Content-Type"],
                                  answer.body))
        return answer

    def stream(self, path, account=None, headers=None, timeout=60):
        token = account.access_token if account is not None else None
        return http.stream(self.http, path, token, headers, timeout)

    def control(self, account, *commands):
        return self.request("POST", "/v1/control", {"commands": list(commands)},
                            account).ok()["responses"]

    def data_of(self, account, command):
        """One command that must succeed: what it answers as `data`."""
        response = self.control(account, command)[0]
        assert "error" not in response, f"{command['command']} failed: {response}"
        return response.get("data", {})

    def group(self, owner, members, title="Team"):
        handles = [member.handle for member in members]
        return self.data_of(owner, {"command": "createGroup", "title": title,
                                    "members": handles})["conversation"]

    def history(self, account, conversation, **query):
        """The entries of one page of the replay."""
        parameters = "&".join(f"{key}={value}" for key, value in query.items())
        path = f"/v1/conversations/{conversation}/messages" + (f"?{parameters}" if query else "")
        return self.request("GET", path, account=account).ok()["entries"]

    @property
    def bridge_dsn(self):
        """How the bridge connects, which may do less than the database's owner."""
        return self.dsn_of("banter_bridge")

    def dsn_of(self, role):
        return self.postgres_dsn.replace("user=banter ", f"user={role} ")

    def psql(self, sql, timeout=60, dsn=None):
        """Rows of the answer, each a list of strings; NULL is an empty string. As the database's
        owner, if `dsn` says nothing else."""
        done = subprocess.run(["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "--csv", "-t",
                               "-d", dsn or self.postgres_dsn, "-c", sql], text=True,
                              capture_output=True, timeout=timeout, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"psql failed: {done.stderr}")
        return list(csv.reader(io.StringIO(done.stdout)))

    # ---------------------------------------------------------------- people

    def signup(self, name="user"):
        return Account(self, unique_handle(name), "correct horse battery").signup()

    def signup_many(self, count, name="user"):
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            return list(pool.map(lambda _: self.signup(name), range(count)))

    def device(self, account, name="phone", **options):
        """A connected device; closed when the test ends."""
        device = Device(self, account, name, connect=False, **_without(options, "wait_ready"))
        self._devices.append(device)
        if options.get("connect", True):
            device.connect(wait_ready=options.get("wait_ready", True))
        return device


def _without(options, *names):
    return {key: value for key, value in options.items() if key not in (*names, "connect")}
