# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# keys.sh - `./banter keys`: the keys that sign access tokens, by the running copy's own bridge
# program, with the settings that the running bridge has and as the user that it runs as.
#
# Rule: what a key is called may begin with a dash, so options go before it.

cmd_keys() {
    is_running || die "not running; start it with ./banter up -d"
    case ${1:-} in
    list | rotate | retire) ;;
    *) die "keys knows list, rotate and retire [[--now] KEY]; see docs/operations.md" ;;
    esac
    local -a now=() words=()
    local word
    for word; do
        if [[ $word == --now ]]; then now=(--now); else words+=("$word"); fi
    done
    [[ ! ${now[*]} || (${words[0]} == retire && ${words[1]:-}) ]] ||
        die "--now ends the tokens of one key: keys retire --now KEY"
    settle_owner
    export_bridge_environment
    exec "${RUN_AS[@]}" "$DATA/bin/banter-bridge" "${now[@]}" \
        --as "$(operator_name)" --config "$DATA/bridge.conf" -- keys "${words[@]}"
}

# Exports what the running bridge was given; nothing while it is down. There are secrets among it,
# so it never stands on a command line, which everybody on the machine can read.
export_bridge_environment() {
    local pid
    local -a given=()
    pid=$(pid_of bridge) || return 0
    mapfile -d '' given < <(grep -z '^BANTER_[A-Z0-9_]*=' "/proc/$pid/environ")
    ((!${#given[@]})) || export "${given[@]}"
}
