# SPDX-License-Identifier: MIT
"""Every row of the tables of docs/security.md that end with "attacked by" names tests there, and
every test named exists: `file::test` with the file's name or the end of its path, `fuzz_x` for a
fuzz target, `lint.py::rule` for a rule."""
import re

DOCUMENT = "docs/security.md"
LAST_COLUMN = "attacked by"
_TESTS = ("tests/", "clients/web/tests/")
_REFERENCE = re.compile(r"`([\w./-]+)::([^`]+)`|`(fuzz_\w+)`")


def _definition(path, name):
    """What the file holds if the test is in it."""
    name = re.escape(name)
    if path.endswith("lint.py"):
        return rf'^    "{name}": '
    if path.endswith(".py"):
        return rf"^def {name}\("
    if path.endswith(".c"):
        return rf"^static void {name}\(void \*\*"
    return rf"""\((['"]){name}\1,"""  # test('…', or what a file of tests made of it


def _problem(tree, reference):
    """What is wrong with one of them; None: nothing."""
    file, name, target = reference
    if target:
        source = f"tests/fuzz/{target.removeprefix('fuzz_')}_fuzz.c"
        return None if source in tree.files else f"{target}: there is no {source}"
    found = [path for path in tree.files
             if path.startswith(_TESTS) and ("/" + path).endswith("/" + file)]
    if len(found) != 1:
        return f"{file}: {len(found)} files have that name"
    if not re.search(_definition(found[0], name), tree.files[found[0]], re.MULTILINE):
        return f"{file} has no test '{name}'"
    return None


def check(tree):
    in_table = False
    for line, text in enumerate(tree.files.get(DOCUMENT, "").splitlines(), 1):
        cells = [cell.strip() for cell in text.strip().strip("|").split("|")]
        if not text.startswith("|"):
            in_table = False
        elif cells[-1] == LAST_COLUMN:
            in_table = True
        elif in_table and not set(text) <= set("|-: "):
            references = _REFERENCE.findall(cells[-1])
            if not references:
                yield DOCUMENT, line, f"no test attacks '{cells[0]}'"
            for reference in references:
                problem = _problem(tree, reference)
                if problem:
                    yield DOCUMENT, line, problem
