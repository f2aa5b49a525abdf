# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# soak.sh - `./banter soak`: a long run of the chaos suite, with a system of its own. With
# --mosquitto21 first, on that broker; all other options are those of tests/chaos/run.py.

cmd_soak() {
    local broker=""
    if [[ ${1:-} == --mosquitto21 ]]; then
        broker=yes
        shift
    fi
    ensure_packages "${PACKAGES_UP[@]}" "${PACKAGES_TEST[@]}" "${PACKAGES_CHAOS[@]}"
    local build=${BANTER_BUILD_DIR:-}
    if [[ ! $build ]]; then
        build_preset chaos chaos_targets
        build=$REPO/build/chaos
    fi
    if [[ $broker ]]; then
        settle_owner
        broker=$(reachable_dir mosquitto-2.1)
        "$REPO/scripts/mosquitto21.sh" "$broker"
        build_with_mosquitto21 "$broker" chaos chaos-mosquitto21
        export BANTER_MOSQUITTO=$broker/mosquitto
        export BANTER_PLUGIN=$REPO/build/chaos-mosquitto21/broker-plugin/banter_plugin.so
    fi
    ensure_node_modules
    unset BANTER_DATA BANTER_PORT_BASE BANTER_LISTEN
    BANTER_BUILD_DIR=$(realpath -m -- "$build") \
        exec /usr/bin/python3 "$REPO/tests/chaos/run.py" "$@"
}
