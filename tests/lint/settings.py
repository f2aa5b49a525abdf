# SPDX-License-Identifier: MIT
"""The tables of docs/configuration.md say what the tables of bridge/config.c and
broker-plugin/options.c say: the same keys, defaults and ranges, nothing more and nothing less."""
import re

BRIDGE = "bridge/config.c"
PLUGIN = "broker-plugin/options.c"
LIMITS = "schema/wire/limits.h"
DOCUMENT = "docs/configuration.md"

_KEY = re.compile(r'\{"(\w+)", TYPE_(\w+), AT\(\w+\), (NULL|"[^"]*"),'
                  r'\s*(?:"(?:[^"\\]|\\.)*"\s*)+,\s*([^,}]+),\s*([^,}]+)\}')
_OPTION = re.compile(r'\{"(\w+)", OPTION_\w+, ')
_ROW = re.compile(r"^\| `(\w+)` \| (.*?) \|(?: (.*?) \|)?", re.MULTILINE)


def _number(text, limits):
    """Of the sums that the table in C has: products and shifts of numbers, and limits' names."""
    value = 1
    for factor in text.split("*"):
        base, _, shift = factor.partition("<<")
        base = base.strip().rstrip("u")
        value *= int(limits.get(base, base)) << int(shift or 0)
    return value


def _in_code(tree):
    """{key: (default, values)} as the document writes them; values None: not compared."""
    limits = dict(re.findall(r"(\w+) = (\d+)\b", tree.files.get(LIMITS, "")))
    found = {}
    for name, kind, default, low, high in _KEY.findall(tree.files.get(BRIDGE, "")):
        values = {"BOOL": "true, false", "SECRET": "*secret*"}.get(kind)
        if kind == "NUMBER":
            values = f"{_number(low, limits)} to {_number(high, limits)}"
        text = default.strip('"')
        found[name] = ("required" if default == "NULL" else f"`{text}`" if text else "", values)
    return found


def _compare(code, rows, line):
    documented = {}
    for name, *cells in rows:
        if name in documented:
            yield line, f"{name} stands there twice"
        documented[name] = cells
    for name in sorted(code.keys() - documented.keys()):
        yield line, f"{name} is not in the table"
    for name in sorted(documented.keys() - code.keys()):
        yield line, f"{name} is in the table, but no setting"
    for name in sorted(documented.keys() & code.keys()):
        for told, meant in zip(documented[name], code[name]):
            if meant is not None and told.strip() != meant:
                yield line, f"{name}: the code says '{meant}', the table '{told.strip()}'"


def check(tree):
    text = tree.files.get(DOCUMENT, "")
    for heading, code in (
            ("## The bridge\n", _in_code(tree)),
            ("## The broker's plugin\n", {name: (None, None) for name in
                                          _OPTION.findall(tree.files.get(PLUGIN, ""))})):
        before, _, chapter = text.partition(heading)
        rows = _ROW.findall(chapter.partition("\n## ")[0])
        for line, message in _compare(code, rows, before.count("\n") + 1):
            yield DOCUMENT, line, message
