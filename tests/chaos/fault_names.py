# SPDX-License-Identifier: MIT
"""Whether programs hold the names of fault points and breakable rules (schema/base/fault_point.h).

    fault_names.py absent|present SOURCE-ROOT PROGRAM...

`absent`: not one of them holds any, as must be so in every build but that of the chaos suite.
`present`: each name is in one of them, which shows that this looks for the right thing."""
import pathlib
import re
import sys

FOLDERS = ("schema", "bridge", "broker-plugin")
_USE = re.compile(r'fault_(?:point|fails)\(\s*"([^"]+)"|'
                  r"fault_(?:breaks|breaks_for|renames|leaks)\(\s*([a-z_]+)")
_ENVIRONMENT = ("BANTER_FAULTS", "BANTER_BREAK")


def names(root):
    """Every name that the sources use, with the environment's."""
    found = set(_ENVIRONMENT)
    for folder in FOLDERS:
        for path in sorted(pathlib.Path(root, folder).rglob("*.c")):
            for match in _USE.finditer(path.read_text(encoding="utf-8")):
                found.add(match[1] or match[2])
    return found


def held(wanted, program):
    """Those of the names that stand in the program as strings."""
    data = pathlib.Path(program).read_bytes()
    return {name for name in wanted
            if re.search(rb"(?<![\w.])" + re.escape(name.encode()) + rb"\0", data)}


def main(arguments):
    mode, root, *programs = arguments
    wanted = names(root)
    found = {program: held(wanted, program) for program in programs}
    if mode == "absent":
        wrong = [f"{program}: {name}" for program in programs for name in sorted(found[program])]
    else:
        wrong = [f"nowhere: {name}" for name in sorted(wanted.difference(*found.values()))]
    print("\n".join(wrong) or f"{len(wanted)} names, {mode} in {len(programs)} programs")
    return 1 if wrong or len(wanted) <= len(_ENVIRONMENT) or not programs else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
