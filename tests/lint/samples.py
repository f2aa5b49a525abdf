# SPDX-License-Identifier: MIT
"""What each rule of lint.py must refuse and must accept: small trees, path -> text."""


def _c(body, path="bridge/core/x.c"):
    return {path: body}


_LICENSE_C = "/* SPDX-License-Identifier: MIT */\n"
_LICENSE_SH = "# SPDX-License-Identifier: MIT\n"



def _settings(rows, option="o"):
    """The code knows the setting `a` and the option `o`."""
    return {
        "bridge/config.c": '    {"a", TYPE_NUMBER, AT(a), "5",\n     "what it is", 1, CEILING},\n',
        "schema/wire/limits.h": "    CEILING = 1000,\n",
        "broker-plugin/options.c": '    {"o", OPTION_TEXT, offsetof(struct options, o)},\n',
        "docs/configuration.md": "## The bridge\n\n" + rows +
                                 f"\n## The broker's plugin\n\n| `{option}` | required | it |\n",
    }


def _dependencies(linked="| `libx` | MIT |", programs="| `gcc` | GPL-3.0-only |",
                  page="| `a` | 1 | ISC |", notice="(a)"):
    """CMake looks for libx, gcc is installed, and `a` is in the page."""
    head = "| package | licence |\n|---|---|\n"
    return {
        "docs/dependencies.md": f"## Linked\n\n{head}{linked}\n\n## Run\n\n{head}{programs}\n\n"
                                "## In the web client\n\n| package | version | licence |\n"
                                f"|---|---|---|\n{page}\n\n## npm\n\n`ISC`\n",
        "bridge/CMakeLists.txt": "pkg_check_modules(X REQUIRED IMPORTED_TARGET libx>=1.0)\n",
        "docker/a/Dockerfile": "RUN apt-get install -y --no-install-recommends \\\n  \"gcc=1.*\"\n",
        "clients/web/package-lock.json":
            '{"packages": {"": {}, "node_modules/a": {"version": "1", "license": "ISC"}}}',
        "packaging/debian/copyright": f"x {notice}\n",
    }


def _threats(attacked_by):
    """The tests are there that the good samples name."""
    return {
        "docs/security.md": "| threat | attacked by |\n|---|---|\n"
                            f"| floods | {attacked_by} |\n\n"
                            "| other | table |\n|---|---|\n| a | b |\n",
        "tests/integration/test_a.py": "def test_it(banter):\n    pass\n",
        "tests/unit/a_test.c": "static void test_it(void **state)\n",
        "tests/fuzz/a_fuzz.c": "", "tests/lint/lint.py": '    "a rule": check,\n',
        "tests/e2e/a.test.mjs": "test('it holds', async () => {\n",
    }


