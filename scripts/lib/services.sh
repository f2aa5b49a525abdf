# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# services.sh - the three processes: who runs them, what they need, how they start, when they are
# ready.
#
# Rule: postgres refuses root, and a broker that faces the network should not be root either. So
# when root starts a copy, all three run as the system user `banter`, who owns only what they write
# (postgres/, keys/, run/). Started by anybody else, they run as that user.

# Sets OWNER and RUN_AS, the prefix that drops root's rights; makes the system user if needed.
settle_owner() {
    RUN_AS=()
    OWNER=$(id -un)
    is_root || return 0
    OWNER=$SYSTEM_USER
    if ! id "$OWNER" >/dev/null 2>&1; then
        useradd --system --user-group --no-create-home --home-dir /nonexistent \
            --shell /usr/sbin/nologin "$OWNER"
    fi
    RUN_AS=(setpriv "--reuid=$OWNER" "--regid=$(id -gn "$OWNER")" --clear-groups)
}

# Gives files that root wrote to whoever runs the processes.
give_away() { ! is_root || chown "$OWNER:" "$@"; }

# can_reach DIR: whether the processes' user may enter it.
can_reach() { "${RUN_AS[@]}" test -x "$1"; }

# A directory for what the processes read: `var` in the repository, unless its owner cannot get
# there (a clone under /root), in which case /var/lib/banter has it and `var` points there.
place_data() {
    if is_root && [[ ! ${BANTER_DATA:-} && ! -e $REPO/var ]] && ! can_reach "$REPO"; then
        DATA=$(outside_of_repo)/var
        mkdir -p "$DATA"
        ln -sfn "$DATA" "$REPO/var"
        settle_settings
    fi
    [[ ! -e $DATA || -O $DATA ]] ||
        die "$DATA belongs to $(stat -c %U "$DATA"): start it as that user"
    if [[ -d $DATA && ! -e $DATA/.banter && $(ls -A "$DATA") ]]; then
        die "$DATA holds other things than Banter's data; choose another directory with --data"
    fi
    mkdir -p "$DATA" "$LOGS" "$STATE" "$DATA/bin"
    touch "$DATA/.banter"
    chmod 711 "$DATA"
    if [[ -e $RUN && $(stat -c %U "$RUN") != "$OWNER" ]]; then # a name in /tmp is anybody's
        die "$RUN belongs to somebody else"
    fi
    install -d -m 700 -o "$OWNER" "$RUN" "$DATA/keys" "$DATA/blobs"
    can_reach "$DATA" || die "user $OWNER, who runs the processes, cannot reach $DATA: one of its" \
        "parents is closed. Choose another directory with --data, such as /var/lib/banter"
}

outside_of_repo() { echo "/var/lib/banter/$(printf %s "$REPO" | sha256sum | cut -c1-8)"; }

