# SPDX-License-Identifier: MIT
"""docs/dependencies.md says what there is: every library that CMake looks for, every Debian package
that is installed anywhere, what npm puts into the page, each with a licence; and the packages'
copyright file names what the page is bundled from."""
import json
import re

DOCUMENT = "docs/dependencies.md"
NOTICES = "packaging/debian/copyright"
PACKAGES = "scripts/lib/packages.sh"
PAGE_LOCK = "clients/web/package-lock.json"
LICENSES = set("""0BSD Apache-2.0 Artistic-2.0 BSD-2-Clause BSD-3-Clause CC-BY-4.0 EPL-2.0
    GPL-2.0-only GPL-2.0-or-later GPL-3.0-only GPL-3.0-or-later ISC LGPL-2.1-or-later MIT MPL-2.0
    OFL-1.1 PSF-2.0 PostgreSQL Python-2.0 Unlicense X11 blessing curl""".split())
EXCEPTIONS = {"Classpath-exception-2.0", "GCC-exception-3.1", "LLVM-exception"}
AS_OTHERS = "as their libraries"  # instead of a licence: headers

_ROW = re.compile(r"^\|(.*)\|$", re.MULTILINE)


def _chapters(text):
    """{heading: rows, each a list of cells, the head row first}"""
    parts = re.split(r"^## (.*)\n", text, flags=re.MULTILINE)
    return {heading: [[cell.strip() for cell in row.split("|")] for row in _ROW.findall(body)
                      if set(row) - set("|-: ")]
            for heading, body in zip(parts[1::2], parts[2::2])}


def _libraries(tree):
    """What CMakeLists.txt files look for, by the name that they look for."""
    for path, text in tree.files.items():
        if not path.endswith("CMakeLists.txt"):
            continue
        for words in re.findall(r"pkg_check_modules\(\w+ ([^)]*)\)", text):
            for word in words.split():
                if not re.fullmatch(r"[A-Z_]+", word):
                    yield path, re.split("[<>=]", word)[0]
        for name in re.findall(r"find_library\(\w+ ([\w-]+)", text):
            yield path, name


def _packages(tree):
    """Debian's, from the lists of packages.sh and from Dockerfiles."""
    for body in re.findall(r"^PACKAGES_\w+=\(([^()]*)\)", tree.files.get(PACKAGES, ""),
                           re.MULTILINE):
        words = re.sub(r"#.*", "", body).replace('"', "").replace("|", " ").split()
        yield from ((PACKAGES, word) for word in words)
    for path, text in tree.files.items():
        if not path.endswith("/Dockerfile"):
            continue
        for words in re.findall(r"apt-get install((?:[^&\n\\]|\\\n)*)", text):
            for word in words.replace("\\\n", " ").replace('"', "").split():
                if not word.startswith("-") and "/" not in word:
                    yield path, word.partition("=")[0]


def _license_problem(expression):
    if expression == AS_OTHERS:
        return None
    words = set(expression.split()) - {"AND", "OR", "WITH"} - EXCEPTIONS
    unknown = words - LICENSES
    if not words or unknown:
        return f"no licence that lint knows: '{expression}'"
    return None


def _check_licenses(chapters):
    for rows in chapters.values():
        if rows and "licence" in rows[0]:
            column = rows[0].index("licence")
            for row in rows[1:]:
                problem = _license_problem(row[column] if len(row) > column else "")
                if problem:
                    yield f"{row[0]}: {problem}"


def _check_page(tree, rows):
    """The table of what is in the page is what its lock file has besides tools."""
    lock = json.loads(tree.files.get(PAGE_LOCK, "{}")).get("packages", {})
    meant = {(path.rpartition("node_modules/")[2], about["version"], about.get("license", ""))
             for path, about in lock.items()
             if path and not about.get("dev") and not about.get("optional")}
    told = {(row[0].strip("`"), *row[1:3]) for row in rows[1:]}
    for name, version, _ in sorted(meant - told):
        yield f"{name} {version} of {PAGE_LOCK} is not there, or has another licence"
    for name, version, _ in sorted(told - meant):
        yield f"{name} {version} is not in {PAGE_LOCK}"
    for name in sorted({name for name, _, _ in meant}):
        if f"({name})" not in tree.files.get(NOTICES, ""):
            yield f"{NOTICES} has no notice of {name}"


def _check_tools(tree, text):
    """The licences of everything that npm installs are named."""
    for path, lock in tree.files.items():
        if path.endswith("package-lock.json"):
            for name, about in json.loads(lock).get("packages", {}).items():
                licence = about.get("license", "none")
                if name and f"`{licence}`" not in text:
                    yield f"{name} of {path} has the licence {licence}, which is not named"


def check(tree):
    text = tree.files.get(DOCUMENT)
    if text is None:
        return
    chapters = _chapters(text)
    linked = "\n".join(row[0] for row in chapters.get("Linked", []))
    for path, name in sorted(set(_libraries(tree))):
        if f"`{name}`" not in linked:
            yield DOCUMENT, 1, f"{name}, for which {path} looks, is not among what is linked"
    for path, name in sorted(set(_packages(tree))):
        if f"`{name}`" not in text:
            yield DOCUMENT, 1, f"the package {name} of {path} is not there"
    for message in (*_check_licenses(chapters), *_check_tools(tree, text),
                    *_check_page(tree, chapters.get("In the web client", [[]]))):
        yield DOCUMENT, 1, message
