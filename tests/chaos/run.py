#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A run of the chaos suite: a whole system, many devices that talk, faults, and a judgment.

    tests/chaos/run.py --minutes 10 --seed 42     all faults that this machine can do
    tests/chaos/run.py --ci --seconds 45          the short ones
    tests/chaos/run.py --faults kill,disk.full    those whose names begin so; --list shows them
    tests/chaos/run.py --nodes 3 --minutes 10     on several nodes, of one database and two Redis

What happens is on record in a directory of the run's own, in the files that driver, nemesis and
churn write; tests/chaos/checker reads them and PostgreSQL afterwards, and judges. Exit status: 0
when nothing was violated, 1 when something was (the directory then stays, and its name is printed),
2 when the run itself could not be done.

Rule: as root it all happens in namespaces of its own (nemesis/sandbox.py). Without that right the
rows that need it are left out, and the report says so."""
import argparse
import collections
import contextlib
import json
import os
import pathlib
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time

CHAOS = pathlib.Path(__file__).resolve().parent
REPOSITORY = CHAOS.parents[1]
sys.path[:0] = [str(CHAOS), str(CHAOS.parent / "integration")]

from nemesis import TABLE, Deaths, Nemesis, World, choose, sandbox  # noqa: E402
from nemesis import scene  # noqa: E402
from nemesis.churn import Churn  # noqa: E402
from nemesis.drivers import Driver  # noqa: E402
from nemesis.gauges import Gauges  # noqa: E402
from nemesis.product import Product, find_clock  # noqa: E402
from support.cluster import Redis  # noqa: E402
from support.waiting import Timeout, wait_until  # noqa: E402

CONNECT_S, SETTLE_S, QUIESCE_S, FINISH_S = 60, 5, 60, 180
# Of all users: who plays them, and which part of all drafts they send.
SHARES = {"c": (0.8, 0.86), "paho": (0.08, 0.06), "mqttjs": (0.12, 0.08)}
# Above these something grows without a bound: what a calm node of this size takes, the rings and
# queues that are bounded in its settings, and the stacks of threads.
CEILINGS_KIB = {"broker": 512 << 10, "bridge": 512 << 10}
MIN_FAULTS = 3
NODES = "abcdefgh"
# What little memory may do to a process: it is one of the ways to say so.
DIES_WITHOUT_MEMORY = 3.0


class Aborted(Exception):
    """The run could not be done; nothing is known of the product."""


def parse(arguments):
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--minutes", type=float, help="of faults")
    parser.add_argument("--seconds", type=float, help="the same in seconds")
    parser.add_argument("--seed", type=int, help="of faults, cast and texts (default: a new one)")
    parser.add_argument("--faults", default="", help="names or beginnings, with commas")
    parser.add_argument("--rate", type=int, default=300, help="drafts a second")
    parser.add_argument("--users", type=int, default=60)
    parser.add_argument("--nodes", type=int, default=1, choices=range(1, len(NODES) + 1),
                        help="how many, each with a broker and a bridge")
    parser.add_argument("--report", type=pathlib.Path, help="write the report there, as JSON")
    parser.add_argument("--build", type=pathlib.Path, help="build directory",
                        default=os.environ.get("BANTER_BUILD_DIR", REPOSITORY / "build/chaos"))
    parser.add_argument("--ci", action="store_true", help="short faults only")
    parser.add_argument("--crowd", action="store_true", help="also thousands of further clients")
    parser.add_argument("--no-stock", action="store_true", help="only devices of our own")
    parser.add_argument("--keep", action="store_true", help="keep the directory")
    parser.add_argument("--list", action="store_true", help="the faults, and what each needs")
    options = parser.parse_args(arguments)
    if options.seed is None:
        options.seed = secrets.randbelow(1 << 31)
    options.duration = options.seconds or 60 * (options.minutes or 1)
    options.build = options.build.resolve()
    return options


def capabilities_of(product, options, in_sandbox):
    found = {"sandbox", "disk"} if in_sandbox else set()
    if find_clock():
        found.add("clock")
    if product.has_points:
        found.add("points")
    if options.crowd:
        found.add("crowd")
    if options.nodes > 1:
        found.add("nodes")
    return found


def broker_version():
    program = os.environ.get("BANTER_MOSQUITTO") or shutil.which(
        "mosquitto", path=f"{os.environ['PATH']}:/usr/sbin")
    said = subprocess.run([program, "-h"], text=True, capture_output=True, check=False).stdout
    return said.splitlines()[0] if said else program


class Run:
    def __init__(self, options, directory, in_sandbox):
        self._options = options
        self._directory = directory
        self._logs = directory / "logs"
        self._in_sandbox = in_sandbox
        self._drivers = []
        self._problems = []  # sentences: what is wrong beside what the checker finds

    def play(self):
        """Returns the report."""
        options = self._options
        self._logs.mkdir()
        began = time.monotonic()
        with contextlib.ExitStack() as undo:
            redises = [Redis(), Redis()] if options.nodes > 1 else []
            for redis in redises:
                undo.callback(redis.close)
            first = Product(self._directory, options.build, options.seed, self._in_sandbox,
                            [redis.port for redis in redises])
            undo.callback(first.finish)
            products = [first]
            for name in NODES[1:options.nodes]:
                products.append(first.add_node(name))
                undo.callback(products[-1].finish)
            undo.callback(self._kill_drivers)
            report = self._play_with(products, redises[0] if redises else None)
        report["elapsed_s"] = round(time.monotonic() - began, 1)
        return report

    def _play_with(self, products, redis):
        options, product = self._options, products[0]
        shares = self._shares()
        cast, churned = scene.make(products, options.seed, options.users, shares, self._logs)
        scene.write(cast, self._directory / "cast.json")
        capabilities = capabilities_of(product, options, self._in_sandbox)
        worlds = [World(one, one.proxies, self._drivers, capabilities, one.disk, redis)
                  for one in products]
        rows = choose([name for name in options.faults.split(",") if name], capabilities,
                      options.ci)
        if not rows:
            raise Aborted(f"no fault of this machine is called {options.faults}")
        gauges = Gauges(worlds, self._logs / "memory.log")
        deaths = [Deaths(one.data / "log" / "supervisor.log") for one in products]
        for one in deaths:
            one.start()
        self._start_drivers(cast, shares)
        gauges.start()
        time.sleep(SETTLE_S)
        churn = Churn(products, churned, self._logs / "members.log", options.seed)
        churn.start()
        with open(self._logs / "faults.log", "a", encoding="ascii") as log:
            nemesis = Nemesis(worlds, rows, options.seed, log, 2.5 if options.ci else 8,
                              (0.5, 1.5) if options.ci else (1.0, 3.0))
            nemesis.run_until(time.monotonic() + options.duration)
        churn.stop()
        self._quiesce()
        gauges.stop()
        self._problems += nemesis.failures
        for one in deaths:
            one.stop()
            self._judge_deaths(one.seen)
        return {
            "seed": options.seed, "repeat": self._command(), "seconds": options.duration,
            "rate": options.rate, "users": options.users, "nodes": options.nodes,
            "capabilities": sorted(capabilities),
            "broker": broker_version(),
            "faults": dict(sorted(collections.Counter(nemesis.done).items())),
            "fault_count": len(nemesis.done), "missed": nemesis.missed,
            "membership_changes": churn.changes,
            "drivers": {driver.name: driver.status for driver in self._drivers},
            "checker": self._check(products), "problems": self._problems,
        }

    # ---------------------------------------------------------------- the devices

    def _kill_drivers(self):
        for driver in self._drivers:
            driver.kill()

    def _shares(self):
        """[(driver, how many users)]: all of them with our own driver, if that is asked for."""
        users = self._options.users
        if self._options.no_stock:
            return [("c", users)]
        stock = [(name, max(1, round(users * SHARES[name][0]))) for name in ("paho", "mqttjs")]
        return [("c", users - sum(count for _, count in stock)), *stock]

    def _command_of(self, name):
        program = {"c": [self._options.build / "tests/chaos/banter-chaos-driver"],
                   "paho": [sys.executable, CHAOS / "stock_paho.py"],
                   "mqttjs": ["node", CHAOS / "stock_mqttjs.mjs"]}[name]
        return [*program, self._directory / "cast.json", name, self._logs / f"{name}.log"]

    def _start_drivers(self, cast, shares):
        wanted = collections.Counter()
        for user in cast["users"]:
            wanted[user["driver"]] += len(user["devices"])
        for name, _ in shares:
            with open(self._logs / f"{name}.stderr", "wb") as stderr:
                self._drivers.append(Driver(name, self._command_of(name), stderr))
        for driver in self._drivers:
            self._wait_for(lambda driver=driver: driver.status.get("connected", 0)
                           >= wanted[driver.name], CONNECT_S, f"{driver.name} connects all devices")
        # Not before all are there: who comes while others talk has holes, and that is no fault.
        time.sleep(SETTLE_S)
        for driver in self._drivers:
            part = 1 if self._options.no_stock else SHARES[driver.name][1]
            driver.say(f"rate {max(1, round(self._options.rate * part))}")

    def _wait_for(self, predicate, seconds, what):
        def check():
            for driver in self._drivers:
                if not driver.is_alive():
                    raise Aborted(f"driver {driver.name} has ended; see {self._logs}")
            return predicate()
        try:
            wait_until(check, seconds, what, interval=0.2)
        except Timeout as error:
            raise Aborted(str(error)) from error

    def _quiesce(self):
        """No new drafts; all receipted; all devices complete."""
        heard = {}
        for driver in self._drivers:
            driver.say("stop")
            heard[driver] = driver.lines

        def is_done(driver):
            """By a line that was made after the stop: one may have been on its way."""
            return driver.lines >= heard[driver] + 2 and driver.status.get("open", 1) == 0
        try:
            wait_until(lambda: all(map(is_done, self._drivers)), QUIESCE_S,
                       "a receipt for every draft", interval=0.2)
        except Timeout as error:
            self._problems.append(str(error))
        for driver in self._drivers:
            driver.say("finish")
        for driver in self._drivers:
            status = driver.wait(FINISH_S)
            if status != 0:
                self._problems.append(f"driver {driver.name} ended with {status}")

    # ---------------------------------------------------------------- the judgment

    def _judge_deaths(self, seen):
        """Who died of a signal that no fault sends has a bug. Without memory the bridge aborts, and
        PostgreSQL does without room on the disk."""
        faults = [line.split("\t") for line in
                  (self._logs / "faults.log").read_text().splitlines()]
        scarce = []
        for _, monotonic, what, _, name, *_ in faults:
            if name.startswith("memory."):
                slack = -DIES_WITHOUT_MEMORY if what == "begin" else DIES_WITHOUT_MEMORY
                scarce.append(int(monotonic) / 1e6 + slack)
        for when, sentence in seen:
            if any(low <= when <= high for low, high in zip(scarce[::2], scarce[1::2])):
                continue
            if not sentence.startswith("postgres") and not sentence.endswith("signal 9"):
                self._problems.append(f"at {when:.1f}: {sentence}")

    def _check(self, products):
        """What the checker says: its text for people to see, and its report."""
        output = self._directory / "checker.json"
        least = 1 if self._options.faults else MIN_FAULTS
        amounts = [f"--least=faults={least}", f"--least=members={least}"]
        amounts += [f"--ceiling={name}={kib}" for name, kib in CEILINGS_KIB.items()]
        for product in products[1:]:
            amounts += [f"--ceiling={name}@{product.node}={kib}"
                        for name, kib in CEILINGS_KIB.items()]
            amounts += [f"--fired={product.faults.fired}"]
        done = subprocess.run(
            [sys.executable, "-m", "checker", self._directory, "--dsn", products[0].postgres_dsn,
             "--json", output, "--command", self._command(), *amounts], cwd=CHAOS, check=False)
        if done.returncode not in (0, 1) or not output.exists():
            raise Aborted(f"the checker ended with {done.returncode}")
        return json.loads(output.read_text())

    def _command(self):
        options = self._options
        words = ["./banter", "soak", *(["--mosquitto21"] if " 2.1." in broker_version() else []),
                 "--minutes", f"{options.duration / 60:g}", "--seed",
                 str(options.seed), "--rate", str(options.rate), "--users", str(options.users)]
        words += ["--nodes", str(options.nodes)] if options.nodes > 1 else []
        words += ["--faults", options.faults] if options.faults else []
        words += [f"--{name.replace('_', '-')}" for name in ("ci", "crowd", "no_stock")
                  if getattr(options, name)]
        return " ".join(words)


def work(options, directory, in_sandbox):
    """Plays, and leaves the report and nothing that runs; returns the exit status."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        report = Run(options, directory, in_sandbox).play()
    except KeyboardInterrupt:
        print("interrupted", flush=True)
        return 130
    except (Aborted, RuntimeError, OSError) as error:
        print(f"The run could not be done: {error}", flush=True)
        return 2
    violated = bool(report["problems"] or report["checker"].get("violations"))
    report["verdict"] = "violated" if violated else "clean"
    text = json.dumps(report, indent=1)
    (directory / "report.json").write_text(text)
    if options.report:
        options.report.write_text(text + "\n")
    for problem in report["problems"]:
        print(f"PROBLEM  {problem}")
    print(f"{report['verdict']}: {report['fault_count']} faults in {report['seconds']:g} s\n"
          f"seed {options.seed}; repeat with: {report['repeat']}", flush=True)
    return 1 if violated else 0


def print_table():
    for row in TABLE:
        print(f"{row.name:34} {row.seconds[0]:g}-{row.seconds[1]:g} s  "
              f"{'ci' if row.ci else 'soak':5} {' '.join(row.needs)}")


def main(arguments):
    options = parse(arguments)
    if options.list:
        print_table()
        return 0
    if options.report:
        options.report = options.report.resolve()
    directory = pathlib.Path(tempfile.mkdtemp(prefix="banter-chaos-", dir="/tmp"))
    directory.chmod(0o755)
    status = 2
    try:
        print(f"seed {options.seed}", flush=True)
        if os.geteuid() == 0 and sandbox.is_possible():
            status = sandbox.run(lambda: work(options, directory, True))
        else:
            status = work(options, directory, False)
    finally:
        if options.keep or status in (1, 2):
            print(f"All that was recorded is in {directory}")
        else:
            shutil.rmtree(directory, ignore_errors=True)
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
