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
    write_bridge_config
    mosquitto_config >"$DATA/mosquitto.conf"
}

# It may have the password of a database that is elsewhere.
write_bridge_config() {
    (umask 077 && bridge_config >"$DATA/bridge.conf.new")
    give_away "$DATA/bridge.conf.new"
    mv "$DATA/bridge.conf.new" "$DATA/bridge.conf"
}

# packaging/ has what every way to run Banter shares; here is what belongs to this copy.
postgres_config() {
    cat "$REPO/packaging/postgres.conf" - <<END
unix_socket_directories = '$RUN'
unix_socket_permissions = 0700
hba_file = '$DATA/pg_hba.conf'
END
    # RUN is closed to everybody but the owner, so whoever reaches the socket may come in.
    printf '%s\n' "local all all trust" "local replication all trust" >"$DATA/pg_hba.conf"
}

# How the owner of the database connects.
postgres_dsn() { dsn_of banter; }

dsn_of() {
    local own="host=$RUN port=5432 user=$1 dbname=banter"
    is_service postgres && echo "$own" || echo "$BANTER_DATABASE"
}

# The bridge connects as a role that may do what a running bridge does, and no more.
database_settings() {
    if [[ -e $DATA/postgres/$BRIDGE_ROLE_MARK && ! ${BANTER_DATABASE:-} ]]; then
        echo "database $(dsn_of "$BRIDGE_ROLE")"
        echo "migrate_database $(dsn_of banter)"
    else
        echo "database $(dsn_of banter)"
    fi
}

bridge_config() {
    cat <<END
$(database_settings)
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
keys_dir $KEYS
blobs_dir $DATA/blobs
web_root $(web_root)
issuer $TOKEN_ISSUER
audience $TOKEN_AUDIENCE
END
}

# The web client as install_web() left it, if it did.
web_root() { if [[ -e $DATA/bin/web/index.html ]]; then echo "$DATA/bin/web"; else echo off; fi; }

# What the environment sets, as it does for the bridge.
plugin_options() {
    local key variable
    for key in ring_bytes rate_{limits,device_drafts,user_drafts,conversation_drafts} \
        rate_{user_requests,device_signals,address_connects}; do
        variable=BANTER_${key^^}
        [[ -z ${!variable:-} ]] || echo "plugin_opt_$key ${!variable}"
    done
}

mosquitto_config() {
    local connections=$(($(descriptor_limit) - 256))
    cat "$REPO/packaging/broker.conf" - <<END

plugin $DATA/bin/banter_plugin.so
plugin_opt_link_socket $RUN/link.sock
plugin_opt_link_key_file $DATA/link.key
plugin_opt_jwks_file $KEYS/jwks.json
plugin_opt_issuer $TOKEN_ISSUER
plugin_opt_audience $TOKEN_AUDIENCE
$(plugin_options)

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
