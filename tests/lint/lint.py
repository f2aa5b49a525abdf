#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Checks of the source tree that no compiler makes: layering, style, words that do not belong.

Rule: every rule stands in RULES and has, in samples.py, text that it must refuse and text that it
must accept; these are tried before the tree is, so no rule can quietly stop working.

    tests/lint/lint.py            check everything that git knows or would add
"""
import concurrent.futures
import pathlib
import shutil
import subprocess
import sys

import c_source
import dependencies
import layers
import samples
import settings
import text_rules
import threats

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]


class Tree:
    """The files under check: path relative to the repository -> text."""

    def __init__(self, files):
        self.files = files

    @classmethod
    def of_repository(cls):
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=REPOSITORY, capture_output=True, check=True).stdout.decode().split("\0")
        files = {}
        for name in filter(None, listed):
            path = REPOSITORY / name
            if not path.is_file():
                continue  # deleted, not yet committed
            try:
                files[name] = path.read_text(encoding="utf-8")
            except UnicodeDecodeError:
                continue  # a binary file has no lines to check
        return cls(files)


def each_file(*, suffixes=None, names=(), check):
    """Makes a rule over the tree of one over (path, text): only these suffixes, or every file."""
    def rule(tree):
        for path, text in tree.files.items():
            if suffixes is None or path.endswith(tuple(suffixes)) or path in names:
                for line, message in check(path, text):
                    yield path, line, message
    return rule


C_FILES = (".c", ".h")
SCRIPTS = (".sh", ".py")
SCRIPT_NAMES = ("banter", ".ci/run")
SCRIPTS_OF_NODE = (".mjs", ".ts", ".tsx")
SOURCES = (*C_FILES, *SCRIPTS, *SCRIPTS_OF_NODE, ".sql")

# name -> function(tree) that yields (path, line, message). samples.py has an entry for each.
RULES = {
    "layers": layers.check_directions,
    "cycles": layers.check_cycles,
    "banned functions": each_file(suffixes=C_FILES, check=c_source.check_banned),
    "SQL strings": each_file(suffixes=C_FILES, check=c_source.check_sql),
    "secrets compared": each_file(suffixes=C_FILES, check=c_source.check_secrets_compared),
    "array parameters": each_file(suffixes=C_FILES, check=c_source.check_array_parameters),
    "function length": each_file(suffixes=C_FILES, check=c_source.check_function_length),
    "opening": each_file(suffixes=SOURCES, names=SCRIPT_NAMES, check=text_rules.check_opening),
    "line length": each_file(suffixes=(*C_FILES, *SCRIPTS, *SCRIPTS_OF_NODE), names=SCRIPT_NAMES,
                             check=text_rules.check_line_length),
    "file length": each_file(suffixes=(*C_FILES, *SCRIPTS, ".ts", ".tsx"), names=SCRIPT_NAMES,
                             check=text_rules.check_file_length),
    "library imports": each_file(suffixes=(".ts",), check=text_rules.check_sdk_imports),
    "text as HTML": each_file(suffixes=(".ts", ".tsx"), check=text_rules.check_text_as_html),
    "settings": settings.check,
    "dependencies": dependencies.check,
    "threats": threats.check,
    "unfinished": each_file(suffixes=SOURCES, names=SCRIPT_NAMES,
                            check=text_rules.check_unfinished),
    "foreign words": each_file(check=text_rules.check_foreign_words),
    "white space": each_file(suffixes=(*SOURCES, ".md", ".yaml", ".txt"), names=SCRIPT_NAMES,
                             check=text_rules.check_white_space),
}


def check_samples():
    """Every rule must find fault with its bad samples and none with its good ones."""
    failures = [f"{name}: has no samples" for name in RULES if name not in samples.SAMPLES]
    for name, cases in samples.SAMPLES.items():
        for files in cases["bad"]:
            if not list(RULES[name](Tree(files))):
                failures.append(f"{name}: accepts {files}")
        for files in cases["good"]:
            failures += [f"{name}: refuses {found}" for found in RULES[name](Tree(files))]
    return failures


def run_tool(command, paths):
    """What a checking program says of the files; "" when it is content."""
    if not shutil.which(command[0]):
        return f"{command[0]} is not installed"
    done = subprocess.run([*command, *paths], cwd=REPOSITORY, text=True, capture_output=True,
                          check=False)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def headers_alone(tree):
    """Every header compiles without another one before it: it includes what it needs."""
    flags = subprocess.run(["pkg-config", "--cflags", "libpq", "libevent", "jansson"], text=True,
                           capture_output=True, check=True).stdout.split()

    def compile_one(path):
        roots = layers.ROOTS[layers.component_of(path)]
        return run_tool(["gcc", "-std=gnu17", "-D_GNU_SOURCE", "-fsyntax-only", "-Wall", "-Wextra",
                         "-Werror", *flags, *(f"-I{root}" for root in roots), "-include", path,
                         "-x", "c"], ["/dev/null"])
    headers = [path for path in tree.files if path.endswith(".h") and layers.layer_of(path)]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        return "".join(pool.map(compile_one, headers))


def check_tools(tree):
    c_files = [path for path in tree.files if path.endswith(C_FILES)]
    scripts = [path for path in tree.files if path in SCRIPT_NAMES
               or path.endswith(".sh") and not path.startswith("scripts/lib/")]
    yield "clang-format", run_tool(["clang-format", "--dry-run", "--Werror"], c_files)
    yield "shellcheck", run_tool(["shellcheck"], scripts)
    yield "headers alone", headers_alone(tree)


def main():
    tree = Tree.of_repository()
    results = {"samples": check_samples()}
    for name, rule in RULES.items():
        results[name] = [f"{path}:{line}: {message}" for path, line, message in rule(tree)]
    for name, output in check_tools(tree):
        results[name] = [output] if output else []
    for name, findings in results.items():
        print(f"{name}: {len(findings) or 'ok'}")
        for finding in findings:
            print(f"  {finding}")
    failed = sum(bool(findings) for findings in results.values())
    print(f"{len(tree.files)} files")
    print(f"{len(results) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
