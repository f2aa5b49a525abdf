#!/bin/sh
# SPDX-License-Identifier: MIT
# doctor.sh [--json] - installed as banter-doctor: says what is wrong with this installation.
PYTHONPATH=/usr/share/banter PYTHONDONTWRITEBYTECODE=1 exec /usr/bin/python3 -m doctor "$@"
