# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# backup.sh - backup and restore: a copy's database, keys and pictures into a directory, and back.
#
# Rule: a directory that has the name it was given is a whole backup, checked; what is not finished
# is called .new. The same holds for what restore puts in its place.

BACKED_UP=(keys blobs) # copied after the database: what its rows name was written before

cmd_backup() {
    local to=${1:-}
    [[ $# == 1 && $to != -* ]] || die "usage: ./banter backup DIR, which must not exist yet"
    is_service postgres || die "the database is not this copy's: back it up where it is"
    settle_owner
    to=$(realpath -m -- "$to")
    [[ ! -e $to ]] || die "$to exists already"
    pid_of postgres >/dev/null || die "PostgreSQL does not run; start it with ./banter up -d"
    local new=$to.new
    rm -rf "$new"
    install -d -m 700 -o "$OWNER" "$new"
    can_reach "$new" || die "user $OWNER, who runs the database, cannot reach $to"
    take_backup "$(postgres_bin)" "$new" || die "no backup was made"
    mv "$new" "$to"
    note_audit backup
    say "$to: $(du -sh "$to" | cut -f 1)"
}

# Connections go on, and what they write is part of it: the backup is the state at its end.
take_backup() (
    cd /
    "${RUN_AS[@]}" "$1/pg_basebackup" --host="$RUN" --port=5432 --username=postgres --no-password \
        --checkpoint=fast --wal-method=stream --pgdata="$2/postgres" &&
        "${RUN_AS[@]}" "$1/pg_verifybackup" --quiet "$2/postgres" &&
        cp -a "${BACKED_UP[@]/#/$DATA/}" "$2/" &&
        sync --file-system "$2"
)

cmd_restore() {
    local from=${1:-}
    [[ $# == 1 && -e $from/postgres/backup_manifest ]] ||
        die "usage: ./banter restore DIR, a directory that ./banter backup has made"
    from=$(realpath -- "$from")
    ! is_running || die "the copy runs; stop it first: ./banter down"
    [[ ! -e $DATA/postgres ]] ||
        die "$DATA has a database; move it away, or delete it: ./banter reset"
    settle_owner
    place_data
    put_back "$from" || die "nothing was restored"
    say "restored; start it: ./banter up -d"
}

put_back() {
    local name version bin
    version=$(<"$1/postgres/PG_VERSION")
    bin=/usr/lib/postgresql/$version/bin
    [[ -x $bin/postgres ]] || die "PostgreSQL's server $version is not installed"
    "$bin/pg_verifybackup" --quiet "$1/postgres" || return
    rm -rf "$DATA/postgres.new"
    for name in "${BACKED_UP[@]}"; do
        cp -a "$1/$name/." "$DATA/$name/" || return
    done
    cp -a "$1/postgres" "$DATA/postgres.new" || return
    ! is_root || chown -R "$OWNER:" "$DATA/postgres.new" "${BACKED_UP[@]/#/$DATA/}" || return
    mv "$DATA/postgres.new" "$DATA/postgres"
}
