/* SPDX-License-Identifier: MIT */
/* fault_commit.h - transactions that are answered before they are committed: what the rules
 * early_receipt and early_entry break (base/fault_point.h). In other builds there is nothing. */
#ifndef BANTER_BRIDGE_DB_FAULT_COMMIT_H
#define BANTER_BRIDGE_DB_FAULT_COMMIT_H

#include <stdbool.h>

#ifdef BANTER_FAULT_POINTS

struct db_conn;

/* Before the transaction's first query: db_conn_sync() is not to commit it. */
bool fault_begins(struct db_conn *c);
/* After db_conn_sync(): commits, some time after that was answered. */
bool fault_commits(struct db_conn *c);

#else

#define fault_begins(c) true
#define fault_commits(c) true

#endif

#endif
