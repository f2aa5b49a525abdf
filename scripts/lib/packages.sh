# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# packages.sh - the Debian packages that Banter needs, and installing what is missing.
#
# Rule: these lists are the only place that names packages for this machine (docker/ names those of
# images); "a|b" means either, a if neither is there. Nothing is installed, and no root is needed,
# when all of them are there.

PACKAGES_UP=(
    # to build
    gcc libc6-dev cmake ninja-build pkg-config
    "libcurl4-openssl-dev|libcurl4-gnutls-dev" libevent-dev libjansson-dev libmosquitto-dev
    libpq-dev libsodium-dev libssl-dev libutf8proc-dev libwslay-dev mosquitto-dev
    python3 python3-yaml # openapi.yaml is built in as JSON
    # to run
    curl jq mosquitto mosquitto-clients postgresql procps util-linux
)
PACKAGES_TEST=(
    clang clang-format git libcmocka-dev libclang-rt-14-dev libncurses-dev libpaho-mqtt-dev
    libsqlite3-dev man-db openssl python3-cryptography python3-jsonschema python3-paho-mqtt
    python3-pytest python3-pytest-xdist redis-server shellcheck tmux valgrind
)
PACKAGES_CHAOS=(e2fsprogs iproute2 iptables libfaketime mount)
PACKAGES_ZOOKEEPER=(libzookeeper-mt-dev zookeeper default-jre-headless)
PACKAGES_E2E=(chromium fonts-inter fonts-noto-color-emoji)

is_installed() {
    local package status
    for package in ${1//|/ }; do
        status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) || continue
        [[ $status != installed ]] || return 0
    done
    return 1
}

# Installs those of the named packages that are missing.
ensure_packages() {
    command -v apt-get >/dev/null || die "this is not Debian: install the packages yourself: $*"
    local package
    local -a missing=()
    for package; do
        is_installed "$package" || missing+=("${package%%|*}")
    done
    ((${#missing[@]})) || return 0
    say "Installing ${missing[*]}"
    install_packages "${missing[@]}"
}

# In a subshell: whatever ends it, the policy is taken back.
install_packages() (
    as_root=()
    if ! is_root; then
        command -v sudo >/dev/null ||
            die "root is needed to install $*; run: apt-get install $*"
        as_root=(sudo)
    fi
    # Debian starts a freshly installed mosquitto and postgresql at once; ours are private copies,
    # so a policy keeps the system's from starting (and from taking port 1883) meanwhile.
    policy=/usr/sbin/policy-rc.d
    if [[ ! -e $policy ]]; then
        trap '"${as_root[@]}" rm -f "$policy"' EXIT
        printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$policy" >/dev/null
        "${as_root[@]}" chmod 755 "$policy"
    fi
    apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q
        -o DPkg::Lock::Timeout=300 -o APT::Get::Assume-Yes=true)
    mkdir -p "$REPO/build"
    log=$REPO/build/apt.log
    if ! { "${apt[@]}" update && "${apt[@]}" install --no-install-recommends "$@"; } \
        >"$log" 2>&1; then
        tail -n 20 "$log" >&2
        die "apt-get could not install $*; all of its output is in $log"
    fi
    # Nor shall the system's broker take our port at the next boot; who wants it enables it.
    if [[ " $* " == *" mosquitto "* && -d /run/systemd/system ]]; then
        "${as_root[@]}" systemctl disable --quiet mosquitto || true
    fi
)

# Node comes from Debian or from elsewhere: only the commands count.
ensure_node() {
    if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
        ensure_packages nodejs npm
    fi
}
