#!/bin/sh
# SPDX-License-Identifier: MIT
# make-link-key.sh FILE - makes the secret that plugin and bridge show each other, if it is missing.
# The group may read it: bridge and broker run as two users of one group.
set -eu
[ ! -s "$1" ] || exit 0
mkdir -p "$(dirname "$1")"
(umask 027 && od -An -v -N32 -tx1 /dev/urandom | tr -d ' \n' >"$1.new")
mv "$1.new" "$1"
