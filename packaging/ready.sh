#!/bin/bash
# SPDX-License-Identifier: MIT
# ready.sh [HOST:PORT [PATH]] - asks the bridge whether this node is ready; if not, says why and
# fails.
#
# The answer comes from the port of the metrics: BANTER_METRICS_AT, unless one is named. No program
# but bash is needed, so it serves as the health check of an image that has no client of HTTP.
set -euo pipefail

at=${1:-${BANTER_METRICS_AT:-127.0.0.1:9464}}
path=${2:-/readyz}
[[ ${3:-} == asked ]] || exec timeout 4 "$0" "$at" "$path" asked

exec 3<>"/dev/tcp/${at%:*}/${at##*:}"
printf 'GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n' "$path" "$at" >&3
read -r status <&3
[[ $status != *" 200 "* ]] || exit 0
while IFS= read -r line <&3 && [[ $line != $'\r' ]]; do
    : # the head
done
cat <&3
exit 1
