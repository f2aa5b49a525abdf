# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# audit.sh - `./banter audit`: who did what that matters for security, as the database has it; and
# what this script itself writes there.

cmd_audit() {
    is_running || die "not running; start it with ./banter up -d"
    [[ ${1:-} =~ ^[0-9]*$ ]] || die "audit takes the id of a row: what came before it is shown"
    exec "$DATA/bin/banter-bridge" audit list "$@" --config "$DATA/bridge.conf"
}

# Who is at the keyboard, also behind sudo.
operator_name() { echo "${SUDO_USER:-$(id -un)}"; }

# Writes down what is done by other means than the bridge, which is never held up by it:
# note_audit ACTION
note_audit() {
    timeout 5 "$DATA/bin/banter-bridge" audit note "$1" --as "$(operator_name)" \
        --config "$DATA/bridge.conf" >/dev/null || say "this is not in the audit log: $1" >&2
}
