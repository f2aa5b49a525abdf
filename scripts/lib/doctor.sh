# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# doctor.sh - says what is wrong with this copy, or with the packages' installation.
# packaging/doctor does it, because the packages bring it along.

cmd_doctor() {
    PYTHONPATH=$REPO/packaging PYTHONDONTWRITEBYTECODE=1 exec /usr/bin/python3 -m doctor \
        --data "$DATA" --run "$RUN" --banter "$REPO/banter" "$@"
}
