# SPDX-License-Identifier: MIT
"""What each rule of lint.py must refuse and must accept: small trees, path -> text."""


def _c(body, path="bridge/core/x.c"):
    return {path: body}


_LICENSE_C = "/* SPDX-License-Identifier: MIT */\n"
_LICENSE_SH = "# SPDX-License-Identifier: MIT\n"

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
