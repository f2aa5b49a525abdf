#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Instructions per message of the paths that messages take, counted by valgrind, and held
against those that are kept in instructions.json.

What is counted does not depend on what else the machine does. It depends on the compiler and the C
library: with others than the recorded ones, what is compared is the ratio to the yardstick, which
they change as well, with a wider tolerance.

    instructions.py BUILD_DIR              compare, and fail if a path has become dearer
    instructions.py BUILD_DIR --record     keep what is counted now
"""
import argparse
import concurrent.futures
import json
import os
import pathlib
import re
import subprocess
import sys

KEPT = pathlib.Path(__file__).with_name("instructions.json")
BATCH = 64      # HOT_BATCH of hot.h
BATCHES = (10, 40)
PROGRAMS = {"plugin": "hot_plugin", "writer": "hot_bridge", "escaped": "hot_bridge",
            "frames": "hot_bridge", "yardstick": "hot_bridge"}
TOLERANCE = 0.05
TOLERANCE_OTHER_TOOLS = 0.25


def toolchain():
    """The compiler and the C library."""
    lines = []
    for command in (["gcc", "--version"], ["ldd", "--version"]):
        done = subprocess.run(command, text=True, capture_output=True, check=True)
        lines.append(done.stdout.partition("\n")[0])
    return lines


def _instructions(program, path, batches):
    """Of one whole run. The same implementations of memcpy and its kin on every processor."""
    environment = {**os.environ, "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX2,-AVX512F,-AVX512VL"}
    done = subprocess.run(
        ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", program, path,
         str(batches)], text=True, capture_output=True, timeout=120, check=False, env=environment)
    found = re.search(r"Collected : (\d+)", done.stderr)
    if done.returncode != 0 or not found:
        raise RuntimeError(f"{program} {path} {batches}: {done.stderr[-2000:]}")
    return int(found.group(1))


def count(build_dir, path):
    """Instructions per message: start and end are in both runs, and fall out."""
    program = pathlib.Path(build_dir) / "tests" / PROGRAMS[path]
    few, many = (_instructions(program, path, batches) for batches in BATCHES)
    return (many - few) / (BATCH * (BATCHES[1] - BATCHES[0]))


def count_all(build_dir):
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        counts = pool.map(lambda path: count(build_dir, path), PROGRAMS)
        return {path: round(value, 1) for path, value in zip(PROGRAMS, counts)}


def compare(counted, kept, same_tools):
    """Sentences on the paths that have become dearer. Who makes one cheaper, or dearer for a
    reason, records it."""
    problems = []
    tolerance = TOLERANCE if same_tools else TOLERANCE_OTHER_TOOLS
    for path, before in kept.items():
        if path == "yardstick":
            continue
        now = counted[path]
        if not same_tools:
            before = before / kept["yardstick"] * counted["yardstick"]
        change = now / before - 1
        if change > tolerance:
            problems.append(f"{path}: {now:.0f} instructions per message, {change:+.1%} (allowed "
                            f"{tolerance:.0%}); instructions.py --record, if it must be so")
    return problems


def check(build_dir):
    """The table, and what is wrong with it."""
    kept = json.loads(KEPT.read_text(encoding="utf-8"))
    counted = count_all(build_dir)
    same_tools = kept["toolchain"] == toolchain()
    return counted, kept["instructions"], compare(counted, kept["instructions"], same_tools)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("build_dir")
    parser.add_argument("--record", action="store_true")
    options = parser.parse_args()
    if options.record:
        kept = {"toolchain": toolchain(), "instructions": count_all(options.build_dir)}
        KEPT.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
        print(json.dumps(kept, indent=1))
        return 0
    counted, kept, problems = check(options.build_dir)
    for path, value in counted.items():
        print(f"{path:10} {value:10.1f}  recorded {kept[path]:10.1f}")
    print("\n".join(problems))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
