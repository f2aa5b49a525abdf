# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# hang.sh - finds a bridge or broker that lives but does not answer, and kills it, so that the
# supervisor starts it anew.
#
# Each is asked every few seconds: the bridge for /livez, the broker with a CONNECT that it refuses.
# What has not answered for BANTER_HANG_SECONDS (30; 0: nobody is asked) hangs, if it has
# used next to no processor time meanwhile: it is stopped, or waits for ever. Who computes is busy,
# and is given ten times as long. Rule: time is counted in questions that were asked in vain, so a
# supervisor that was itself stopped, or a suspended machine, condemns nobody; and nobody is
# condemned who has never answered, because that one is still starting.

HANG_SECONDS=${BANTER_HANG_SECONDS:-30}
HANG_QUESTIONS=6    # in vain, one after the other, make HANG_SECONDS
BUSY_PERCENT=2      # of a processor; who uses less since the last answer does nothing
BUSY_PATIENCE=10    # times HANG_SECONDS for who uses more
CURL_NO_CONNECTION=7 CURL_TIMED_OUT=28

declare -A ASKED=()        # name -> process that asks, empty while none does
declare -A ASK_DUE=()      # name -> not to be asked before, ms
declare -A ANSWERED_BY=()  # name -> process that answered last
declare -A CPU_THEN=()     # name -> its processor time at that answer, in ticks
declare -A IN_VAIN=()      # name -> questions in vain since

look_for_hangs() {
    ((HANG_SECONDS > 0)) || return 0
    local name
    for name in bridge broker; do
        if [[ ${ASKED[$name]:-} ]]; then
            kill -0 "${ASKED[$name]}" 2>/dev/null || take_answer "$name"
        elif [[ ${CHILD[$name]:-} ]] && (($(now_ms) >= ${ASK_DUE[$name]:-0})); then
            ask "$name"
        fi
    done
}

ask() {
    local interval=$((HANG_SECONDS * 1000 / HANG_QUESTIONS))
    ASK_DUE[$1]=$(($(now_ms) + interval))
    "ask_$1" "$((interval / 2000 + 1))" </dev/null >/dev/null 2>&1 7>&- 9>&- &
    ASKED[$1]=$!
}

# ask_NAME SECONDS: succeeds when the process answers within twice so many. First by the way that
# clients take, which leaves no trace in logs; where the network is cut, over a Unix socket.
ask_bridge() {
    http_answers "$1" "http://$(local_address):$HTTP_PORT/livez" ||
        http_answers "$1" --unix-socket "$RUN/http.sock" http://bridge/livez
}

http_answers() { curl -s --noproxy '*' --max-time "$1" -o /dev/null "${@:2}"; }

# A CONNECT without user name, for which 2.0 and 2.1 ask the plugin. Any byte, or the end of the
# connection, is an answer; the broker ends it on something that is no MQTT, too.
ask_broker() {
    local status=0
    # shellcheck disable=SC2016
    timeout "$1" bash -c 'exec 3<>"/dev/tcp/$0/$1" || exit 2
        printf "\x10\x18\x00\x04MQTT\x04\x02\x00\x0a\x00\x0cbanter-probe" >&3
        read -r -n 1 -u 3 || (($? == 1))' "$(local_address)" "$MQTT_PORT" && return
    http_answers "$1" --unix-socket "$RUN/broker.sock" http://broker/ || status=$?
    ((status != CURL_NO_CONNECTION && status != CURL_TIMED_OUT))
}

# It lives and serves; from now on it can be found to hang.
note_answer() {
    ANSWERED_BY[$1]=${CHILD[$1]}
    CPU_THEN[$1]=$(cpu_ticks "${CHILD[$1]}")
    IN_VAIN[$1]=0
}

take_answer() {
    local name=$1 pid=${CHILD[$1]:-} answered=1
    wait "${ASKED[$name]}" 2>/dev/null || answered=""
    ASKED[$name]=""
    [[ $pid ]] || return 0
    if [[ $answered ]]; then
        note_answer "$name"
    elif [[ ${ANSWERED_BY[$name]:-} == "$pid" ]]; then
        IN_VAIN[$name]=$((IN_VAIN[$name] + 1))
        judge "$name" "$pid"
    fi
}

judge() {
    local name=$1 pid=$2 used allowed questions=$HANG_QUESTIONS
    ((IN_VAIN[$name] >= questions)) || return 0
    used=$(($(cpu_ticks "$pid") - CPU_THEN[$name]))
    allowed=$((HANG_SECONDS * $(getconf CLK_TCK) * BUSY_PERCENT / 100))
    if ((used > allowed)); then
        questions=$((HANG_QUESTIONS * BUSY_PATIENCE))
        ((IN_VAIN[$name] >= questions)) || return 0
    fi
    say "$name (process $pid) has not answered $questions questions in" \
        "$((HANG_SECONDS * questions / HANG_QUESTIONS)) s, and used $used ticks of processor" \
        "time: it hangs and is killed"
    kill -KILL "$pid" 2>/dev/null || true
    IN_VAIN[$name]=0
}

# User and system time of a process; 0 if it has gone. The name before them may hold blanks.
cpu_ticks() {
    local line
    local -a fields
    { read -r line <"/proc/$1/stat"; } 2>/dev/null || { echo 0; return; }
    read -r -a fields <<<"${line##*) }"
    echo $((fields[11] + fields[12]))
}
