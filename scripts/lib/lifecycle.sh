# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# lifecycle.sh - up, down, status, logs, stop, start, reset.
#
# Rule: these commands learn what runs from STATE (the lock, pid files, addresses), never from their
# own options, so `./banter status` is right whatever ports the copy was started with.

LOG_MAX_BYTES=67108864

# ---------------------------------------------------------------- up

cmd_up() {
    local detached=""
    while (($#)); do
        case $1 in
        -d | --detach) detached=1 ;;
        --tls-certificate) BANTER_TLS_CERTIFICATE_FILE=$(value_of "$@"); shift ;;
        --tls-key) BANTER_TLS_KEY_FILE=$(value_of "$@"); shift ;;
        *) die "up does not know '$1'; see ./banter help" ;;
        esac
        shift
    done
    if is_running; then
        [[ $detached ]] || die "already running; see ./banter status, or stop it: ./banter down"
        await_ready is_running
        print_addresses
        return
    fi
    ensure_packages "${PACKAGES_UP[@]}"
    ensure_build
    ensure_web
    settle_owner
    place_data
    take_lock
    check_certificate
    check_cpus
    check_ports
    rotate_logs
    install_binaries
    ensure_link_key
    ensure_cluster
    write_configs
    drain_off
    if [[ $detached ]]; then
        up_detached
    else
        cmd_supervise
    fi
}

up_detached() {
    local log=$LOGS/supervisor.log
    : >"$log"
    BANTER_DATA=$DATA setsid "$REPO/banter" ${BANTER_PORT_BASE:+--port-base "$BANTER_PORT_BASE"} \
        --listen "$LISTEN" supervise </dev/null >>"$log" 2>&1 &
    local supervisor=$!
    disown
    await_ready test -d "/proc/$supervisor"
    print_addresses
}

# Waits for STATE/ready while the supervisor lives, which the given command tells; it has deadlines
# of its own.
await_ready() {
    until [[ -e $STATE/ready ]]; do
        if ! "$@"; then
            cat "$LOGS/supervisor.log" >&2
            die "could not be started; the logs are in $LOGS"
        fi
        sleep 0.05
    done
}

# Held from here on by this process or by the supervisor that inherits it; see is_running(). What a
# supervisor that was killed left there would be taken for the new one's.
take_lock() {
    exec 9>"$STATE/lock"
    flock --nonblock 9 || die "another ./banter up is at work on $DATA"
    rm -f "$STATE"/{ready,control,addresses,{supervisor,postgres,bridge,broker}.pid}
}

