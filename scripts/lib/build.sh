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

# Builds the web client into clients/web/dist when its sources have changed. Without npm, or without
# the packages that it fetches, everything else works: the bridge then serves no page.
ensure_web() {
    local web=$REPO/clients/web log=$REPO/build/web.log wanted
    [[ ! ${BANTER_BUILD_DIR:-} ]] || return 0
    wanted=$(web_sources | sha256sum)
    if [[ -e $web/dist/index.html && $wanted == "$(cat "$web/dist/.built")" ]]; then
        return 0
    fi
    say "Building the web client"
    mkdir -p "$REPO/build"
    if (ensure_node && build_web "$web") >"$log" 2>&1; then
        echo "$wanted" >"$web/dist/.built"
    else
        tail -n 5 "$log" >&2
        say "The web client could not be built, so there will be no page; see $log"
        rm -rf "$web/dist"
    fi
}

# In another place first: whoever starts a copy meanwhile finds the old one, or the new one, whole.
build_web() {
    cd "$1" &&
        install_modules &&
        rm -rf dist.new &&
        npm run --silent build -- --outDir dist.new &&
        rm -rf dist &&
        mv dist.new dist
}

# npm ci, as package-lock.json says, in the working directory, and only when that has changed.
install_modules() {
    cmp -s package-lock.json node_modules/.installed || {
        npm ci --no-audit --no-fund --ignore-scripts &&
            cp package-lock.json node_modules/.installed
    }
}

web_sources() {
    cd "$REPO/clients/web"
    find index.html package-lock.json vite.config.ts public scripts src -type f -print0 |
        LC_ALL=C sort -z | xargs -0 sha256sum
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
