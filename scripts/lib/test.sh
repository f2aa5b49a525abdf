# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# test.sh - `./banter test`: installs what the tests need, runs the suites, counts.
#
# Rule: a suite that ran no test has failed, and so has one whose exit status is not 0, whatever it
# printed. Nothing is skipped because something is missing: it is installed instead.

# name, seconds that it may take, function, what it is
SUITES=(
    "lint              120  suite_lint              layers, style, formatting, the scripts"
    "contracts         300  suite_contracts         AsyncAPI and OpenAPI documents are valid"
    "unit              600  suite_unit              unit tests"
    "unit-asan         900  suite_unit_asan         the same under address and UB sanitizers"
    "unit-tsan         900  suite_unit_tsan         the same under the thread sanitizer"
    "fuzz              900  suite_fuzz              each parser's fuzz target for some seconds"
    "integration      1200  suite_integration       a whole system, driven by stock clients"
    "cluster           300  suite_cluster           several nodes, and Redis that fails"
    "mosquitto21      1500  suite_mosquitto21       the same on Mosquitto 2.1 and with sanitizers"
    "hostile           600  suite_hostile           a thousand attacks, with sanitizers"
    "web               600  suite_web               the web client's library, also against a server"
    "e2e               600  suite_e2e               the web client in a browser: Chromium"
    "push              600  suite_push              who is told, and stand-ins of the services"
    "bench-smoke       300  suite_bench_smoke       the load generator, shortly"
    "chaos             600  suite_chaos             faults while devices talk, and their checker"
)
# Run only when they are named: they need what not every machine has.
SUITES_ON_DEMAND=(
    "zookeeper         600  suite_zookeeper         the registry in ZooKeeper, which needs Java"
    "docker           2400  suite_docker            images and compose files; also: test --docker"
)
FUZZ_SECONDS=${BANTER_FUZZ_SECONDS:-3} # for each target

