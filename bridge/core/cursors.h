/* SPDX-License-Identifier: MIT */
/* cursors.h - how far users have received and read their conversations.
 *
 * What comes in within CURSORS_INTERVAL_MS is one commit, and of one user's cursors in one
 * conversation only the furthest are written. Those whom it concerns are told after the commit. An
 * update may be lost with this process: devices say later ones, and they hold for the earlier. */
#ifndef BANTER_BRIDGE_CURSORS_H
#define BANTER_BRIDGE_CURSORS_H

#include "base/compiler.h"
#include "base/slice.h"
#include "base/uuid.h"
#include "core/actor.h"
#include "wire/codes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cursors;
struct db_pool;
struct event_base;
struct frame_signal;
struct herald;

enum {
    CURSORS_INTERVAL_MS = 100,
    CURSORS_PER_BATCH = 1000,
    CURSORS_MAX = 100000, /* (user, conversation) that wait; more are refused */
};

/* Both seq; 0: nothing yet. Who has read has received. */
struct cursor_pair {
    int64_t received;
    int64_t read;
};

/* NULL: out of descriptors or memory. */
struct cursors *cursors_create(struct event_base *base, struct db_pool *pool,
                               struct herald *herald) MUST_USE;
/* Updates still under way end without their callback. */
void cursors_destroy(struct cursors *c);

/* {"received":…,"read":…}, of which one may be absent. False: *reason says in one sentence, in
 * static storage, what is wrong. */
bool cursor_pair_parse(struct slice json, struct cursor_pair *out, const char **reason) MUST_USE;

/* SIGNAL_CURSOR. What is malformed is passed over: nobody could be told. */
void cursors_signal(struct cursors *c, const struct frame_signal *f);

/* Exactly once, on the loop thread, never from inside the call. `now` is where the cursors are,
 * borrowed; only with CODE_OK. CODE_NOT_FOUND: not a member. */
typedef void cursors_done_fn(void *owner, enum code code, const char *reason,
                             const struct cursor_pair *now);
/* False when too many wait: no callback. */
bool cursors_move(struct cursors *c, const struct actor *actor, const struct uuid *conversation,
                  const struct cursor_pair *to, cursors_done_fn *done, void *owner) MUST_USE;

/* True when nothing waits to be written. */
bool cursors_is_idle(const struct cursors *c);

struct cursors_stats {
    uint64_t updates; /* taken */
    uint64_t commits;
    uint64_t refused; /* too many waited */
    size_t waiting;   /* now */
};
void cursors_get_stats(const struct cursors *c, struct cursors_stats *out);

#endif
