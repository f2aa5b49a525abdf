# SPDX-License-Identifier: MIT
"""Judges a run of the chaos suite. Exit status: 0 clean, 1 a rule was violated."""
import argparse
import json
import pathlib
import sys

if not __package__:  # run as a folder
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from checker import report, run as runs  # noqa: E402 (after the path is set)


def _amount(text):
    name, value = text.split("=", 1)
    return name, int(value)


def _arguments():
    parser = argparse.ArgumentParser(prog="checker", description=__doc__)
    parser.add_argument("run", type=pathlib.Path,
                        help="folder with cast.json and logs/: those of the drivers, faults.log, "
                             "members.log, memory.log; and perhaps faults/armed.fired")
    parser.add_argument("--dsn", required=True, help="the database, as libpq wants it")
    parser.add_argument("--json", type=pathlib.Path, help="file for the report in JSON")
    parser.add_argument("--command", default="", help="what repeats the run, for the report")
    parser.add_argument("--ceiling", action="append", type=_amount, default=[], metavar="NAME=KB",
                        help="memory that a process may have at most")
    parser.add_argument("--least", action="append", type=_amount, default=[], metavar="WHAT=N",
                        help="receipts, deliveries, syncs, faults or members that there must be")
    parser.add_argument("--fired", action="append", type=pathlib.Path, default=[], metavar="FILE",
                        help="what the fault points of a further node recorded")
    return parser.parse_args()


def main():
    given = _arguments()
    run = runs.check(given.run / "cast.json", given.dsn, given.run / "logs", dict(given.ceiling),
                     dict(given.least), [given.run / "faults" / "armed.fired", *given.fired])
    summary = report.summarize(run, given.command)
    if given.json:
        given.json.write_text(json.dumps(summary, indent=2) + "\n", encoding="utf-8")
    print(report.as_text(summary), flush=True)
    return 1 if summary["violations"] else 0


if __name__ == "__main__":
    sys.exit(main())
