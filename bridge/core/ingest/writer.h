/* SPDX-License-Identifier: MIT */
/* writer.h - the writer's insides, for the two files that it is made of: ingest.c sends batches and
 * settles those that were committed, ingest/recovery.c does what is to be done about those that
 * were not. Nobody else includes it. */
#ifndef BANTER_BRIDGE_INGEST_WRITER_H
#define BANTER_BRIDGE_INGEST_WRITER_H

#include "core/ingest.h"
#include "core/ingest/asides.h"
#include "core/ingest/batch.h"
#include "core/ingest/directs.h"
#include "core/ingest/emission.h"
#include "core/ingest/heads.h"
#include "db/db.h"

#include <event2/event.h>

struct ingest {
    struct event_base *base;
    struct ingest_config config;
    struct link *link; /* borrowed */
    struct db_conn *conn;
    struct directs directs;
    struct heads heads;
    struct emission emission;
    ingest_settled_fn *settled;
    void *settled_owner;
    ingest_stored_fn *stored;
    void *stored_owner;

    struct submission_list queue;
    size_t queued_bytes;
    struct batch_list flying; /* in the order sent */
    unsigned flying_count;
    bool failing; /* one in flight has failed: wait for the rest */

    /* The chain of this session, by batch number: */
    uint64_t last_number;
    uint64_t chain_tail; /* what the next batch follows */
    uint64_t committed;  /* the last that is known to be */

    unsigned attempts; /* failures since something was committed */
    /* How many drafts at the front of the queue hold one that PostgreSQL refuses; 0: none known.
     * Halved by every attempt, as in a binary search. */
    size_t suspects;
    struct asides asides;
    bool hasty;         /* a lock is held, so none is waited for long */
    unsigned wary_left; /* so many batches take the long way */
    struct event *aside_timer;
    struct event *retry_timer;
    struct event *settle_event; /* for batches that need no answer */
    struct ingest_stats stats;
};

/* Arms the timer. */
void writer_wait(struct event *timer, unsigned ms);
/* Drafts that were stored before come in swarms, after a loss of connections: from now on, for some
 * batches, each is looked for. In a swarm batches are full; otherwise small, and soon over. */
void writer_beware(struct ingest *g);
/* Puts the drafts of everything in flight, all of it answered, back to the front of the queue, in
 * order; a probe's to where it came from. */
void writer_take_back(struct ingest *g);
/* All in flight are answered, and the first of them has failed: takes them back and decides how to
 * go on. */
void writer_recover(struct ingest *g);

#endif
