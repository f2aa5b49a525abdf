# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# docker.sh - finding a Docker engine for the suite `docker`.
#
# One that runs already and has compose is taken as it is. Otherwise a laboratory is started for the
# time of the suite: a script, not part of the repository, that makes an engine and Debian's base
# images out of Debian packages, where there is neither an engine nor a registry. Rule: without
# either the suite fails and says so; it never skips itself.

DOCKER_BASES=(trixie forky) # the suites of Debian that the images are made from

# Prepares the environment for `docker compose`. What it starts ends with the process.
ensure_docker() {
    ! docker_works || return 0
    local lab=${BANTER_DOCKER_LAB:-} base
    [[ -e $lab ]] ||
        die "the suite docker needs a running Docker engine with compose, or in BANTER_DOCKER_LAB" \
            "the path of a script that starts one (lab_up, lab_base SUITE, lab_down)"
    is_root || die "a Docker engine of the suite's own needs root"
    say "No Docker engine runs here: starting one with $(basename "$lab")"
    LAB_NAT="" # no change to this machine's firewall; builds use its network instead
    set +euo pipefail # it has rules of its own
    # shellcheck source=/dev/null
    . "$lab"
    lab_up || { set -euo pipefail; die "$lab could not start an engine"; }
    for base in "${DOCKER_BASES[@]}"; do
        lab_base "$base" || { set -euo pipefail; die "$lab has no Debian $base"; }
    done
    set -euo pipefail
    export BANTER_BUILD_NETWORK=host BANTER_BUILD_CA=/etc/ssl/certs/ca-certificates.crt
}

docker_works() { docker version >/dev/null 2>&1 && docker compose version >/dev/null 2>&1; }
