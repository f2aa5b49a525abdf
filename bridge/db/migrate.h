/* SPDX-License-Identifier: MIT */
/* migrate.h - applies schema/sql/NNNN_name.sql in order, once each, forward only, and gives the
 * bridge's role its rights. Blocking: runs before the loop. */
#ifndef BANTER_BRIDGE_MIGRATE_H
#define BANTER_BRIDGE_MIGRATE_H

#include "base/compiler.h"

#include <stdbool.h>

struct migrate_config {
    const char *database;  /* how the bridge connects */
    const char *owner;     /* how the schema's owner does, who migrates; empty: as the bridge */
    const char *directory; /* of the files */
    unsigned wait_ms;      /* for the server */
};

/* Connects as the owner (waiting for the server), takes an advisory lock, creates banter.migrations
 * if need be, verifies the SHA-256 of every applied file and applies the missing ones, one
 * transaction each. If the bridge connects as another role than the owner, rights.sql then gives
 * that role exactly what it needs. False, after logging why: no server, a changed file, a file
 * missing that was applied, or an SQL error. */
bool migrate(const struct migrate_config *config) MUST_USE;

#endif
