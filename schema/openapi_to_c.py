#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes openapi.yaml as JSON into a C file, for the bridge to serve: openapi_to_c.py YAML C."""
import json
import sys

import yaml

BYTES_PER_LINE = 20


def main():
    source, target = sys.argv[1:]
    with open(source, encoding="utf-8") as file:
        data = json.dumps(yaml.safe_load(file), separators=(",", ":")).encode("ascii")
    lines = [", ".join(map(str, data[i:i + BYTES_PER_LINE]))
             for i in range(0, len(data), BYTES_PER_LINE)]
    with open(target, "w", encoding="ascii") as file:
        file.write('#include "api/openapi.h"\n\nconst char openapi_json[] = {\n    '
                   + ",\n    ".join(lines)
                   + "};\nconst size_t openapi_json_length = sizeof openapi_json;\n")


if __name__ == "__main__":
    main()
