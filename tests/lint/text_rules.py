# SPDX-License-Identifier: MIT
"""Rules over any text: how files open, how long they are, words that do not belong."""
import re

LINE_MAX_COLUMNS = 100
FILE_MAX_LINES = 600
LICENSE = "SPDX-License-Identifier: MIT"


def check_opening(path, text):
    """The license line, after a #! line where there is one, then a comment on the purpose."""
    lines = text.splitlines()
    first = 1 if lines and lines[0].startswith("#!") else 0
    if len(lines) <= first or LICENSE not in lines[first]:
        yield first + 1, f"the file does not open with its {LICENSE} line"
        return
    comments = ("/*", "//") if path.endswith((".c", ".h")) else ("# ", '"""', "--", "//")
    purpose = [line for line in lines[first + 1:first + 3] if "shellcheck" not in line]
    if not any(line.startswith(comments) and len(line) > 5 for line in purpose):
        yield first + 2, "a comment on the file's purpose does not follow the license line"


def check_line_length(path, text):
    for number, line in enumerate(text.splitlines(), 1):
        if len(line) > LINE_MAX_COLUMNS:
            yield number, f"{len(line)} columns; at most {LINE_MAX_COLUMNS}"


def check_file_length(path, text):
    count = text.count("\n")
    if count > FILE_MAX_LINES:
        yield count, f"{count} lines; at most {FILE_MAX_LINES}: more than one idea?"


# Taken apart so that this file does not find itself.
_UNFINISHED = re.compile(r"\b(TO" r"DO|FIX" r"ME|X" r"XX|HA" r"CK)\b")


def check_unfinished(path, text):
    for number, line in enumerate(text.splitlines(), 1):
        found = _UNFINISHED.search(line)
        if found:
            yield number, f"{found[1]}: finish it, or file an issue"


_FOREIGN = (
    (re.compile(r"(?<![\w.}/])/(?:wo" r"rk|ho" r"me|ro" r"ot)/\w"), "a path of one machine"),
    (re.compile(r"/tmp/br" r"ief"), "a path of one machine"),
    (re.compile(r"\bregistry\.(?:np" r"mjs|ya" r"rnpkg)\b|\bdeb\.deb" r"ian\.org\b"
                r"|\bpypi\.(?:or" r"g|io)\b|\bproxy\.gol" r"ang\b"), "the host of a registry"),
)


def check_foreign_words(path, text):
    for number, line in enumerate(text.splitlines(), 1):
        for pattern, what in _FOREIGN:
            found = pattern.search(line)
            if found:
                yield number, f"{what}: {found.group()}"


_TEXT_AS_HTML = re.compile(r"\b(innerHTML|outerHTML|insertAdjacentHTML|dangerouslySetInnerHTML"
                           r"|createContextualFragment|DOMParser|srcdoc|document\.write(?:ln)?"
                           r"|eval(?=\()|new Function)\b")


def check_text_as_html(path, text):
    """In the web client nothing that anybody wrote is ever taken for HTML or a program."""
    if not path.startswith("clients/web/src/"):
        return
    for number, line in enumerate(text.splitlines(), 1):
        found = _TEXT_AS_HTML.search(line)
        if found:
            yield number, f"{found[1]} makes HTML or a program of a text"


_IMPORTED = re.compile(r"""\b(?:from |import |import\()['"]([^'"]+)['"]""")
_SDK = "clients/web/src/sdk/"
_SDK_MAY = {"transport_mqtt.ts": {"mqtt"}, "store_indexeddb.ts": {"idb"}}


def check_sdk_imports(path, text):
    """The web client's library stands alone: its own files, and in two adapters what they adapt."""
    if not path.startswith(_SDK):
        return
    for number, line in enumerate(text.splitlines(), 1):
        for name in _IMPORTED.findall(line):
            may = _SDK_MAY.get(path.removeprefix(_SDK), ())
            if not re.fullmatch(r"\./\w+\.ts", name) and name not in may:
                yield number, f"the library imports {name}"


def check_white_space(path, text):
    for number, line in enumerate(text.splitlines(), 1):
        if line != line.rstrip():
            yield number, "white space at the end of the line"
        elif "\t" in line:
            yield number, "a tab"
    if text and not text.endswith("\n"):
        yield text.count("\n") + 1, "the file does not end with a newline"