cmd_test() {
    local only="" row name limit function help
    while (($#)); do
        case $1 in
        --only) only=$(value_of "$@"); shift ;;
        --only=*) only=${1#*=} ;;
        --docker) only=docker ;;
        --list)
            for row in "${SUITES[@]}" "${SUITES_ON_DEMAND[@]}"; do
                read -r name _ _ help <<<"$row"
                printf '%-18s %s\n' "$name" "$help"
            done
            return
            ;;
        *) die "test does not know '$1'; see ./banter help" ;;
        esac
        shift
    done
    # The tests start copies of their own; the caller's settings are not theirs.
    unset BANTER_DATA BANTER_PORT_BASE BANTER_LISTEN BANTER_BUILD_DIR BANTER_MOSQUITTO BANTER_PLUGIN
    mkdir -p "$REPO/build/test"
    ensure_packages "${PACKAGES_UP[@]}" "${PACKAGES_TEST[@]}"
    local passed=0 failed=0 known="" failures=()
    local -a rows=("${SUITES[@]}")
    [[ ! $only ]] || rows+=("${SUITES_ON_DEMAND[@]}")
    for row in "${rows[@]}"; do
        read -r name limit function _ <<<"$row"
        [[ ! $only || $name == "$only" ]] || continue
        known=1
        run_suite "$name" "$limit" "$function"
    done
    [[ $known ]] || die "there is no suite '$only'; see ./banter test --list"
    say
    ((${#failures[@]} == 0)) || say "Failed: ${failures[*]}; their output is in build/test/"
    say "$passed passed, $failed failed"
    ((failed == 0))
}

# Runs one suite in a process of its own and adds what it counted to `passed` and `failed`.
run_suite() {
    local name=$1 limit=$2 function=$3 log=$REPO/build/test/$1.log
    local status=0 began=$SECONDS good bad suite viewer interrupted=""
    say "=== $name"
    : >"$log"
    # timeout(1) gives it a process group, and passes signals on to all of that.
    timeout --kill-after=60 "$limit" "$REPO/banter" run-suite "$function" \
        </dev/null >"$log" 2>&1 &
    suite=$!
    tail -n +1 -s 0.2 -f --pid="$suite" "$log" &
    viewer=$!
    trap 'interrupted=1; kill "$suite" 2>/dev/null || true' INT TERM
    wait "$suite" || status=$?
    if [[ $interrupted ]]; then
        wait "$suite" || true # the suite stops what it has started
        die "interrupted"
    fi
    trap - INT TERM
    wait "$viewer" || true
    read -r good bad < <(count_results <"$log")
    ((status != 124)) || say "$name took longer than $limit s"
    if ((status != 0 && bad == 0)); then
        bad=1
    elif ((status == 0 && good == 0)); then
        say "$name ran no test"
        bad=1
    fi
    ((bad == 0)) || failures+=("$name")
    passed=$((passed + good))
    failed=$((failed + bad))
    say "=== $name: $good passed, $bad failed in $((SECONDS - began)) s"
}

# Adds up the closing lines of pytest and lint ("3 passed, 1 failed"), ctest and node's runner. What
# was skipped was not tested: it counts as failed.
count_results() {
    awk '
        /tests passed, .* tests failed out of/ {
            match($0, /[0-9]+ tests failed/); f = substr($0, RSTART) + 0
            match($0, /out of [0-9]+/); bad += f; good += substr($0, RSTART + 7) - f; next
        }
        /^(# |ℹ )pass [0-9]+$/ { good += $3; next }
        /^(# |ℹ )fail [0-9]+$/ { bad += $3; next }
        /^(=+ )?[0-9]+ (passed|failed|errors?|skipped)[, ]/ || /^[0-9]+ passed, [0-9]+ failed$/ {
            if (match($0, /[0-9]+ passed/)) good += substr($0, RSTART) + 0
            if (match($0, /[0-9]+ failed/)) bad += substr($0, RSTART) + 0
            if (match($0, /[0-9]+ error/)) bad += substr($0, RSTART) + 0
            if (match($0, /[0-9]+ skipped/)) bad += substr($0, RSTART) + 0
        }
        END { print good + 0, bad + 0 }'
}

cmd_run_suite() { "$1"; }

# ---------------------------------------------------------------- the suites

suite_lint() { /usr/bin/python3 "$REPO/tests/lint/lint.py"; }

suite_contracts() {
    ensure_node_modules
    (cd "$REPO/tests/node" && node --test)
}

suite_unit() { run_ctest release; }
suite_unit_asan() { run_ctest asan; }
# Those with failing memory have one thread, and do everything hundreds of times.
suite_unit_tsan() { run_ctest tsan --exclude-regex '_memory$|_exhaustion$'; }

suite_integration() {
    build_preset release
    ensure_node_modules
    BANTER_BUILD_DIR=$REPO/build/release run_pytest -n 5 \
        -m "not bench and not push and not cluster and not zookeeper"
}

suite_cluster() {
    build_preset release
    BANTER_BUILD_DIR=$REPO/build/release run_pytest -n 3 --dist loadfile -m cluster \
        "$REPO"/tests/integration/test_cluster*.py # to collect all of them takes seconds
}

# The other broker, and plugin and bridge with the address and UB sanitizers: in one suite, because
# what differs between the brokers and what sanitizers find have nothing to do with each other.
suite_mosquitto21() {
    local broker
    settle_owner
    broker=$(reachable_dir mosquitto-2.1)
    "$REPO/scripts/mosquitto21.sh" "$broker"
    build_preset asan
    build_with_mosquitto21 "$broker" asan mosquitto21
    ensure_node_modules
    BANTER_BUILD_DIR=$REPO/build/asan BANTER_MOSQUITTO=$broker/mosquitto \
        BANTER_PLUGIN=$REPO/build/mosquitto21/broker-plugin/banter_plugin.so \
        run_pytest -n 4 -m "not slow and not once and not bench and not push and not cluster \
            and not zookeeper"
}

# On the installed broker, which forgives more than 2.1 does.
suite_hostile() {
    build_preset asan banter-bridge banter_plugin
    (cd "$REPO/tests/hostile" && PYTHONDONTWRITEBYTECODE=1 BANTER_BUILD_DIR=$REPO/build/asan \
        /usr/bin/python3 -m pytest -q -p no:cacheprovider --durations=10 .)
}

# Two targets at a time.
suite_fuzz() {
    configure_preset fuzz # there may be new targets
    build_preset fuzz fuzz_targets
    local target running=0 passed=0 failed=0
    for target in "$REPO"/build/fuzz/tests/fuzz/fuzz_*; do
        [[ -x $target && -f $target ]] || continue
        ((running < 2)) || count_finished
        run_fuzz_target "$target" &
        running=$((running + 1))
    done
    while ((running > 0)); do
        count_finished
    done
    say "$passed passed, $failed failed"
    ((failed == 0))
}

# Waits for one of those that run, and counts it; the variables are the caller's.
count_finished() {
    if wait -n; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
    fi
    running=$((running - 1))
}

suite_web() {
    build_preset release
    ensure_node_modules clients/web
    (cd "$REPO/clients/web" && npm run --silent typecheck && npm test --silent &&
        BANTER_BUILD_DIR=$REPO/build/release npm run --silent test:integration)
}

suite_e2e() { run_in_browser test; }

# What the services are sent, what users are told, and what a browser shows of it.

suite_push() {
    build_preset release
    ensure_node_modules tests/push
    (cd "$REPO/tests/push" && BANTER_BUILD_DIR=$REPO/build/release node --test)
    BANTER_BUILD_DIR=$REPO/build/release run_pytest -n 4 -m push
    run_in_browser test:push
}

# The same faults as ever, others than ever, and whether broken rules are found.
suite_chaos() {
    ensure_packages "${PACKAGES_CHAOS[@]}"
    build_preset chaos chaos_targets
    (cd "$REPO/build/chaos" && ctest --output-on-failure --no-tests=error -R unit/fault_)
    ensure_node_modules
    local seed passed=0 failed=0
    for seed in 1 "$((RANDOM * 32768 + RANDOM))"; do
        if BANTER_BUILD_DIR=$REPO/build/chaos /usr/bin/python3 "$REPO/tests/chaos/run.py" --ci \
            --seconds 30 --seed "$seed"; then
            passed=$((passed + 1))
        else
            failed=$((failed + 1))
        fi
    done
    say "$passed passed, $failed failed"
    (cd "$REPO/tests/chaos" && PYTHONDONTWRITEBYTECODE=1 BANTER_BUILD_DIR=$REPO/build/chaos \
        /usr/bin/python3 -m pytest -q -p no:cacheprovider -n 3 .) && ((failed == 0))
}

# What is told of results; the instructions of the hot paths; and a copy of its own, a second of
# load: a table, a JSON line, and not one error.
suite_bench_smoke() {
    build_preset release
    (cd "$REPO/tests/bench" && PYTHONDONTWRITEBYTECODE=1 BANTER_BUILD_DIR=$REPO/build/release \
        /usr/bin/python3 -m pytest -q -p no:cacheprovider .)
    BANTER_BUILD_DIR=$REPO/build/release run_pytest -n 2 -m bench \
        "$REPO/tests/integration/test_bench.py"
}

suite_zookeeper() {
    ensure_packages "${PACKAGES_ZOOKEEPER[@]}"
    configure_preset release # the client library may not have been there before
    build_preset release
    BANTER_BUILD_DIR=$REPO/build/release run_pytest -m zookeeper \
        "$REPO"/tests/integration/test_zookeeper.py
}

suite_docker() {
    ensure_docker
    (cd "$REPO/tests/docker" && PYTHONDONTWRITEBYTECODE=1 \
        /usr/bin/python3 -m pytest -q -p no:cacheprovider --durations=10)
}

# ---------------------------------------------------------------- their parts

# PRESET [OPTION...]
run_ctest() {
    build_preset "$1"
    (cd "$REPO/build/$1" && ctest --output-on-failure --no-tests=error -j 4 "${@:2}")
}

run_pytest() {
    (cd "$REPO/tests/integration" && PYTHONDONTWRITEBYTECODE=1 \
        /usr/bin/python3 -m pytest -q -p no:cacheprovider --durations=10 "$@")
}

# Runs a script of tests/e2e.
run_in_browser() {
    ensure_packages "${PACKAGES_E2E[@]}"
    build_preset release
    ensure_web
    [[ -e $REPO/clients/web/dist/index.html ]] || die "the web client could not be built"
    ensure_node_modules tests/e2e
    (cd "$REPO/tests/e2e" && BANTER_BUILD_DIR=$REPO/build/release npm run --silent "$1")
}

# First what is in the repository, which must pass whatever the time is; then something new.
run_fuzz_target() {
    local name seeds corpus log
    name=$(basename "$1")
    seeds=$REPO/tests/fuzz/corpus/${name#fuzz_}
    corpus=$REPO/build/fuzz/corpus/$name # grows from run to run
    log=$REPO/build/test/$name.log
    mkdir -p "$corpus"
    if {
        "$1" -runs=0 "$seeds" &&
            "$1" -max_total_time="$FUZZ_SECONDS" -timeout=10 -artifact_prefix="$corpus-" \
                "$corpus" "$seeds"
    } >"$log" 2>&1; then
        say "$name: $(grep -o 'Done [0-9]* runs' "$log" | tail -n 1)"
    else
        tail -n 40 "$log"
        return 1
    fi
}

# build_with_mosquitto21 BROKER PRESET NAME: the plugin against its headers, in build/NAME.
build_with_mosquitto21() {
    local log=$REPO/build/$3.log
    (cd "$REPO" && cmake --preset "$2" -B "build/$3" \
        "-DMOSQUITTO_INCLUDE_DIR=$1/root/usr/include" &&
        cmake --build "build/$3" --target banter_plugin) >"$log" 2>&1 || build_failed "$log"
}

# Those of a folder, as its package-lock.json says, and only when that has changed.
ensure_node_modules() {
    ensure_node
    cd "$REPO/${1:-tests/node}"
    if ! cmp -s package-lock.json node_modules/.installed; then
        npm ci --no-audit --no-fund --ignore-scripts
        cp package-lock.json node_modules/.installed
    fi
    cd "$REPO"
}

# A directory below build/ or, if the processes' user cannot reach that, elsewhere.
reachable_dir() {
    if can_reach "$REPO"; then
        echo "$REPO/build/$1"
    else
        echo "$(outside_of_repo)/$1"
    fi
}
