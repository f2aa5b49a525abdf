# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034
# common.sh - messages, and where everything of one copy lives.
#
# Rule: paths are settled once, in settle_settings(); nothing else guesses them.

say() { printf '%s\n' "$*"; }
die() {
    printf 'banter: %s\n' "$*" >&2
    exit 1
}
value_of() { # an option's value: value_of OPTION VALUE
    (($# >= 2)) || die "$1 needs a value"
    echo "$2"
}
is_root() { ((EUID == 0)); }
now_ms() { echo $((${EPOCHREALTIME/[.,]/} / 1000)); }

SERVICES=(postgres bridge broker) # in the order of starting; stopping goes the other way
SYSTEM_USER=banter                # who runs everything when root starts it
BRIDGE_ROLE=banter_bridge         # as whom the bridge uses its database, which `banter` owns
BRIDGE_ROLE_MARK=banter.roles     # in a cluster that has that role,
BRIDGE_ROLE_MADE=2                # with this in it: all that make_bridge_role() does has been done
UNIX_PATH_MAX=107                 # bytes of a Unix socket's path (sun_path less its NUL)
LONGEST_SOCKET=/.s.PGSQL.5432     # the longest name of a socket in RUN

# Sets DATA, its parts and the ports from options, environment and defaults. RUN holds the sockets
# and belongs to the processes' user; STATE (lock, pid files, addresses) and LOGS belong to whoever
# started the copy, so that root never writes where another user could have put a link.
settle_settings() {
    local asked=${BANTER_DATA:-$REPO/var} base=${BANTER_PORT_BASE:-}
    DATA=$(realpath -m -- "$asked")
    [[ $DATA =~ ^[A-Za-z0-9/._+@:-]+$ ]] ||
        die "the data directory $DATA has a character in its name that configuration files" \
            "cannot carry (a space, perhaps); choose another with --data DIR"
    RUN=$DATA/run
    if ((${#RUN} + ${#LONGEST_SOCKET} > UNIX_PATH_MAX)); then
        RUN=/tmp/banter-$(printf %s "$DATA" | sha256sum | cut -c1-16) # sockets need short paths
    fi
    settle_services
    KEYS=${BANTER_KEYS_DIR:-$DATA/keys}
    STATE=$DATA/state
    LOGS=$DATA/log
    LISTEN=${BANTER_LISTEN:-127.0.0.1}
    if [[ ! $base ]]; then
        HTTP_PORT=8080 MQTT_PORT=1883 HTTPS_PORT=8443 METRICS_PORT=9464 MQTTS_PORT=8883
        return
    fi
    if [[ ! $base =~ ^[1-9][0-9]{0,4}$ ]] || ((base > 65531)); then
        die "--port-base must be a number from 1 to 65531, not '$base'"
    fi
    HTTP_PORT=$base MQTT_PORT=$((base + 1)) HTTPS_PORT=$((base + 2))
    METRICS_PORT=$((base + 3)) MQTTS_PORT=$((base + 4))
}

# Whoever names a database has one already, unless BANTER_SERVICES says what is to run here.
settle_services() {
    local name all=("${SERVICES[@]}")
    [[ ! ${BANTER_DATABASE:-} ]] || SERVICES=(bridge broker)
    [[ ${BANTER_SERVICES:-} ]] || return 0
    SERVICES=()
    for name in "${all[@]}"; do
        [[ " $BANTER_SERVICES " != *" $name "* ]] || SERVICES+=("$name")
    done
    for name in $BANTER_SERVICES; do
        is_service "$name" || die "BANTER_SERVICES knows no '$name': ${all[*]}"
    done
    [[ ${BANTER_DATABASE:-} ]] || is_service postgres ||
        die "without PostgreSQL of its own it needs BANTER_DATABASE"
}

is_service() { [[ " ${SERVICES[*]} " == *" $1 "* ]]; }

# Whether the process that wrote STATE/NAME.pid is alive; prints its id.
pid_of() {
    local pid
    read -r pid 2>/dev/null <"$STATE/$1.pid" && [[ -d /proc/$pid ]] && echo "$pid"
}

# The supervisor holds this lock for as long as it lives, so the answer cannot be stale.
is_running() { [[ -e $STATE/lock ]] && ! flock --nonblock "$STATE/lock" true 2>/dev/null; }
