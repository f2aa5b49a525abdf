# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# demo.sh - alice and bob talk through the running copy, with curl and the stock Mosquitto clients.
cmd_demo() { die "not yet"; }
