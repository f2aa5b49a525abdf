/* SPDX-License-Identifier: MIT */
/* migrate.h - applies schema/sql/NNNN_name.sql in order, once each, forward only. Blocking: runs
 * before the loop. */
#ifndef BANTER_BRIDGE_MIGRATE_H
#define BANTER_BRIDGE_MIGRATE_H

#include "base/compiler.h"

#include <stdbool.h>

/* Connects to `dsn` (waiting up to `wait_ms` for the server), takes an advisory lock, creates
 * banter.migrations if need be, verifies the SHA-256 of every applied file and applies the missing
 * ones, one transaction each. False, after logging why: no server, a changed file, a file missing
 * that was applied, or an SQL error. */
bool migrate(const char *dsn, const char *directory, unsigned wait_ms) MUST_USE;

#endif
