#!/bin/bash
# SPDX-License-Identifier: MIT
# answers.sh - whether the broker's loop and the plugin answer: the broker's health check.
#
# A CONNECT without user name, which the broker asks the plugin about, and which is refused. Any
# answer will do: who says no is well.
set -euo pipefail
[[ ${1:-} == asked ]] || exec timeout 4 "$0" asked
exec 3<>/dev/tcp/127.0.0.1/1883
printf '\x10\x18\x00\x04MQTT\x04\x02\x00\x0a\x00\x0cbanter-probe' >&3
LC_ALL=C IFS= read -r -n 1 -u 3 answer
[[ $answer == ' ' ]] # 0x20 begins a CONNACK
