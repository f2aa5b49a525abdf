/* SPDX-License-Identifier: MIT */
/* worker.h - takes the jobs of push that are due, has them sent, and stores what became of them.
 *
 * A job is leased: if this process dies, or loses its connection, the lease ends and somebody takes
 * the job again. So a push may be sent twice if its outcome could not be stored, always with the
 * same collapse key, and never less than once. Taking is limited to a rate, and to what the senders
 * can have under way for each provider, so that a slow provider holds up its own jobs only. */
#ifndef BANTER_BRIDGE_PUSH_WORKER_H
#define BANTER_BRIDGE_PUSH_WORKER_H

#include "base/compiler.h"
#include "push/push.h"

#include <stdbool.h>
#include <stdint.h>

struct event_base;
struct push_online;
struct push_worker;

struct push_worker_config {
    const char *dsn; /* borrowed for the worker's life, as are the next two */
    struct push_senders *senders;
    const struct push_online *online;
    unsigned gather_ms;     /* see expander.h */
    unsigned rate;          /* jobs taken in a second, at most */
    unsigned in_flight_max; /* of each provider */
    unsigned timeout_ms;    /* of one request of the senders */
    unsigned attempts_max;  /* then the job is given up */
    unsigned retry_ms;      /* before the second attempt; doubled by each one that fails */
    unsigned ttl_s;         /* older messages are not told; providers keep none for longer */
    bool without_text;
};

struct push_worker *push_worker_create(struct event_base *base,
                                       const struct push_worker_config *config) MUST_USE;
/* After the senders, which still owe it outcomes. */
void push_worker_destroy(struct push_worker *w);
/* Takes nothing more: before a stop. */
void push_worker_close(struct push_worker *w);
/* True when nothing is under way and nothing waits to be stored. */
bool push_worker_is_idle(const struct push_worker *w);

struct push_queue {
    uint64_t jobs;       /* waiting or under way; counted up to 100,000 */
    uint64_t overdue_ms; /* how long the first one has been due */
    uint64_t dead;       /* given up and kept; counted up to 100,000 */
};

struct push_worker_stats {
    uint64_t taken;    /* so far */
    uint64_t dropped;  /* of these, as nothing was left to say or nobody to say it to; so far */
    uint64_t died;     /* given up, so far */
    uint64_t failures; /* of statements, so far */
    uint64_t told[PUSH_PROVIDER_COUNT];   /* pushes sent, so far; and, summed up, how long after */
    uint64_t age_ms[PUSH_PROVIDER_COUNT]; /* the first of their messages */
    /* As they were a few seconds ago: */
    struct push_queue queues[PUSH_PROVIDER_COUNT];
    struct push_queue outbox; /* its `dead` is 0 */
};
void push_worker_get_stats(const struct push_worker *w, struct push_worker_stats *out);

#endif
