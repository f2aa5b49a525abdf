/* SPDX-License-Identifier: MIT */
/* lease.h - this node's lease in PostgreSQL, and what else passes through it: one statement, a
 * *turn*, over a connection of its own, so that nothing holds it up (schema/sql/0018_nodes.sql).
 *
 * Rule: without a lease the others no longer wait for this node, so it may not hand out anything.
 * By this node's clock a lease ends earlier than by PostgreSQL's: it counts from when the turn was
 * sent. */
#ifndef BANTER_BRIDGE_CLUSTER_LEASE_H
#define BANTER_BRIDGE_CLUSTER_LEASE_H

#include "base/compiler.h"
#include "base/slice.h"
#include "core/cluster/news.h"

#include <stdbool.h>
#include <stdint.h>

struct event_base;
struct lease;

enum {
    LEASE_MS = 6000,
    LEASE_MARGIN_MS = 500, /* for clocks that do not run equally fast */
    LEASE_TURN_MS = 1000,  /* from one turn to the next */
    LEASE_SOON_MS = 250,   /* while something is missing */
};

/* What a turn takes along. All is borrowed for the call. */
struct lease_turn {
    uint64_t first;  /* bulletin that is kept */
    uint64_t number; /* the last one */
    struct slice applied;
    struct slice about;
    uint64_t upto;     /* the last bulletin in `body` */
    struct slice body; /* bulletin_pack(); empty: none */
    const struct applied *known;
    unsigned known_count;
};

/* What it brings back of one other node; one with several bodies comes as often. */
struct lease_row {
    struct node_id node;
    bool ended;
    uint64_t left_as;     /* the last incarnation that left in order; 0: none has */
    uint64_t left_number; /* and its last bulletin */
    uint64_t silent_ms;
    uint64_t first;
    uint64_t number;
    struct slice applied;
    struct slice about;
    struct slice body; /* empty: none */
};

struct lease_handlers {
    /* The turn before has failed, or there was none: all that follows is new. */
    void (*begun)(void *owner, const struct cluster_key *key, bool was_lost);
    void (*row)(void *owner, const struct lease_row *row);
    /* All rows of this turn have come. */
    void (*done)(void *owner);
    /* It was not answered. */
    void (*failed)(void *owner);
    void *owner;
};

struct lease *lease_create(struct event_base *base, const char *dsn, const struct node_id *own,
                           const struct lease_handlers *handlers) MUST_USE;
/* Its handlers are not called any more. */
void lease_destroy(struct lease *l);

/* True while one turn is under way. */
bool lease_is_busy(const struct lease *l);
/* False: PostgreSQL is not there. */
bool lease_turn(struct lease *l, const struct lease_turn *turn) MUST_USE;
/* Gives the lease back, after the last turn; nothing else follows. */
void lease_leave(struct lease *l);
bool lease_has_left(const struct lease *l);
bool lease_is_held(const struct lease *l);

#endif
