#!/bin/bash
# SPDX-License-Identifier: MIT
# run.sh - the broker in its container: settles what depends on where it runs, waits for what the
# bridge makes, and sends the users away before the broker stops.
#
# Rule: /etc/banter/mosquitto.conf is the whole configuration. Only three things of it are changed:
# where MQTT listens, how many connections fit the limit of open files, and what the environment
# names. So an operator can mount another one.
set -euo pipefail

here=$(dirname "$0")
jwks=/var/lib/banter/keys/jwks.json
link_key=${BANTER_LINK_KEY_FILE:-/var/lib/banter/keys/link.key}
conf=/tmp/mosquitto.conf
wait_seconds=60
descriptors_wanted=65536
broker=""
stopping=""

raise_descriptor_limit() {
    local hard
    hard=$(ulimit -Hn)
    [[ $hard != unlimited ]] && ((hard < descriptors_wanted)) || hard=$descriptors_wanted
    ulimit -Sn "$hard"
}

write_configuration() {
    local connections=$(($(ulimit -Sn) - 256))
    local ring=${BANTER_RING_BYTES:+plugin_opt_ring_bytes $BANTER_RING_BYTES}
    sed -e "s|^listener 1883 .*|listener 1883|" \
        -e "s|^max_connections .*|max_connections $connections|" \
        -e "s|^plugin_opt_link_key_file .*|plugin_opt_link_key_file $link_key|" \
        -e "${ring:+/^plugin_opt_link_socket/a$ring}" /etc/banter/mosquitto.conf >"$conf"
}

await_bridge() {
    until [[ -s $jwks && -s $link_key ]]; do
        if ((SECONDS >= wait_seconds)); then
            echo "no $jwks or no $link_key after $wait_seconds s: has the bridge started?" >&2
            exit 1
        fi
        [[ ! $stopping ]] || exit 0
        sleep 0.2
    done
}

# A second signal does not wait for users.
# shellcheck disable=SC2317 # called by trap
stop() {
    [[ $broker ]] || { stopping=2; return; }
    if [[ ! $stopping ]]; then
        stopping=1
        "$here/drain.sh" --before-stop &
        drain=$!
        wait "$drain" || true
        kill "$drain" 2>/dev/null || true
    fi
    kill -TERM "$broker" 2>/dev/null || true
}

trap stop TERM INT
trap 'kill -HUP "$broker" 2>/dev/null || true' HUP # certificates, jwks.json
umask 007 # the bridge, of the same group, connects to the broker's sockets
raise_descriptor_limit
await_bridge
write_configuration
/usr/sbin/mosquitto -c "$conf" &
broker=$!
"$here/drain.sh" --after-start
status=0
while kill -0 "$broker" 2>/dev/null; do
    status=0
    wait "$broker" || status=$? # ends at each signal, too
done
exit "$status"
