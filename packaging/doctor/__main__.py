# SPDX-License-Identifier: MIT
"""The command line: prints the findings; exit status 1 if one of them is an error."""
import argparse
import dataclasses
import json
import pathlib
import sys

from . import checks
from .finding import LEVELS
from .installation import Copy, Packaged


def read_command_line():
    parser = argparse.ArgumentParser(
        prog="banter doctor", description="Says what is wrong with an installation of Banter.")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of lines")
    parser.add_argument("--installed", action="store_true",
                        help="look at the Debian packages, not at a copy of ./banter's")
    # What ./banter knows of its copy.
    parser.add_argument("--data", type=pathlib.Path, help=argparse.SUPPRESS)
    parser.add_argument("--run", type=pathlib.Path, help=argparse.SUPPRESS)
    parser.add_argument("--banter", default="./banter", help=argparse.SUPPRESS)
    return parser.parse_args()


def choose(line):
    """The copy, if it was ever started; else the packages, if they are there."""
    packaged = Packaged()
    if line.data and not line.installed and (line.data / "bridge.conf").exists():
        return Copy(line.banter, line.data, line.run)
    if packaged.bridge_conf.exists():
        return packaged
    where = f" in {line.data}, nor" if line.data else ""
    sys.exit(f"banter: there is no installation{where} in {packaged.bridge_conf.parent}; "
             f"start one: {line.banter} up -d")


def main():
    line = read_command_line()
    counts = dict.fromkeys(LEVELS, 0)
    findings = []
    for finding in checks.run(choose(line)):
        counts[finding.level] += 1
        findings.append(dataclasses.asdict(finding))
        if not line.json:
            print(finding.line(), flush=True)
    healthy = counts["error"] == 0
    if line.json:
        print(json.dumps({"ok": healthy, "findings": findings}))
    else:
        print(f"errors: {counts['error']}, warnings: {counts['warning']}")
    return 0 if healthy else 1


if __name__ == "__main__":
    sys.exit(main())