# Puts copies of the binaries into DATA: a build never pulls the rug from under a running copy, and
# the processes' user need not reach the source tree.
install_binaries() {
    install -m 755 "$BUILD/bridge/banter-bridge" "$DATA/bin/banter-bridge"
    install -m 755 "${BANTER_PLUGIN:-$BUILD/broker-plugin/banter_plugin.so}" \
        "$DATA/bin/banter_plugin.so"
    rm -rf "$DATA/bin/sql"
    mkdir "$DATA/bin/sql"
    install -m 644 "$REPO"/schema/sql/*.sql "$DATA/bin/sql"
    install_web
}

# The web client, if it has been built.
install_web() {
    local built=$REPO/clients/web/dist
    rm -rf "$DATA/bin/web"
    [[ -e $built/index.html ]] || return 0
    cp -r "$built" "$DATA/bin/web"
    chmod -R u=rwX,go=rX "$DATA/bin/web"
}

ensure_link_key() {
    [[ ! -e $DATA/link.key ]] || return 0
    (umask 077 && od -An -v -N32 -tx1 /dev/urandom | tr -d ' \n' >"$DATA/link.key.new")
    give_away "$DATA/link.key.new"
    mv "$DATA/link.key.new" "$DATA/link.key"
}

# The version that made the cluster; for a new one, the newest.
postgres_bin() {
    local found version=""
    [[ ! -e $DATA/postgres/PG_VERSION ]] || version=$(<"$DATA/postgres/PG_VERSION")
    found=$(printf '%s\n' /usr/lib/postgresql/${version:-*}/bin | sort -V | tail -n 1)
    [[ -x $found/postgres ]] || die "PostgreSQL's server${version:+ $version} is not installed"
    echo "$found"
}

# A cluster is made beside its place and moved there complete, roles and database included: a
# DATA/postgres that exists is never half made.
ensure_cluster() {
    is_service postgres || return 0
    if [[ -e $DATA/postgres ]]; then
        ensure_bridge_role
        return
    fi
    say "Creating the database"
    local bin new=$DATA/postgres.new log=$LOGS/initdb.log
    bin=$(postgres_bin)
    rm -rf "$new"
    install -d -m 700 "$new"
    give_away "$new"
    if ! make_cluster "$bin" "$new" >"$log" 2>&1; then
        tail -n 20 "$log" >&2
        die "the database could not be created; see $log"
    fi
    mv "$new" "$DATA/postgres"
}

make_cluster() (
    cd /
    "${RUN_AS[@]}" "$1/initdb" --pgdata="$2" --username=postgres --auth=trust --encoding=UTF8 \
        --locale=C.UTF-8 --data-checksums --no-instructions &&
        printf '%s\n' "CREATE ROLE banter LOGIN" "CREATE DATABASE banter OWNER banter" |
        run_alone "$1" "$2" &&
        make_bridge_role "$1" "$2"
)

# run_alone BIN CLUSTER: the statements on standard input, one a line, without a server. The first
# that fails is the end, which PostgreSQL by itself would pass over.
run_alone() { "${RUN_AS[@]}" "$1/postgres" --single -c exit_on_error=on -D "$2" postgres; }

# The role of a running bridge; the migrations give it its rights. The owner is a member of it, and
# may end its sessions. Refusals are errors to PostgreSQL, and name users, whom a log must not know:
# so those of both are not logged, and the bridge tells of those that nobody foresaw.
make_bridge_role() {
    {
        echo "DO \$\$ BEGIN IF to_regrole('$BRIDGE_ROLE') IS NULL THEN" \
            "CREATE ROLE $BRIDGE_ROLE LOGIN ROLE banter; END IF; END \$\$"
        printf 'ALTER ROLE %s SET log_min_messages = log\n' banter "$BRIDGE_ROLE"
    } | run_alone "$1" "$2" &&
        "${RUN_AS[@]}" tee "$2/$BRIDGE_ROLE_MARK" <<<"$BRIDGE_ROLE_MADE" >/dev/null
}

# A cluster that was made before there was that role, or before it was what it is, gets it now,
# unless it is to be restored to a certain moment first: then the bridge is the owner once more (see
# database_settings).
ensure_bridge_role() {
    local made="" log=$LOGS/initdb.log mark=$DATA/postgres/$BRIDGE_ROLE_MARK
    [[ ! -e $mark ]] || made=$(<"$mark")
    if [[ $made == "$BRIDGE_ROLE_MADE" ]] || compgen -G "$DATA/postgres/*.signal" >/dev/null; then
        return
    fi
    if ! (cd / && make_bridge_role "$(postgres_bin)" "$DATA/postgres") >"$log" 2>&1; then
        tail -n 20 "$log" >&2
        die "the role of the bridge could not be made; see $log"
    fi
}

# ---------------------------------------------------------------------------------------------
# For each process: the command line (into COMMAND), the signal that stops it in an orderly way,
# how long that may take, and when it is ready.

declare -A STOP_SIGNAL=([postgres]=INT [bridge]=TERM [broker]=TERM)
declare -A STOP_SECONDS=([postgres]=30 [bridge]=10 [broker]=10)
declare -A READY_SECONDS=([postgres]=${BANTER_RECOVERY_SECONDS:-120} [bridge]=120 [broker]=30)

command_postgres() {
    COMMAND=("$(postgres_bin)/postgres" -D "$DATA/postgres" -c "config_file=$DATA/postgres.conf")
}
command_bridge() { COMMAND=("$DATA/bin/banter-bridge" --config "$DATA/bridge.conf"); }
command_broker() {
    COMMAND=("${BANTER_MOSQUITTO:-$(PATH=$PATH:/usr/sbin command -v mosquitto)}"
        -c "$DATA/mosquitto.conf")
    # A plugin built with AddressSanitizer needs its library loaded first. Leaks are looked for in
    # the unit tests: Mosquitto's own would drown ours.
    local asan
    asan=$(ldd "$DATA/bin/banter_plugin.so" | awk '/libasan/{print $3}')
    [[ ! $asan ]] || COMMAND=(env "LD_PRELOAD=$asan"
        "ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0" "${COMMAND[@]}")
}

# The CPUs that the environment gives a process, as taskset lists them; empty: all.
cpus_of() {
    local variable=BANTER_${1^^}_CPUS
    echo "${!variable:-}"
}

check_cpus() {
    local name cpus
    for name in "${SERVICES[@]}"; do
        cpus=$(cpus_of "$name")
        [[ ! $cpus ]] || taskset -c "$cpus" true 2>/dev/null ||
            die "BANTER_${name^^}_CPUS: '$cpus' is no list of CPUs that may be used here, such as" \
                "0 or 1-3,5"
    done
}

ready_postgres() { "$(postgres_bin)/pg_isready" -q -h "$RUN" -p 5432 -U postgres; }
ready_bridge() { [[ -s $KEYS/jwks.json ]] && http_says_ok /livez; } # the plugin reads jwks
ready_broker() { http_says_ok /readyz; }                                 # needs all of them

http_says_ok() {
    curl -sf --noproxy '*' --max-time 2 -o /dev/null "http://$(local_address):$HTTP_PORT$1"
}

# Where a program on this machine finds what listens on LISTEN.
local_address() { [[ $LISTEN == 0.0.0.0 ]] && echo 127.0.0.1 || echo "$LISTEN"; }

# ---------------------------------------------------------------------------------------------

check_ports() {
    check_port http "$HTTP_PORT"
    check_port mqtt "$MQTT_PORT"
    check_port metrics "$METRICS_PORT"
    if [[ ${BANTER_TLS_CERTIFICATE_FILE:-} ]]; then
        check_port https "$HTTPS_PORT"
        check_port mqtts "$MQTTS_PORT"
    fi
}

# The bridge reads both files as the user that it runs as; from anywhere, so their paths are whole.
check_certificate() {
    [[ ${BANTER_TLS_CERTIFICATE_FILE:-} || ${BANTER_TLS_KEY_FILE:-} ]] || return 0
    [[ ${BANTER_TLS_CERTIFICATE_FILE:-} && ${BANTER_TLS_KEY_FILE:-} ]] ||
        die "TLS needs both --tls-certificate and --tls-key"
    export BANTER_TLS_CERTIFICATE_FILE BANTER_TLS_KEY_FILE
    BANTER_TLS_CERTIFICATE_FILE=$(realpath -s -- "$BANTER_TLS_CERTIFICATE_FILE")
    BANTER_TLS_KEY_FILE=$(realpath -s -- "$BANTER_TLS_KEY_FILE")
    local file
    for file in "$BANTER_TLS_CERTIFICATE_FILE" "$BANTER_TLS_KEY_FILE"; do
        "${RUN_AS[@]}" test -r "$file" || die "user $OWNER, who runs the bridge, cannot read $file"
    done
}

check_port() {
    local what=$1 port=$2 holder=""
    (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null ||
        (exec 3<>"/dev/tcp/$(local_address)/$port") 2>/dev/null || return 0
    if command -v ss >/dev/null; then
        holder=$(ss -Hltnp "sport = :$port" 2>/dev/null | grep -o '"[^"]*",pid=[0-9]*' | head -n 1)
    fi
    die "port $port ($what) is taken${holder:+ by $holder}. Stop what listens there" \
        "(for the system's own broker: systemctl stop mosquitto), or choose other ports:" \
        "./banter --port-base 9000 up"
}
