# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# bench.sh - runs banter-bench against the running copy, with all that it needs to know of it; or,
# for `all`, `growth` and `report`, everything that it can do on copies of its own.

cmd_bench() {
    (($#)) || set -- --help
    case $1 in
    all | growth | report) bench_suite "$@" ;;
    simulate) exec /usr/bin/python3 "$REPO/clients/bench/simulate.py" "${@:2}" ;;
    *) bench_once "$@" ;;
    esac
}

bench_once() {
    [[ $1 == -* ]] || is_running || die "not running; start it with ./banter up -d"
    ensure_build
    local bench=$BUILD/clients/bench/banter-bench
    [[ -x $bench ]] || die "$bench was not built"
    if [[ $1 == -* ]]; then
        "$bench" "$@"
        printf '\n  ./banter bench %-8s %s\n' all "every target, beside its baselines" \
            growth "how cost grows" report "writes tables and plots into docs/performance.md" \
            simulate "presence and fan-out of many more users than fit here, by counting"
        return
    fi
    grep -qs '^plugin_opt_rate_limits false' "$DATA/mosquitto.conf" ||
        echo "this copy limits its users: to measure it, start it with BANTER_RATE_LIMITS=false" >&2
    read_addresses
    local scenario=$1
    shift
    if [[ $scenario == door ]]; then
        exec /usr/bin/python3 "$REPO/clients/bench/door.py" --http "$HTTP_URL" \
            --mqtt "$MQTT_ADDRESS" --bridge "$(pid_of bridge)" "$@"
    fi
    # Where there may be a password in it, it is read from bridge.conf.
    local -a owner=()
    ! is_service postgres || owner=(--dsn "$(postgres_dsn)")
    # What the caller says comes last and wins.
    exec "$bench" "$scenario" --http "$HTTP_URL" --mqtt "$MQTT_ADDRESS" --data "$DATA" \
        "${owner[@]}" --keys "$DATA/keys" \
        --pids "$(pid_or_null broker),$(pid_or_null bridge),$(pid_or_null postgres)" "$@"
}

# --mosquitto21 fetches that broker and builds the plugin for it; what the suite is told is where.
bench_suite() {
    local argument broker
    local -a arguments=()
    for argument; do
        if [[ $argument == --mosquitto21 ]]; then
            settle_owner
            broker=$(reachable_dir mosquitto-2.1)
            "$REPO/scripts/mosquitto21.sh" "$broker"
            build_with_mosquitto21 "$broker" release bench-mosquitto21
            arguments+=(--mosquitto21 "$broker"
                --plugin21 "$REPO/build/bench-mosquitto21/broker-plugin/banter_plugin.so")
        else
            arguments+=("$argument")
        fi
    done
    unset BANTER_DATA BANTER_PORT_BASE # the copies are the suite's own
    cd "$REPO"
    PYTHONPATH=$REPO/clients/bench PYTHONDONTWRITEBYTECODE=1 \
        exec /usr/bin/python3 -m suite "${arguments[@]}"
}
