# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# users.sh - `./banter users`: makes them, tells everything that is held about one, ends it; and who
# is an administrator. All of it is asked of the database by the running copy's own bridge program.

cmd_users() {
    local action=${1:-} subject=${2:-} answer
    is_running || die "not running; start it with ./banter up -d"
    case $action in
    create | admin | noadmin | erase | export | receipt) ;;
    *) die "users knows create, admin, noadmin, export, erase HANDLE [--yes], and receipt ID" ;;
    esac
    [[ $subject ]] || die "users $action wants one more word; see ./banter help"
    if [[ $action == erase && ${3:-} != --yes ]]; then
        read -r -p "This cannot be undone. The handle once more: " answer || true
        [[ $answer == "$subject" ]] || die "nothing was erased"
    fi
    if [[ $action == create && -t 0 ]]; then
        read -r -s -p "Password (empty: one is drawn): " answer && echo >&2
        exec < <(printf '%s\n' "$answer")
    fi
    exec "$DATA/bin/banter-bridge" users "$action" "$subject" --as "$(operator_name)" \
        --config "$DATA/bridge.conf"
}
