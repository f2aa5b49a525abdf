# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# configs.sh - the configuration files of the three processes, written anew at every start.
#
# Rule: a file here is a product of the options and of this script; what an operator wants to
# change permanently goes into the environment (BANTER_<KEY>) or into this file.

DESCRIPTORS_WANTED=65536
TOKEN_ISSUER=banter   # who signs access tokens,
TOKEN_AUDIENCE=banter # and for whom: the bridge writes it, the plugin demands it

write_configs() {
    postgres_config >"$DATA/postgres.conf"
    bridge_config >"$DATA/bridge.conf"
    mosquitto_config >"$DATA/mosquitto.conf"
}

# fsync and synchronous_commit are PostgreSQL's defaults; they stand here because every promise
# that a receipt makes rests on them. New WAL files cost twice: they are filled with zeros first; so
# old ones are kept to be used again.
postgres_config() {
    cat <<END
listen_addresses = ''
unix_socket_directories = '$RUN'
unix_socket_permissions = 0700
hba_file = '$DATA/pg_hba.conf'
max_connections = 50
shared_buffers = 256MB
fsync = on
synchronous_commit = on
full_page_writes = on
min_wal_size = 1GB
max_wal_size = 2GB
log_timezone = UTC
timezone = UTC
END
    # RUN is closed to everybody but the owner, so whoever reaches the socket may come in.
    echo "local all all trust" >"$DATA/pg_hba.conf"
}

postgres_dsn() { echo "host=$RUN port=5432 user=banter dbname=banter"; }

bridge_config() {
    cat <<END
database $(postgres_dsn)
migrations $DATA/bin/sql
migrate_on_start true
http_listen $LISTEN:$HTTP_PORT
https_listen $LISTEN:$HTTPS_PORT
mqtts_listen $LISTEN:$MQTTS_PORT
http_socket $RUN/http.sock
mqtt_socket $RUN/mqtt.sock
metrics_listen 127.0.0.1:$METRICS_PORT
link_socket $RUN/link.sock
link_key_file $DATA/link.key
drain_file $RUN/drain
broker $RUN/broker.sock
keys_dir $DATA/keys
blobs_dir $DATA/blobs
web_root $(web_root)
issuer $TOKEN_ISSUER
audience $TOKEN_AUDIENCE
END
}

# The web client as install_web() left it, if it did.
web_root() { if [[ -e $DATA/bin/web/index.html ]]; then echo "$DATA/bin/web"; else echo off; fi; }

# The queues: a device that reads too slowly loses live copies and syncs later, and costs bounded
# memory until then. WebSockets are not Mosquitto's: 2.0 ignores the packet limit and the connection
# limit there. They come through the bridge's front door, over a socket of their own, so that the
# doorbell's has room however many there are.
mosquitto_config() {
    local connections=$(($(descriptor_limit) - 256))
    cat <<END
per_listener_settings false
allow_anonymous false
persistence false
persistent_client_expiration 2d
retain_available false
allow_duplicate_messages true
set_tcp_nodelay true
max_keepalive 120
max_packet_size 1048576
max_inflight_messages 2000
max_queued_messages 1000
max_queued_bytes 16777216
memory_limit 2147483648
log_dest stderr
log_type error
log_type warning
log_type notice
log_type information
connection_messages false
log_timestamp_format %Y-%m-%dT%H:%M:%S

plugin $DATA/bin/banter_plugin.so
plugin_opt_link_socket $RUN/link.sock
plugin_opt_link_key_file $DATA/link.key
plugin_opt_jwks_file $DATA/keys/jwks.json
plugin_opt_issuer $TOKEN_ISSUER
plugin_opt_audience $TOKEN_AUDIENCE
${BANTER_RING_BYTES:+plugin_opt_ring_bytes $BANTER_RING_BYTES}

listener $MQTT_PORT $LISTEN
max_connections $connections

listener 0 $RUN/broker.sock

listener 0 $RUN/mqtt.sock
max_connections $connections
END
}

# How many files a process may have open: as many as the hard limit lets us raise it to.
descriptor_limit() {
    local hard
    hard=$(ulimit -Hn)
    [[ $hard != unlimited ]] && ((hard < DESCRIPTORS_WANTED)) || hard=$DESCRIPTORS_WANTED
    echo "$hard"
}
