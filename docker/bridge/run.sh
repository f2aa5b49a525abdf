#!/bin/bash
# SPDX-License-Identifier: MIT
# run.sh - the bridge in its container: makes the secret of the link at the first start, then
# becomes the bridge, whose arguments it takes ("push list", say).
set -euo pipefail
umask 027 # the broker, of the same group, reads link.key and jwks.json
if [[ ! ${BANTER_LINK_KEY:-} && ! ${BANTER_LINK_KEY_FILE:-} ]]; then
    /usr/lib/banter/bridge/make-link-key.sh /var/lib/banter/keys/link.key
fi
# As the role that may do what a running bridge does, if the database has it and no other is meant.
if [[ -e /run/postgresql/banter.roles && ! ${BANTER_DATABASE:-}${BANTER_DATABASE_FILE:-} ]]; then
    export BANTER_DATABASE="host=/run/postgresql user=banter_bridge dbname=banter"
    if [[ ! ${BANTER_MIGRATE_DATABASE:-}${BANTER_MIGRATE_DATABASE_FILE:-} ]]; then
        export BANTER_MIGRATE_DATABASE="host=/run/postgresql user=banter dbname=banter"
    fi
fi
exec /usr/bin/banter-bridge --config /etc/banter/bridge.conf "$@"
