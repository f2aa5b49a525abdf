/* SPDX-License-Identifier: MIT */
/* quarantine.h - drafts that passed every check and that PostgreSQL refuses all the same. They are
 * kept for whoever looks for the bug, and stop nobody. */
#ifndef BANTER_BRIDGE_INGEST_QUARANTINE_H
#define BANTER_BRIDGE_INGEST_QUARANTINE_H

#include "core/ingest/submission.h"
#include "db/db.h"

/* Has PostgreSQL keep the draft, outside of every batch, and gives it its verdict, with which it
 * travels on: so its receipt keeps its place. What cannot be kept is logged. */
void quarantine(struct submission *s, const char *sqlstate, struct db_conn *c);

#endif
