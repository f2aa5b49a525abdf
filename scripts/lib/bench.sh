# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# bench.sh - runs banter-bench against the running copy, with all that it needs to know of it.

cmd_bench() {
    is_running || die "not running; start it with ./banter up -d"
    ensure_build
    local bench=$BUILD/clients/bench/banter-bench
    [[ -x $bench ]] || die "$bench was not built"
    (($#)) || set -- --help
    if [[ $1 == -* ]]; then
        exec "$bench" "$@"
    fi
    read_addresses
    local scenario=$1
    shift
    if [[ $scenario == door ]]; then
        exec /usr/bin/python3 "$REPO/clients/bench/door.py" --http "$HTTP_URL" \
            --mqtt "$MQTT_ADDRESS" --bridge "$(pid_of bridge)" "$@"
    fi
    # What the caller says comes last and wins.
    exec "$bench" "$scenario" --http "$HTTP_URL" --mqtt "$MQTT_ADDRESS" --data "$DATA" \
        --dsn "$(postgres_dsn)" --keys "$DATA/keys" \
        --pids "$(pid_or_null broker),$(pid_or_null bridge),$(pid_or_null postgres)" "$@"
}
