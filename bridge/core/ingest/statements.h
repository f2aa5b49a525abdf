/* SPDX-License-Identifier: MIT */
/* statements.h - what the writer says to PostgreSQL.
 *
 * Append runs after the lock, with a snapshot of its own: what it reads of rights, heads, messages
 * and earlier drafts cannot change before the commit. Swift reads them without a lock, and fails if
 * they have changed when it comes to writing. Known reads nothing, and fails if what it is told of
 * heads and rights is not so. */
#ifndef BANTER_BRIDGE_INGEST_STATEMENTS_H
#define BANTER_BRIDGE_INGEST_STATEMENTS_H

#include "db/db.h"

/* Runs after each connect of the writer: pins the plans of the statements to index look-ups, which
 * are right for a batch on tables of every size, and begins the chain at 0. */
extern const char batch_setup_sql[];

extern const struct db_statement batch_follow_statement;
/* For this transaction. The writer waits for everybody while it waits for a lock. */
extern const struct db_statement batch_hasty_statement;
extern const struct db_statement batch_ensure_statement;
extern const struct db_statement batch_lock_statement;
/* These answer with a row for each draft: its place in the batch from 1 on, a verdict, seq, time,
 * the sender's role; swift also with the trace of the conversation's rights, or NULL for a channel.
 * The second of each pair tells the outbox of push, too. */
extern const struct db_statement batch_append_statements[2];
extern const struct db_statement batch_swift_statements[2];
/* Answers with one row: true, and the time of all. */
extern const struct db_statement batch_known_statements[2];
extern const struct db_statement batch_fold_statement;

#endif
