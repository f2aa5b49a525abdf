#!/bin/bash
# SPDX-License-Identifier: MIT
# run.sh - PostgreSQL in its container: makes the cluster at the first start, or copies that of
# another server to follow it, then becomes the server.
#
# A cluster is made beside its place and moved there complete, role and database included: one that
# exists is never half made. Its directory has the version in its name, so that another major
# version refuses data that it could not read, instead of beginning anew beside them.
set -euo pipefail

data=/var/lib/postgresql
slot=replica
roles_made=2 # what banter.roles says in a cluster for which make_bridge_role has done all it does
version=$(basename "$(dirname "$(dirname "$(command -v postgres)")")")

refuse_other_versions() {
    local other
    for other in "$data"/*/PG_VERSION; do
        [[ -e $other && $other != "$data/$version/PG_VERSION" && $other != *.new/* ]] || continue
        echo "the data are of PostgreSQL $(<"$other"), and this is $version: dump them with the" \
            "image that made them, and restore them into a new volume" >&2
        exit 1
    done
}

# run_alone CLUSTER: the statements on standard input, one a line, without a server. The first that
# fails is the end, which PostgreSQL by itself would pass over.
run_alone() { postgres --single -c exit_on_error=on -D "$1" postgres; }

# banter owns the database; the bridge connects as banter_bridge, to which the migrations give what
# it needs. Refusals are errors to PostgreSQL, and name users, whom a log must not know: so those of
# both are not logged, and the bridge tells of those that nobody foresaw. A cluster that was made
# before all this gets it at its next start.
make_bridge_role() {
    {
        echo "DO \$\$ BEGIN IF to_regrole('banter_bridge') IS NULL THEN" \
            "CREATE ROLE banter_bridge LOGIN ROLE banter; END IF; END \$\$"
        printf 'ALTER ROLE %s SET log_min_messages = log\n' banter banter_bridge
    } | run_alone "$1"
    echo "$roles_made" >"$1/banter.roles"
}

has_bridge_role() { [[ -e $1/banter.roles && $(<"$1/banter.roles") == "$roles_made" ]]; }

# Whether the database can be written to now, without a word from elsewhere.
is_primary() { ! compgen -G "$data/$version/*.signal" >/dev/null; }

make_cluster() {
    rm -rf "$data/$version.new"
    initdb --pgdata="$data/$version.new" --username=postgres --auth=peer --encoding=UTF8 \
        --locale=C.UTF-8 --data-checksums --no-instructions
    printf '%s\n' "CREATE ROLE banter LOGIN" "CREATE DATABASE banter OWNER banter" |
        run_alone "$data/$version.new"
    make_bridge_role "$data/$version.new"
    mv "$data/$version.new" "$data/$version"
}

# A copy of the server whose socket is in the directory BANTER_PRIMARY, which it then follows. The
# primary keeps for it what it has not had, up to max_slot_wal_keep_size.
copy_primary() {
    rm -rf "$data/$version.new"
    psql -X -q -h "$BANTER_PRIMARY" -d postgres -c "SELECT
        pg_create_physical_replication_slot('$slot') WHERE NOT EXISTS
        (SELECT FROM pg_replication_slots WHERE slot_name = '$slot')" >/dev/null
    pg_basebackup -h "$BANTER_PRIMARY" --pgdata="$data/$version.new" --write-recovery-conf \
        --slot="$slot" --checkpoint=fast
    mv "$data/$version.new" "$data/$version"
}

umask 077
if [[ ! -e $data/$version ]]; then
    refuse_other_versions
    if [[ ${BANTER_PRIMARY:-} ]]; then
        copy_primary
    else
        make_cluster
    fi
fi
if ! has_bridge_role "$data/$version" && is_primary; then
    make_bridge_role "$data/$version"
fi
# For the bridge, which has this directory, too: it may connect as that role.
rm -f /run/postgresql/banter.roles
if [[ -e $data/$version/banter.roles ]]; then
    (umask 022 && touch /run/postgresql/banter.roles)
fi
exec postgres -D "$data/$version" -c config_file=/etc/banter/node.conf "$@"
