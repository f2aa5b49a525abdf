#!/bin/bash
# SPDX-License-Identifier: MIT
# mosquitto21.sh DIR - puts Mosquitto 2.1 into DIR, for tests on a Debian that has 2.0.
#
# The packages come from a newer Debian suite, with the libraries that they need, through a private
# apt state; nothing on the machine changes, and root is not needed. They are too new for this
# Debian's C library, so DIR/mosquitto runs the broker through the loader that came with them.
# DIR/root/usr/include has the headers to build a plugin against. Done once: DIR/ready says so.
set -euo pipefail

SUITE=forky
WANTED=2.1.
PACKAGES=(mosquitto mosquitto-dev libmosquitto-dev libcjson-dev libjansson4) # jansson: the plugin

main() {
    (($# == 1)) || { echo "usage: mosquitto21.sh DIR" >&2; exit 2; }
    mkdir -p "$1"
    cd "$1"
    [[ ! -e ready ]] || return 0
    rm -rf apt deb root
    mkdir -p apt/state/lists/partial apt/cache/archives/partial apt/parts deb root
    echo "Fetching Mosquitto $WANTED* from Debian $SUITE"
    fetch
    unpack
    write_wrapper
    touch ready
}

# The machine's own Debian mirror, whatever it is.
mirror() {
    local codename
    codename=$(. /etc/os-release && echo "$VERSION_CODENAME")
    # shellcheck disable=SC2016 # apt's own placeholder
    apt-get indextargets --format '$(REPO_URI)' "Created-By: Packages" "Codename: $codename" |
        head -n 1
}

fetch() {
    local -a apt=(-qq -o "Dir::Etc::sourcelist=$PWD/apt/sources.list"
        -o "Dir::Etc::sourceparts=$PWD/apt/parts" -o "Dir::State=$PWD/apt/state"
        -o "Dir::Cache=$PWD/apt/cache" -o Dir::State::status=/dev/null
        -o Acquire::Check-Valid-Until=false -o Acquire::Languages=none)
    ((EUID != 0)) || apt+=(-o APT::Sandbox::User=root)
    local keyring=/usr/share/keyrings/debian-archive-keyring.gpg
    echo "deb [signed-by=$keyring] $(mirror) $SUITE main" >apt/sources.list
    apt-get "${apt[@]}" update
    local version
    version=$(apt-cache "${apt[@]}" show --no-all-versions mosquitto | sed -n 's/^Version: //p')
    if [[ $version != "$WANTED"* ]]; then
        echo "Debian $SUITE has Mosquitto ${version:-no more}, not $WANTED*" >&2
        exit 1
    fi
    # Everything that the packages need, as far as it is a library.
    local -a needed
    mapfile -t needed < <(apt-cache "${apt[@]}" depends --recurse --no-recommends --no-suggests \
        --no-conflicts --no-breaks --no-replaces --no-enhances "${PACKAGES[@]}" |
        grep -E '^(lib[^ ]*|zlib1g)$' | grep -v -e '-dev$' | sort -u)
    (cd deb && apt-get "${apt[@]}" download "${PACKAGES[@]}" "${needed[@]}")
}

unpack() {
    local package
    for package in deb/*.deb; do
        dpkg-deb -x "$package" root
    done
    rm -rf apt deb
}

write_wrapper() {
    local loader libraries
    loader=$(find "$PWD/root" -name 'ld-linux-*.so.*' | head -n 1)
    libraries=$(dirname "$(find "$PWD/root" -name 'libc.so.6' | head -n 1)")
    PATH=$PATH:/usr/sbin ldconfig -n "$libraries" # links that packages leave to it
    cat >mosquitto <<END
#!/bin/sh
exec $loader --library-path $libraries $PWD/root/usr/sbin/mosquitto "\$@"
END
    chmod 755 mosquitto
}

main "$@"
