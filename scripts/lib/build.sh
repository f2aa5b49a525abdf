# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# build.sh - building with CMake presets. Rule: what is up to date costs a second, not a minute.

# build_preset PRESET [TARGET...]: builds the targets, or everything there is. In the latter case it
# configures anew, because more may be there than the last time.
build_preset() {
    local preset=$1 log=$REPO/build/$1.log
    shift
    if (($# == 0)) || [[ ! -e $REPO/build/$preset/build.ninja ]]; then
        configure_preset "$preset"
    fi
    local -a targets=()
    (($# == 0)) || targets=(--target "$@")
    (cd "$REPO" && cmake --build "build/$preset" "${targets[@]}") >"$log" 2>&1 ||
        build_failed "$log"
}

configure_preset() {
    local log=$REPO/build/$1.log
    mkdir -p "$REPO/build"
    (cd "$REPO" && cmake --preset "$1") >"$log" 2>&1 || build_failed "$log"
}

build_failed() {
    tail -n 40 "$1" >&2
    die "the build failed; all of its output is in $1"
}

# Sets BUILD to the directory with the binaries, after making sure that they are there.
ensure_build() {
    if [[ ${BANTER_BUILD_DIR:-} ]]; then
        BUILD=$(realpath -m -- "$BANTER_BUILD_DIR")
        [[ -e $BUILD/bridge/banter-bridge && -e $BUILD/broker-plugin/banter_plugin.so ]] ||
            die "BANTER_BUILD_DIR=$BUILD has no bridge/banter-bridge or" \
                "broker-plugin/banter_plugin.so"
        return
    fi
    BUILD=$REPO/build/release
    [[ -e $BUILD/bridge/banter-bridge ]] || say "Building (a minute, the first time)"
    build_preset release banter-bridge banter_plugin banter-bench
}
