# SPDX-License-Identifier: MIT
"""The command line of `./banter bench all`, `growth` and `report`; scripts/lib/bench.sh calls it.

`all` and `growth` run copies of their own, which are gone in the end unless --keep; the results go
into one file, which is written after each round and may hold both."""
import argparse
import contextlib
import datetime
import os
import pathlib
import signal
import sys

from suite import copy, ejabberd, machine, plan, report, results, rounds

DEFAULT_OUT = "build/bench.json"


def parse(arguments):
    parser = argparse.ArgumentParser(prog="./banter bench", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, help_text in (("all", "every target beside its baselines"),
                            ("growth", "how cost grows")):
        one = commands.add_parser(name, help=help_text)
        one.add_argument("--repeat", type=int, default=5, help="rounds (5)")
        one.add_argument("--seconds", type=int, default=10, help="to measure in each run (10)")
        one.add_argument("--warm-up", type=int, default=2, help="before each of them (2)")
        one.add_argument("--minutes", type=float, default=0,
                         help="begin no round that would end after so many; 0: no bound")
        one.add_argument("--only", type=lambda text: text.split(","), default=[],
                         help="works or series, comma between them")
        one.add_argument("--history", type=int, default=0,
                         help="also with so many messages stored before, such as 20000000")
        one.add_argument("--history-data", help="where that copy is; stays there")
        one.add_argument("--mosquitto", default="/usr/sbin/mosquitto", help="the bare broker")
        one.add_argument("--mosquitto21", help="also on the Mosquitto 2.1 in this directory")
        one.add_argument("--plugin21", help="the plugin for it")
        one.add_argument("--anywhere", action="store_true",
                         help="the kernel decides which process runs on which CPU")
        one.add_argument("--out", default=DEFAULT_OUT, help=f"raw results ({DEFAULT_OUT})")
    one = commands.add_parser("report", help="tables and plots into docs/performance.md")
    one.add_argument("results", nargs="?", default=DEFAULT_OUT)
    one.add_argument("--docs", default=str(copy.REPOSITORY / "docs"))
    options = parser.parse_args(arguments)
    options.ejabberd = ejabberd.is_installed()
    known = {"all": {*plan.WORK, plan.PAIRS21, plan.HISTORY, plan.EJABBERD},
             "growth": {*plan.GROWTH, plan.HISTORY}, "report": set()}[options.command]
    unknown = set(getattr(options, "only", ())) - known
    if unknown:
        parser.error(f"there is no {', '.join(sorted(unknown))}; there are "
                     f"{', '.join(sorted(known))}")
    return options


@contextlib.contextmanager
def copies(options):
    """Those that the options ask for; "main" runs."""
    with contextlib.ExitStack() as stack:
        cpus = {} if options.anywhere else copy.placement()
        main = copy.Copy(stack.enter_context(copy.data_directory()), **cpus)
        made = {"main": stack.enter_context(main)}
        if options.history:
            made["history"] = copy.Copy(
                stack.enter_context(copy.data_directory(options.history_data)), **cpus)
        if options.mosquitto21:
            made["mosquitto21"] = copy.Copy(
                stack.enter_context(copy.data_directory()),
                BANTER_MOSQUITTO=os.path.join(options.mosquitto21, "mosquitto"),
                BANTER_PLUGIN=options.plugin21, **cpus)
        yield made


def open_results(options, main):
    """A new document, or the one that is there: `all` and `growth` keep each other's part."""
    now = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")
    settings = {key: getattr(options, key) for key in ("repeat", "seconds", "warm_up", "history")}
    document = results.new(machine.describe(main.data, options.mosquitto), settings, now)
    if pathlib.Path(options.out).exists():
        before = results.read(options.out)
        document["growth"] = before["growth"]
        document["growth_settings"] = before["growth_settings"]
        if options.command == "growth" or options.only:
            document["works"] = before["works"]
        if options.command == "growth" and before["works"]:
            document["settings"], document["at"] = before["settings"], before["at"]
            document["notices"] = before["notices"]
    if options.command == "growth":
        document["growth_settings"] = settings
    if options.command == "all" and not options.ejabberd:
        document["notices"].append("ejabberd is not installed, and was left out")
    if not main.is_worn_in:
        document["notices"].append("the disk has little room: PostgreSQL made its WAL files while"
                                   " latencies were measured")
    cpus = main.environment.get("BANTER_BROKER_CPUS")
    if options.command == "all" and cpus:
        document["notices"].append(
            f"the broker, and the bare one, had CPU {cpus}, PostgreSQL the others; bridge and load"
            " generator ran anywhere")
    return document


def measure(options):
    with copies(options) as made:
        document = open_results(options, made["main"])
        runner = rounds.Rounds(made, document, options,
                               lambda: results.write(document, options.out))
        if options.command == "all":
            if options.history:
                with made["history"] as grown:
                    rounds.seed_history(grown, options.history, print)
            runner.play(runner.targets)
        else:
            runner.play(runner.growth)
            if options.history and (not options.only or plan.HISTORY in options.only):
                runner.grown_history()
    print()
    print(report.on_terminal(document))
    print(f"Raw results: {options.out}")
    return 1 if runner.failures else 0


def main(arguments):
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # the copies end, too
    options = parse(arguments)
    try:
        if options.command == "report":
            document = results.read(options.results)
            report.publish(document, options.docs)
            print(report.on_terminal(document))
        else:
            pathlib.Path(options.out).resolve().parent.mkdir(parents=True, exist_ok=True)
            return measure(options)
    except (copy.BenchFailed, OSError, ValueError) as error:
        print(f"banter bench: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("banter bench: interrupted", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
