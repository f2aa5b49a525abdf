# SPDX-License-Identifier: MIT
"""Who may include whom (docs/architecture.md): plugin, bridge and clients know schema/ and never
each other; inside the bridge main, app, api, core and {bus, db, door, link, http, push, base} go
one way."""
import posixpath
import re

_INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.MULTILINE)

# An include is looked up beside the file, then under the roots of its component, in this order.
ROOTS = {
    "schema": ("schema",),
    "broker-plugin": ("broker-plugin", "schema"),
    "bridge": ("bridge", "schema"),
    "clients/bench": ("clients/bench", "schema"),
    "clients/c": ("clients/c", "clients/c/include", "schema"),
    "clients/cli": ("clients/cli", "clients/c/include"),
    "tests": ("tests", "schema", "bridge", "broker-plugin", "clients/bench", "clients/c",
              "clients/c/include", "clients/cli", "."),
}

_SCHEMA = ("schema/base", "schema/wire", "schema/token")
_BRIDGE_BELOW_CORE = (
    "bridge/bus", "bridge/db", "bridge/door", "bridge/link", "bridge/http", "bridge/push",
    "bridge/base")

# layer -> the other layers that it may include. A file's layer is its longest matching prefix.
LAYERS = {
    "schema/base": (),
    "schema/wire": ("schema/base",),
    "schema/token": ("schema/base", "schema/wire"),
    "broker-plugin": _SCHEMA,
    "clients/bench": _SCHEMA,
    "clients/c": ("schema/base", "schema/wire"),
    "clients/cli": ("clients/c/include",),
    "bridge/base": _SCHEMA,
    "bridge/bus": ("bridge/base", *_SCHEMA),
    "bridge/db": ("bridge/base", *_SCHEMA),
    "bridge/door": ("bridge/base", *_SCHEMA),
    "bridge/link": ("bridge/base", *_SCHEMA),
    "bridge/http": ("bridge/base", *_SCHEMA),
    "bridge/push": ("bridge/base", *_SCHEMA),
    "bridge/core": (*_BRIDGE_BELOW_CORE, *_SCHEMA),
    "bridge/api": ("bridge/core", *_BRIDGE_BELOW_CORE, *_SCHEMA),
    "bridge/config": ("bridge/base", *_SCHEMA),
    "bridge/app": ("bridge/config", "bridge/api", "bridge/core", *_BRIDGE_BELOW_CORE, *_SCHEMA),
    "bridge/main": ("bridge/app", "bridge/config", "bridge/db", "bridge/base", *_SCHEMA),
    "tests": ("bridge", "broker-plugin", "clients/bench", "clients/c", "clients/cli", *_SCHEMA),
}


def component_of(path):
    return next((component for component in ROOTS if path.startswith(component + "/")), None)


def layer_of(path):
    fitting = [layer for layer in LAYERS
               if path.startswith((layer + "/", layer + ".", layer + "_"))]
    return max(fitting, key=len, default=None)


def includes(tree):
    """Yields (path, line, name, included path or None) of every quoted include of C files."""
    for path, text in tree.files.items():
        if not path.endswith((".c", ".h")):
            continue
        roots = (posixpath.dirname(path), *ROOTS.get(component_of(path), ()))
        for match in _INCLUDE.finditer(text):
            candidates = (posixpath.normpath(f"{root}/{match[1]}") for root in roots)
            found = next((c for c in candidates if c in tree.files), None)
            yield path, text.count("\n", 0, match.start()) + 1, match[1], found


def check_directions(tree):
    for path, line, name, found in includes(tree):
        layer = layer_of(path)
        if layer is None:
            yield path, line, "this folder has no layer; add it to tests/lint/layers.py"
        elif found is None:
            yield path, line, f'"{name}" is not below any root that {layer} may include from'
        elif "../" in name:
            yield path, line, f'"{name}": write includes from the root of the component'
        else:
            target = layer_of(found)
            allowed = LAYERS[layer]
            if target != layer and not any(
                    target == a or (target or "").startswith(a + "/") for a in allowed):
                yield path, line, f"{layer} must not include {target} ({found})"


def check_cycles(tree):
    """No header reaches itself."""
    edges = {}
    for path, _line, _name, found in includes(tree):
        if found is not None:
            edges.setdefault(path, []).append(found)
    done = set()

    def visit(path, trail):
        if path in trail:
            yield path, 1, "include cycle: " + " > ".join([*trail[trail.index(path):], path])
        elif path not in done:
            for found in edges.get(path, ()):
                yield from visit(found, [*trail, path])
            done.add(path)

    for path in sorted(edges):
        yield from visit(path, [])
