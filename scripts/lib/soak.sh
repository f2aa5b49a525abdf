# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# soak.sh - `./banter soak`: a long run of the chaos suite, with a system of its own.

cmd_soak() {
    ensure_packages "${PACKAGES_UP[@]}" "${PACKAGES_TEST[@]}" "${PACKAGES_CHAOS[@]}"
    local build=${BANTER_BUILD_DIR:-}
    if [[ ! $build ]]; then
        build_preset chaos
        build=$REPO/build/chaos
    fi
    ensure_node_modules
    unset BANTER_DATA BANTER_PORT_BASE BANTER_LISTEN
    BANTER_BUILD_DIR=$(realpath -m -- "$build") \
        exec /usr/bin/python3 "$REPO/tests/chaos/run.py" "$@"
}
