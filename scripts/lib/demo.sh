# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# demo.sh - alice and bob talk through the running copy, with curl and the stock Mosquitto clients.
#
# Rule: nothing here that a reader could not type: the requests and topics are those of
# docs/protocol.md. The two accounts stay, with their passwords in DATA/demo, for the next time.
# Passwords and tokens are on no command line, which everybody on the machine can read.

DEMO_SECONDS=10 # what any single step may take

cmd_demo() {
    is_running || die "not running; start it with ./banter up -d"
    read_addresses
    MQTT_HOST=${MQTT_ADDRESS%:*}
    MQTT_PORT=${MQTT_ADDRESS##*:}
    DEMO_DIR=$(mktemp -d)
    trap demo_clean_up EXIT
    say "1. alice and bob get accounts (POST $HTTP_URL/v1/signup) and tokens"
    demo_user alice
    demo_user bob
    say "2. their devices connect to mqtt://$MQTT_ADDRESS with the token as the password"
    demo_listen alice
    demo_listen bob
    say "3. they talk: each publishes to send/@FRIEND"
    demo_send alice bob "Hello bob, do you read me? 👋"
    demo_send bob alice "Loud and clear, alice."
    demo_send alice bob "It is committed in PostgreSQL before either of us sees it."
    say "4. what each device heard"
    demo_transcript alice
    demo_transcript bob
    demo_hints
}

demo_clean_up() {
    local pid
    for pid in "${DEMO_LISTENERS[@]}"; do
        kill "$pid" 2>/dev/null || true
    done
    rm -rf "$DEMO_DIR"
}

declare -A DEMO_HANDLE=() DEMO_TOKEN=() DEMO_PASSWORD=()
DEMO_LISTENERS=()

# ---------------------------------------------------------------- accounts

# Logs the user in whom an earlier demo made, or signs a new one up: by that name if it is free.
demo_user() {
    local name=$1 handle=$1 password answer="" saved=$DATA/demo/$1
    if [[ -r $saved ]] && read -r handle password <"$saved" &&
        answer=$(demo_post login "$handle" "$password"); then
        say "   $handle logs in"
    else
        handle=$name
        password=$(od -An -N9 -tx1 /dev/urandom | tr -d ' \n')
        if ! answer=$(demo_post signup "$handle" "$password"); then
            handle=$name-${password:0:6} # somebody else is alice here
            answer=$(demo_post signup "$handle" "$password") || die "sign-up failed: $answer"
        fi
        say "   $handle signs up"
        if mkdir -p -m 700 "$DATA/demo" 2>/dev/null && [[ -w $DATA/demo ]]; then
            (umask 077 && echo "$handle $password" >"$saved")
        fi
    fi
    DEMO_HANDLE[$name]=$handle
    DEMO_PASSWORD[$name]=$password
    DEMO_TOKEN[$name]=$(jq -r .access_token <<<"$answer")
    [[ ${DEMO_TOKEN[$name]} != null ]] || die "no access token in: $answer"
    mkdir "$DEMO_DIR/$name.config" # where Mosquitto's clients look for more options
    echo "-P ${DEMO_TOKEN[$name]}" |
        tee "$DEMO_DIR/$name.config"/mosquitto_{pub,sub} >/dev/null
}

# Prints the answer's body; fails unless the status is 2xx.
demo_post() {
    curl -s --noproxy '*' --max-time "$DEMO_SECONDS" --fail-with-body \
        -H 'Content-Type: application/json' -d @- "$HTTP_URL/v1/$1" \
        <<<"{\"handle\":\"$2\",\"password\":\"$3\"}"
}

# ---------------------------------------------------------------- devices

# Replaces the shell that it is called in, so that whoever ends that ends the client.
demo_client() { # demo_client PROGRAM NAME DEVICE ARGS...
    local program=$1 name=$2 device=$3
    shift 3
    XDG_CONFIG_HOME=$DEMO_DIR/$name.config exec "$program" -V 5 -h "$MQTT_HOST" -p "$MQTT_PORT" \
        -u "${DEMO_HANDLE[$name]}" -i "${DEMO_HANDLE[$name]}/$device" "$@"
}

demo_listen() {
    local name=$1 heard=$DEMO_DIR/$1
    : >"$heard"
    demo_client mosquitto_sub "$name" laptop -t 'chat/#' -t 'me/#' -F '%t %p' >"$heard" 2>&1 &
    DEMO_LISTENERS+=($!)
    demo_await "$heard" '^me/ready '
    say "   ${DEMO_HANDLE[$name]}/laptop is ready"
}

demo_send() {
    local from=$1 to=$2 text=$3 id
    id=demo-$(od -An -N6 -tx1 /dev/urandom | tr -d ' \n')
    (demo_client mosquitto_pub "$from" phone -q 1 -t "send/@${DEMO_HANDLE[$to]}" \
        -m "{\"id\":\"$id\",\"text\":\"$text\"}")
    demo_await "$DEMO_DIR/$to" "^chat/.*\"$id\""
    say "   ${DEMO_HANDLE[$from]}: $text"
}

demo_await() {
    local file=$1 pattern=$2 deadline=$((SECONDS + DEMO_SECONDS))
    until grep -q -- "$pattern" "$file"; do
        if ((SECONDS >= deadline)); then
            cat "$file" >&2
            die "did not hear $pattern within $DEMO_SECONDS s"
        fi
        sleep 0.02
    done
}

demo_transcript() {
    say "   mosquitto_sub of ${DEMO_HANDLE[$1]}:"
    sed 's/^/      /' "$DEMO_DIR/$1"
}

demo_hints() {
    local alice=${DEMO_HANDLE[alice]} bob=${DEMO_HANDLE[bob]}
    cat <<END

Try it yourself. In one terminal, bob listens:

  login() { curl -s $HTTP_URL/v1/login -H 'Content-Type: application/json' \\
      -d "{\"handle\":\"\$1\",\"password\":\"\$2\"}" | jq -r .access_token; }
  mosquitto_sub -h $MQTT_HOST -p $MQTT_PORT -i $bob/tablet -u $bob \\
      -P "\$(login $bob ${DEMO_PASSWORD[bob]})" -t 'chat/#' -t 'me/#' -v

In another, with the same login function, alice writes:

  mosquitto_pub -h $MQTT_HOST -p $MQTT_PORT -i $alice/tablet -u $alice \\
      -P "\$(login $alice ${DEMO_PASSWORD[alice]})" \\
      -q 1 -t send/@$bob -m '{"id":"'\$RANDOM\$RANDOM'","text":"Hello again"}'

docs/protocol.md has the rest.
END
}
