#!/bin/bash
# SPDX-License-Identifier: MIT
# drain.sh - empties a node of its users: drain.sh SECONDS | --off | --before-stop | --after-start.
#
# The file `drain` beside the sockets is all there is to it: while it exists the node lets nobody in
# and ends its connections over so many seconds. --before-stop and --after-start are for whoever
# runs the broker; a node that an operator drains goes on draining across a restart, and one that
# was drained only to stop the broker (the file `stopping` says so) takes users in again.
set -euo pipefail

run=${BANTER_RUN:-/run/banter}
seconds=${BANTER_DRAIN_SECONDS:-5}
ready=$(dirname "$(readlink -f "$0")")/ready.sh

begin() {
    echo "$1" >"$run/drain.new"
    chmod 644 "$run/drain.new"
    mv "$run/drain.new" "$run/drain"
}

# Succeeds when nobody is left; fails when that takes much longer than it should, or is called off.
await_empty() {
    local deadline=$((SECONDS + $1 + 3)) answer
    until answer=$("$ready" 2>&1 || true) && [[ $answer == *"connections left: 0"* ]]; do
        if ((SECONDS >= deadline)) || [[ ! -e $run/drain ]]; then
            echo "not empty: ${answer:-called off}" >&2
            return 1
        fi
        sleep 0.1
    done
}

case ${1:-} in
--off)
    rm -f "$run"/{stopping,drain}
    ;;
--after-start)
    [[ ! -e $run/stopping ]] || rm -f "$run"/{stopping,drain}
    ;;
--before-stop)
    [[ $seconds != 0 && ! -e $run/drain ]] && "$ready" >/dev/null 2>&1 || exit 0
    : >"$run/stopping"
    begin "$seconds"
    await_empty "$seconds"
    ;;
*)
    [[ ${1:-} =~ ^[0-9]{1,5}$ ]] ||
        { echo "usage: drain.sh SECONDS | --off | --before-stop | --after-start" >&2; exit 2; }
    rm -f "$run/stopping"
    begin "$1"
    await_empty "$1"
    ;;
esac
