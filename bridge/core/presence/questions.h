/* SPDX-License-Identifier: MIT */
/* questions.h - whether one user may see another's presence: decided by PostgreSQL for many
 * questions per query, one query at a time, until it succeeds or the link is lost. */
#ifndef BANTER_BRIDGE_PRESENCE_QUESTIONS_H
#define BANTER_BRIDGE_PRESENCE_QUESTIONS_H

#include "base/compiler.h"
#include "base/slice.h"
#include "core/presence/row.h"
#include "wire/frame.h"
#include "wire/limits.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

struct db_pool;
struct event_base;
struct questions;

/* One WATCH. */
struct question {
    TAILQ_ENTRY(question) link;
    uint64_t number;
    uint64_t uid;
    bool again;
    bool stale; /* the answer under way may be older than what has changed since */
    char device[DEVICE_MAX_LENGTH + 1];
    char target[HANDLE_MAX_LENGTH + 1];
};

struct verdict {
    uint64_t target_uid; /* 0: there is no such user */
    bool allowed;
    struct presence_row row;
};

typedef void questions_fn(void *owner, const struct question *q, const struct verdict *verdict);

struct questions *questions_create(struct event_base *base, struct db_pool *pool,
                                   questions_fn *done, void *owner) MUST_USE;
/* After the pool, which still owes it answers. */
void questions_destroy(struct questions *q);
void questions_ask(struct questions *q, const struct frame_watch *f);
/* The row of this user has changed: what was asked about them before is asked anew. */
void questions_row_changed(struct questions *q, struct slice target);
/* Forgets everything: it will be asked again. */
void questions_link_lost(struct questions *q);

#endif
