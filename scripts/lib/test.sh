# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# test.sh - the test suites.
cmd_test() { die "not yet"; }
