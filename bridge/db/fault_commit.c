/* SPDX-License-Identifier: MIT */
/* fault_commit.c - see fault_commit.h. Only in test builds. Within a BEGIN, a sync ends nothing. */
#include "db/fault_commit.h"

#include "base/fault_point.h"
#include "db/db.h"

static const struct db_statement begin = {.name = "fault_begin", .sql = "BEGIN"};
static const struct db_statement dawdle = {.name = "fault_dawdle", .sql = "SELECT pg_sleep(0.05)"};
static const struct db_statement commit = {.name = "fault_commit", .sql = "COMMIT"};

static bool is_broken(void)
{
    return fault_breaks(early_receipt) || fault_breaks(early_entry);
}

static void ignore(void *owner, const struct db_reply *reply)
{
    (void)owner;
    (void)reply;
}

bool fault_begins(struct db_conn *c)
{
    return !is_broken() || db_conn_query(c, &begin, NULL, NULL, NULL);
}

bool fault_commits(struct db_conn *c)
{
    return !is_broken() ||
           (db_conn_query(c, &dawdle, NULL, NULL, NULL) &&
            db_conn_query(c, &commit, NULL, NULL, NULL) && db_conn_sync(c, ignore, NULL));
}
