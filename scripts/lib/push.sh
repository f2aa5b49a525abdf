# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# push.sh - `./banter push`: what became of pushes that were given up, asked of the database by the
# running copy's own bridge program.

cmd_push() {
    is_running || die "not running; start it with ./banter up -d"
    case ${1:-} in
    list | requeue | drop) ;;
    *) die "push knows list, requeue and drop; see ./banter help" ;;
    esac
    exec "$DATA/bin/banter-bridge" push "$@" --as "$(operator_name)" \
        --config "$DATA/bridge.conf"
}
