/* SPDX-License-Identifier: MIT */
/* replica.h - a PostgreSQL that repeats the log of the one that is written to: whether it is of use
 * now, and how far behind it is.
 *
 * Rule: what it says may be old, or from before somebody lost a right or a text was erased. Who
 * asks it compares its answer with what the primary says, and asks the primary if it is behind. */
#ifndef BANTER_BRIDGE_REPLICA_H
#define BANTER_BRIDGE_REPLICA_H

#include "base/compiler.h"
#include "db/db.h"

#include <stdbool.h>
#include <stdint.h>

struct event_base;
struct replica;

struct replica_config {
    struct db_pool *pool;    /* connections to the replica, and */
    struct db_pool *primary; /* to what it follows; both borrowed */
    unsigned lag_max_ms;     /* further behind it is not asked */
};

/* What became of a page of history that might be read from it. */
enum replica_outcome {
    REPLICA_ANSWERED,
    REPLICA_BEHIND, /* it has not come so far; the primary was asked */
    REPLICA_AWAY,   /* not of use now, likewise */
    REPLICA_FAILED, /* no answer or an error, likewise */
    REPLICA_OUTCOMES,
};

extern const char *const replica_outcome_names[REPLICA_OUTCOMES];

struct replica_stats {
    bool usable;
    uint64_t lag_ms; /* for how long at least it has lacked something; 0 if never looked at */
    uint64_t pages[REPLICA_OUTCOMES];
};

struct replica *replica_create(struct event_base *base,
                               const struct replica_config *config) MUST_USE;
/* After both pools, which may still owe it answers. */
void replica_destroy(struct replica *r);

bool replica_is_usable(const struct replica *r);
/* As db_pool_query(). False, too: the replica is not of use now. */
bool replica_query(struct replica *r, const struct db_statement *statement,
                   struct db_params *params, db_reply_fn *reply, void *owner) MUST_USE;
void replica_count(struct replica *r, enum replica_outcome outcome);
/* A query failed, which this counts. Unless the replica only had to go on with the log, it is left
 * alone for some seconds, so that not everybody waits for it in turn. */
void replica_note_failure(struct replica *r, const struct db_reply *reply);

void replica_get_stats(const struct replica *r, struct replica_stats *out);

#endif
