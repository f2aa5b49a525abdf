/* SPDX-License-Identifier: MIT */
/* troupe.h - the devices of one cast on their connections, and the plan by which they send.
 *
 * A troupe only does what it is told; show.h leads one or several of them through a run. */
#ifndef BANTER_BENCH_TROUPE_H
#define BANTER_BENCH_TROUPE_H

#include "base/buf.h"
#include "base/compiler.h"
#include "cast.h"
#include "conn.h"
#include "load.h"
#include "sender.h"

#include <stdbool.h>
#include <stdint.h>

struct device;

struct troupe {
    const struct load_config *config;
    const struct cast *cast;
    struct conn_set *set;
    struct device *devices;    /* one per player of the cast */
    struct sender *senders;    /* sender_count of the cast */
    struct device **by_sender; /* the device of each of them */
    struct sender_plan plan;
    uint64_t round;           /* number of the next draft of all senders, with a rate */
    uint64_t measure_from_us; /* 0 until known */
    uint64_t measure_to_us;
    uint64_t run;      /* marks the drafts of this run */
    struct slice tail; /* what follows the id in every payload; borrowed from tail_bytes */
    struct buf tail_bytes;
    unsigned ready_count;
    unsigned lost_count;
    bool refused_at_door; /* a connection was refused or lost before the run began */
    uint64_t acknowledged;
    struct load_result *result;
};

/* Prepares closed devices; config, cast and result must outlive the troupe. After a failure, too,
 * troupe_finish() is due. */
bool troupe_init(struct troupe *t, const struct load_config *config, const struct cast *cast,
                 struct load_result *result) MUST_USE;
/* Closes and frees everything. */
void troupe_finish(struct troupe *t);
/* Connects all devices and waits until they are ready. False: said why on stderr. */
bool troupe_connect(struct troupe *t) MUST_USE;

/* The drafts of the next phase are due from start_us on. Those of the last phase must have had
 * their outcomes. A troupe that is `silent` measures what it receives and sends nothing. */
void troupe_plan(struct troupe *t, uint64_t start_us, unsigned warm_up_s, unsigned seconds,
                 bool silent);
/* Whether what was due at that moment counts. */
bool troupe_measures(const struct troupe *t, uint64_t at_us);
/* Sends what is due, and returns when the next draft is, but not more than limit_us. */
uint64_t troupe_send_due(struct troupe *t, uint64_t now_us, uint64_t limit_us);
/* What is not a matter of microseconds: keep-alive, and sending again what was refused. */
void troupe_housekeep(struct troupe *t, uint64_t now_us);
/* Drafts without an outcome. */
uint64_t troupe_outstanding(const struct troupe *t);
/* Copies that have not come. */
uint64_t troupe_missing(const struct troupe *t);
/* Says goodbye to the broker. */
void troupe_bow(struct troupe *t);

#endif