rotate_logs() {
    local log
    for log in "$LOGS"/*.log; do
        [[ -e $log ]] || continue
        (($(stat -c %s "$log") < LOG_MAX_BYTES)) || mv "$log" "$log.1"
    done
}

# ---------------------------------------------------------------- down

cmd_down() {
    local pid
    if ! is_running; then
        say "not running"
        return
    fi
    read -r pid <"$STATE/supervisor.pid"
    kill -TERM "$pid" || die "process $pid cannot be stopped by you"
    # Longer than the supervisor's own deadlines together.
    flock --timeout 90 "$STATE/lock" true || die "the supervisor (process $pid) does not stop"
    say "stopped"
}

# ---------------------------------------------------------------- status

# What a copy with these options listens on; STATE/addresses keeps it for whoever asks later.
addresses() {
    local address
    address=$(local_address)
    cat <<END
HTTP_URL=http://$address:$HTTP_PORT
MQTT_ADDRESS=$address:$MQTT_PORT
WS_URL=ws://$address:$HTTP_PORT/mqtt
HTTPS_URL=${BANTER_TLS_CERTIFICATE_FILE:+https://$address:$HTTPS_PORT}
MQTTS_ADDRESS=${BANTER_TLS_CERTIFICATE_FILE:+$address:$MQTTS_PORT}
WSS_URL=${BANTER_TLS_CERTIFICATE_FILE:+wss://$address:$HTTPS_PORT/mqtt}
METRICS_URL=http://127.0.0.1:$METRICS_PORT/metrics
END
}

# Sets HTTP_URL and so on; without a running copy, to what the options say.
read_addresses() {
    local line lines
    if ! is_running || [[ ! -e $STATE/addresses ]]; then
        lines=$(addresses)
    else
        lines=$(<"$STATE/addresses")
    fi
    while IFS= read -r line; do
        printf -v "${line%%=*}" %s "${line#*=}"
    done <<<"$lines"
}

print_addresses() {
    read_addresses
    cat <<END
Banter is up.
  HTTP       $HTTP_URL
  MQTT       $MQTT_ADDRESS
  WebSocket  $WS_URL
END
    print_tls_addresses
    printf '  %-10s %s\n' data "$DATA"
}

print_tls_addresses() {
    [[ ${HTTPS_URL:-} ]] || return 0
    printf '  %-10s %s\n' "with TLS" "$HTTPS_URL" "" "$MQTTS_ADDRESS" "" "$WSS_URL"
}

cmd_status() {
    local json=""
    case ${1:-} in
    "") ;;
    --json) json=1 ;;
    *) die "status does not know '$1'; see ./banter help" ;;
    esac
    read_addresses
    if [[ $json ]]; then
        status_json
    else
        status_text
    fi
}

status_json() {
    local running=false
    is_running && running=true
    printf '{"http":"%s","mqtt":"%s","ws":"%s","https":%s,"mqtts":%s,"wss":%s,' \
        "$HTTP_URL" "$MQTT_ADDRESS" "$WS_URL" "$(string_or_null "${HTTPS_URL:-}")" \
        "$(string_or_null "${MQTTS_ADDRESS:-}")" "$(string_or_null "${WSS_URL:-}")"
    printf '"pids":{"broker":%s,"bridge":%s,"postgres":%s},' \
        "$(pid_or_null broker)" "$(pid_or_null bridge)" "$(pid_or_null postgres)"
    printf '"postgres_dsn":"%s","running":%s,"supervisor":%s,"metrics":"%s","data":"%s"}\n' \
        "$(postgres_dsn)" "$running" "$(pid_or_null supervisor)" "$METRICS_URL" "$DATA"
    [[ $running == true ]]
}

string_or_null() { [[ $1 ]] && printf '"%s"' "$1" || echo null; }

pid_or_null() { pid_of "$1" || echo null; }

status_text() {
    local name pid age
    if ! is_running; then
        say "not running (data in $DATA)"
        return 3
    fi
    if [[ -e $STATE/ready ]]; then
        say "running"
    else
        say "starting"
    fi
    for name in "${SERVICES[@]}"; do
        if pid=$(pid_of "$name"); then
            age=$(ps -o etime= -p "$pid")
            printf '  %-10s process %-8s up %s\n' "$name" "$pid" "${age// /}"
        else
            printf '  %-10s down\n' "$name"
        fi
    done
    printf '  %-10s %s\n' HTTP "$HTTP_URL" MQTT "$MQTT_ADDRESS" WebSocket "$WS_URL"
    print_tls_addresses
    printf '  %-10s %s\n' metrics "$METRICS_URL" data "$DATA"
}

# ---------------------------------------------------------------- logs, stop, start, reset

cmd_logs() {
    local name file
    local -a follow=() files=()
    while (($#)); do
        case $1 in
        -f | --follow) follow=(-F) ;;
        -*) die "logs does not know '$1'; see ./banter help" ;;
        *) files+=("$LOGS/$1.log") ;;
        esac
        shift
    done
    ((${#files[@]})) || files=("$LOGS"/*.log)
    for file in "${files[@]}"; do
        name=$(basename "$file" .log)
        [[ -e $file ]] || die "there is no log of '$name'"
    done
    tail -n 100 "${follow[@]}" "${files[@]}"
}

cmd_stop() { order stop "${1:-}"; }

# Returns when the process is there, which is earlier than ready.
cmd_start() { order start "${1:-}"; }

# Returns when everything works together again.
cmd_restart() {
    local name=${1:-} old deadline=$((SECONDS + 60))
    is_service "$name" || die "restart needs a name: ${SERVICES[*]}"
    is_running || die "not running; start it with ./banter up"
    old=$(pid_of "$name") || die "$name does not run; see ./banter start"
    echo "restart $name" >"$STATE/control"
    read_addresses
    until [[ $(pid_of "$name") != "$old" ]] && restarted_well; do
        ((SECONDS < deadline)) || die "$name is not ready 60 s after its restart: $(why_not_ready)"
        sleep 0.05
    done
}

# Draining goes on afterwards.
restarted_well() { [[ $(why_not_ready) == *'"ready"'* || -e $RUN/drain ]]; }

# Sends one command to the supervisor and waits until it is done.
order() {
    local verb=$1 name=$2 deadline=$((SECONDS + 60)) now
    is_service "$name" || die "$verb needs a name: ${SERVICES[*]}"
    is_running || die "not running; start it with ./banter up"
    echo "$verb $name" >"$STATE/control"
    while ((SECONDS < deadline)); do
        now=stop
        if pid_of "$name" >/dev/null; then
            now=start
        fi
        [[ $now != "$verb" ]] || return 0
        sleep 0.03
    done
    die "the supervisor did not $verb $name within 60 s"
}

cmd_reset() {
    local answer=""
    [[ -e $DATA/.banter ]] || { say "there is no data in $DATA"; return; }
    if [[ ${1:-} != --yes ]]; then
        [[ -t 0 ]] || die "reset deletes $DATA; say: ./banter reset --yes"
        read -r -p "Delete all messages and users in $DATA? [y/N] " answer
        [[ $answer == [yY]* ]] || die "nothing was deleted"
    fi
    cmd_down
    rm -rf "${DATA:?}"/{postgres,postgres.new,bin,keys,blobs,log,run,state,link.key,.banter} \
        "${RUN:?}" "$DATA"/{postgres,bridge,mosquitto,pg_hba}.conf
    rmdir --ignore-fail-on-non-empty "$DATA"
    say "deleted"
}
