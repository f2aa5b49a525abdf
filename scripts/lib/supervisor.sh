# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# supervisor.sh - the process that keeps postgres, bridge and broker alive until it is told to stop.
#
# It looks after its children ten times a second; between looks it reads commands ("stop NAME",
# "start NAME", "restart NAME") from the pipe STATE/control. A process that dies is started again
# after 0.1 s, then 0.2 s and so on up to 5 s while it keeps dying young. Rule: the children live in
# sessions of their own, so that Ctrl-C reaches the supervisor alone and the order of stopping is
# ours.

DELAY_FIRST_MS=100
DELAY_MAX_MS=5000
OLD_ENOUGH_MS=10000 # who lived this long starts again with the first delay

declare -A CHILD=()      # name -> pid, empty while it is down
declare -A WANTED=()     # name -> 1 while it shall run
declare -A BORN=()       # name -> when it was started, ms
declare -A DUE=()        # name -> not to be started before, ms
declare -A DELAY=()      # name -> the delay that led to DUE, ms
STOPPING=""

# Runs in the process that holds the lock as descriptor 9, until SIGINT, SIGTERM or SIGHUP.
cmd_supervise() {
    trap 'STOPPING=$((${STOPPING:-0} + 1))' INT TERM HUP # the second one does not wait for users
    echo $$ >"$STATE/supervisor.pid"
    mkfifo -m 600 "$STATE/control"
    exec 7<>"$STATE/control" # open for writing too: a pipe without writers would end
    addresses >"$STATE/addresses.new"
    mv "$STATE/addresses.new" "$STATE/addresses" # whoever asks meanwhile never sees half of it
    settle_owner
    ulimit -Sn "$(descriptor_limit)"
    if start_all; then
        touch "$STATE/ready"
        print_addresses
        [[ ! -t 1 ]] || say "Ctrl-C stops everything; the data stays in $DATA"
        # Bash has its own words on standard error for each child that a signal ended.
        watch 2>>"$LOGS/shell.log"
    fi
    local failed=""
    [[ $STOPPING ]] || failed=1
    rm -f "$STATE/ready"
    stop_all
    rm -f "$STATE"/{control,supervisor.pid}
    [[ ! $failed ]] || exit 1
}

# ---------------------------------------------------------------- starting

start_all() {
    local name
    for name in "${SERVICES[@]}"; do
        spawn "$name"
        wait_ready "$name" || return 1
        note_answer "$name"
    done
}

spawn() {
    local name=$1 cpus
    local -a COMMAND=()
    "command_$name"
    cpus=$(cpus_of "$name")
    [[ ! $cpus ]] || COMMAND=(taskset -c "$cpus" "${COMMAND[@]}")
    (cd / && exec setsid setpriv --pdeathsig "${STOP_SIGNAL[$name]}" "${RUN_AS[@]:1}" -- \
        "${COMMAND[@]}" </dev/null >>"$LOGS/$name.log" 2>&1 7>&- 9>&-) &
    CHILD[$name]=$!
    WANTED[$name]=1
    BORN[$name]=$(now_ms)
    echo $! >"$STATE/$name.pid"
}

# Waits until the process is ready; says why when it dies, or is not ready in time.
wait_ready() {
    local name=$1 deadline=$((SECONDS + READY_SECONDS[$1]))
    until "ready_$name"; do
        [[ ! $STOPPING ]] || return 1
        if ! is_alive "$name"; then
            reap "$name"
            say "$name $HOW_IT_ENDED before it was ready:"
            show_tail "$name"
            return 1
        fi
        if ((SECONDS >= deadline)); then
            say "$name is not ready after ${READY_SECONDS[$name]} s:"
            show_tail "$name"
            return 1
        fi
        sleep 0.03
    done
}

# ---------------------------------------------------------------- watching

watch() {
    local line="" more
    while [[ ! $STOPPING ]]; do
        if read -r -t 0.1 -u 7 more; then
            obey "$line$more"
            line=""
        else
            line+=$more # the time was up in the middle of a line
        fi
        look_after_children
        look_for_hangs
    done
}

obey() {
    local verb=${1%% *} name=${1#* }
    is_service "$name" || return 0
    case $verb in
    stop)
        WANTED[$name]=""
        stop_child "$name"
        say "$name is stopped until it is started again"
        ;;
    start) WANTED[$name]=1 DUE[$name]=0 ;;
    restart)
        stop_child "$name"
        WANTED[$name]=1 DUE[$name]=0
        say "$name is restarted"
        ;;
    esac
}

look_after_children() {
    local name
    for name in "${SERVICES[@]}"; do
        if [[ ${CHILD[$name]:-} ]]; then
            is_alive "$name" || note_death "$name"
        elif [[ ${WANTED[$name]:-} ]] && (($(now_ms) >= ${DUE[$name]:-0})); then
            spawn "$name"
        fi
    done
}

note_death() {
    local name=$1 now
    now=$(now_ms)
    if ((now - BORN[$name] >= OLD_ENOUGH_MS)); then
        DELAY[$name]=$DELAY_FIRST_MS
    else
        DELAY[$name]=$((${DELAY[$name]:-$((DELAY_FIRST_MS / 2))} * 2))
    fi
    ((DELAY[$name] <= DELAY_MAX_MS)) || DELAY[$name]=$DELAY_MAX_MS
    DUE[$name]=$((now + DELAY[$name]))
    reap "$name"
    say "$name $HOW_IT_ENDED; it is started again in ${DELAY[$name]} ms. Its last words:"
    show_tail "$name" 5
}

is_alive() { kill -0 "${CHILD[$1]}" 2>/dev/null; }

# Forgets a child that has ended; sets HOW_IT_ENDED.
reap() {
    local status=0
    wait "${CHILD[$1]}" 2>/dev/null || status=$?
    HOW_IT_ENDED="ended with status $status"
    ((status <= 128)) || HOW_IT_ENDED="died of signal $((status - 128))"
    CHILD[$1]=""
    rm -f "$STATE/$1.pid"
}

show_tail() { tail -n "${2:-15}" "$LOGS/$1.log" | sed "s/^/  $1| /"; }

# ---------------------------------------------------------------- stopping

# First the users, then in reverse order, so that nothing loses what it stands on before it has
# finished.
stop_all() {
    local index
    drain_before_stop
    for ((index = ${#SERVICES[@]} - 1; index >= 0; index--)); do
        stop_child "${SERVICES[index]}"
    done
}

stop_child() {
    local name=$1 pid=${CHILD[$1]:-} deadline
    [[ $pid ]] || return 0
    kill "-${STOP_SIGNAL[$name]}" "$pid" 2>/dev/null || true
    deadline=$((SECONDS + STOP_SECONDS[$1]))
    while is_alive "$name"; do
        if ((SECONDS >= deadline)); then
            say "$name did not stop within ${STOP_SECONDS[$name]} s and was killed"
            kill -KILL "$pid" 2>/dev/null || true
        fi
        sleep 0.03
    done
    reap "$name"
}