SAMPLES = {
    "layers": {
        "bad": [
            {"broker-plugin/a.c": '#include "core/b.h"\n', "bridge/core/b.h": ""},
            {"bridge/db/a.c": '#include "link/b.h"\n', "bridge/link/b.h": ""},
            {"bridge/core/a.c": '#include "api/b.h"\n', "bridge/api/b.h": ""},
            {"bridge/base/a.c": '#include "core/b.h"\n', "bridge/core/b.h": ""},
            {"bridge/api/a.c": '#include "app.h"\n', "bridge/app.h": ""},
            {"schema/base/a.c": '#include "wire/b.h"\n', "schema/wire/b.h": ""},
            {"clients/bench/a.c": '#include "../../bridge/base/b.h"\n', "bridge/base/b.h": ""},
            {"bridge/core/a.c": '#include "missing.h"\n'},
            {"elsewhere/a.c": '#include "b.h"\n', "elsewhere/b.h": ""},
        ],
        "good": [
            {"broker-plugin/a.c": '#include "wire/b.h"\n#include <stdio.h>\n',
             "schema/wire/b.h": ""},
            {"bridge/core/a.c": '#include "core/b.h"\n#include "db/c.h"\n#include "base/d.h"\n',
             "bridge/core/b.h": "", "bridge/db/c.h": "", "schema/base/d.h": ""},
            {"bridge/main.c": '#include "app.h"\n', "bridge/app.h": ""},
            {"tests/unit/a_test.c": '#include "core/b.h"\n', "bridge/core/b.h": ""},
        ],
    },
    "cycles": {
        "bad": [
            {"schema/base/a.h": '#include "base/b.h"\n',
             "schema/base/b.h": '#include "base/a.h"\n'},
        ],
        "good": [
            {"schema/base/a.h": '#include "base/b.h"\n#include "base/c.h"\n',
             "schema/base/b.h": '#include "base/c.h"\n', "schema/base/c.h": ""},
        ],
    },
    "banned functions": {
        "bad": [
            _c("strcpy(a, b);"), _c("x = atoi(argv[1]);"), _c("if (sprintf (a, b)) {}"),
            _c("exit(1);", "broker-plugin/x.c"),
            _c("usleep(10);", "broker-plugin/x.c"), _c("system(command);", "broker-plugin/x.c"),
        ],
        "good": [
            _c("/* not strcpy() */ snprintf(a, 1, b);"), _c('log("gets(x)");'),
            _c("exit(1);"), _c("my_strcpy(a, b); s->random(1); pattern_rand(2);"),
        ],
    },
    "SQL strings": {
        "bad": [
            _c('f(b, "SELECT x FROM y WHERE z = %s", z);'),
            _c('f(b, "INSERT INTO y "\n  "VALUES (%u)", z);'),
            _c('f(b, "DELETE FROM y WHERE id = %" PRIu64, z);'),
        ],
        "good": [
            _c('f(b, "SELECT x FROM y WHERE z = $1");'), _c('f("updated %s", x);'),
            _c('/* SELECT %s */ f("a");'),
        ],
    },
    "secrets compared": {
        "bad": [
            _c("return memcmp(given, c->link_key, n) == 0;"), _c("strcmp(password, p->stored);"),
            _c("x = slice_equal(signature, expected);"),
            _c("return strcmp(given, c->core->operator_key) == 0;"),
            _c("struct slice key = slice_str(c->core->operator_key), given = token(c);\n"
               "x = slice_equal(given, key);\n"),
        ],
        "good": [
            _c("CRYPTO_memcmp(secret, ours, n);"), _c("strcmp(name, \"password\");"),
            _c("slice_equal(machine, other);\nfree(secret);"),
            _c("void f(void)\n{\n    key = c->operator_key;\n}\n"
               "void g(void)\n{\n    strcmp(key, name);\n}\n"),
            _c("key = slice_str(c->link_key);\nstrcmp(field->key, name);"),
            _c("memcmp(secret, x, n);", "tests/unit/x_test.c"),
        ],
    },
    "array parameters": {
        "bad": [_c('"SELECT f($7::boolean[])"'), _c('"SELECT f($1::double precision[])"')],
        "good": [_c('"SELECT f($1::bigint[], $2::text[]::boolean[], $3::uuid[], $4::smallint)"')],
    },
    "function length": {
        "bad": [_c("int f(void)\n{\n" + "    g();\n" * 81 + "}\n")],
        "good": [_c("int f(void)\n{\n" + "    g();\n" * 80 + "}\n"),
                 _c("static const int table[] = {\n" + "    1,\n" * 200 + "};\n")],
    },
    "opening": {
        "bad": [
            _c("/* x.c - no license */\n"), _c(_LICENSE_C + "#include <a.h>\nint x;\n"),
            {"a.sh": "#!/bin/bash\n# a.sh - no license\n"}, {"a.py": _LICENSE_SH + "import os\n"},
            {"a.tsx": "// SPDX-License-Identifier: MIT\nimport a from 'a';\n"},
        ],
        "good": [
            _c(_LICENSE_C + "/* x.c - a purpose. */\n"),
            {"a.sh": "#!/bin/bash\n" + _LICENSE_SH + "# a.sh - a purpose.\n"},
            {"b.sh": _LICENSE_SH + "# shellcheck shell=bash\n# b.sh - a purpose.\n"},
            {"a.py": _LICENSE_SH + '"""A purpose."""\n'},
            {"a.ts": "// SPDX-License-Identifier: MIT\n// A purpose.\n"},
            {"a.sql": "-- SPDX-License-Identifier: MIT\n-- a.sql - a purpose.\n"},
        ],
    },
    "line length": {
        "bad": [_c("x" * 101 + "\n")],
        "good": [_c("é" * 100 + "\n")],
    },
    "file length": {
        "bad": [_c("x;\n" * 601)],
        "good": [_c("x;\n" * 600)],
    },
    "settings": {
        "bad": [
            _settings("| `a` | `7` | 1 to 1000 | of it |\n"),
            _settings("| `a` | `5` | 1 to 999 | of it |\n"),
            _settings("| `a` | `5` | 1 to 1000 | of it |\n| `c` |  | text | else |\n"),
            _settings("| `a` | `5` | 1 to 1000 | of it |\n| `a` | `5` | 1 to 1000 | of it |\n"),
            _settings(""),
            _settings("| `a` | `5` | 1 to 1000 | of it |\n", option="another"),
        ],
        "good": [_settings("| `a` | `5` | 1 to 1000 | of it |\n")],
    },
    "dependencies": {
        "bad": [
            _dependencies(linked="| `liby` | MIT |"), _dependencies(programs="| `clang` | MIT |"),
            _dependencies(linked="| `libx` | WTF |"), _dependencies(programs="| `gcc` | |"),
            _dependencies(page="| `a` | 2 | ISC |"), _dependencies(page="| `a` | 1 | MIT |"),
            _dependencies(page="| `a` | 1 | ISC |\n| `b` | 1 | ISC |"),
            _dependencies(notice="(b)"),
            {**_dependencies(), "tests/node/package-lock.json":
                '{"packages": {"node_modules/t": {"version": "1", "license": "MPL-2.0"}}}'},
        ],
        "good": [_dependencies(), _dependencies(programs="| `gcc`, `x` | MIT OR ISC |")],
    },
    "threats": {
        "bad": [_threats(""), _threats("`test_a.py`"), _threats("`test_b.py::test_it`"),
                _threats("`test_a.py::test_i`"), _threats("`a_test.c::test_it_not`"),
                _threats("`a.test.mjs::it`"), _threats("`fuzz_b`"), _threats("`lint.py::rule`"),
                _threats("`test_a.py::test_it`, `a_test.c::test`")],
        "good": [_threats("`test_a.py::test_it`, `a_test.c::test_it`, `fuzz_a`"),
                 _threats("`a.test.mjs::it holds` (86), `lint.py::a rule`"),
                 _threats("`unit/a_test.c::test_it`"), {}],
    },
    "unfinished": {
        "bad": [_c("/* TO" "DO later */\n"), {"a.py": "# FIX" "ME\n"}],
        "good": [_c("/* all done; todos.c is a name */\n")],
    },
    "foreign words": {
        "bad": [
            {"README.md": "see /wo" "rk/main\n"}, {"a.json": '"https://registry.np' 'mjs.org/x"\n'},
            {"a.sh": "cd /ho" "me/joe\n"},
        ],
        "good": [{"README.md": "https://example.org/home/page, /var/lib/x, /root, homework/x\n"}],
    },
    "library imports": {
        "bad": [
            {"clients/web/src/sdk/a.ts": "import { h } from 'preact';\n"},
            {"clients/web/src/sdk/a.ts": "import { page } from '../ui/page.ts';\n"},
            {"clients/web/src/sdk/a.ts": "await import('mqtt');\n"},
        ],
        "good": [
            {"clients/web/src/sdk/a.ts": "import type { B } from './b.ts';\n",
             "clients/web/src/sdk/transport_mqtt.ts": "import mqtt from 'mqtt';\n",
             "clients/web/src/ui/a.ts": "import { h } from 'preact';\n"},
        ],
    },
    "text as HTML": {
        "bad": [
            {"clients/web/src/ui/a.ts": "box.innerHTML = text;\n"},
            {"clients/web/src/ui/a.tsx": "<p dangerouslySetInnerHTML={{ __html: text }} />\n"},
            {"clients/web/src/ui/a.ts": "document.write(text);\n"},
            {"clients/web/src/sdk/a.ts": "eval(text);\n"},
        ],
        "good": [
            {"clients/web/src/ui/a.ts": "box.textContent = text; evaluate(text);\n",
             "clients/web/tests/a.ts": "page.innerHTML\n"},
        ],
    },
    "white space": {
        "bad": [_c("int x; \n"), _c("\tint x;\n"), _c("int x;")],
        "good": [_c("int x;\n"), _c("")],
    },
}
