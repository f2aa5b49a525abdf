# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# bench.sh - runs banter-bench against the running copy.
cmd_bench() { die "not yet"; }
