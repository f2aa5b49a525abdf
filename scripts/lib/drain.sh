# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# drain.sh - emptying a copy of its users: by the operator's command, and before everything stops.
#
# The file RUN/drain is all there is to it (bridge/core/drain.h): while it exists the copy drains,
# also after a restart of its processes. `up` removes it.

DRAIN_SECONDS=${BANTER_DRAIN_SECONDS:-5}

cmd_drain() {
    local seconds=$DRAIN_SECONDS off=""
    while (($#)); do
        case $1 in
        --over) seconds=$(value_of "$@"); shift ;;
        --over=*) seconds=${1#*=} ;;
        --off) off=1 ;;
        *) die "drain does not know '$1'; see ./banter help" ;;
        esac
        shift
    done
    [[ $seconds =~ ^[0-9]{1,5}$ ]] || die "--over must be a number of seconds, not '$seconds'"
    is_running || die "not running; start it with ./banter up -d"
    read_addresses
    if [[ $off ]]; then
        drain_off
        note_audit drain_off
        say "the copy takes users in again"
        return
    fi
    drain_on "$seconds"
    note_audit drain
    say "draining: connections end within $seconds s. To take users in again: ./banter drain --off"
    if await_drained "$seconds"; then
        say "no connection is left"
    elif [[ ! -e $RUN/drain ]]; then
        say "it was called off"
    else
        die "some connections are left: $(why_not_ready)"
    fi
}

# The bridge sees the file within a quarter of a second.
drain_on() {
    echo "$1" >"$RUN/drain.new"
    chmod 644 "$RUN/drain.new"
    mv "$RUN/drain.new" "$RUN/drain"
}

drain_off() { rm -f "$RUN/drain"; }

# await_drained SECONDS: waits until nobody is left, for a little longer than that. Fails then, when
# it is called off, and when somebody in a hurry stops everything a second time.
await_drained() {
    local deadline=$((SECONDS + $1 + 5))
    until [[ $(why_not_ready) == *"connections left: 0"* ]]; do
        ((SECONDS < deadline)) && [[ -e $RUN/drain && ${STOPPING:-0} -lt 2 ]] || return 1
        sleep 0.1
    done
}

# What /readyz complains of.
why_not_ready() { curl -s --noproxy '*' --max-time 2 "$HTTP_URL/readyz" || true; }

# Before everything stops. Without a bridge and a broker that answer there is nobody to drain.
drain_before_stop() {
    [[ $DRAIN_SECONDS != 0 && ${CHILD[bridge]:-} && ${CHILD[broker]:-} ]] || return 0
    read_addresses
    http_says_ok /readyz || return 0
    drain_on "$DRAIN_SECONDS"
    await_drained "$DRAIN_SECONDS" || true
}
