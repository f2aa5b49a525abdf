/* SPDX-License-Identifier: MIT */
/* history.h - read committed entries of one conversation. Runs on the read pool: never waits behind
 * the writer.
 *
 * With a replica, pages are read there if it will do. The primary decides, with each page: it is
 * asked whether the reader is a member, how long the log is and how much of it has been erased; a
 * page from a replica that has not come so far does not count, and the primary is read instead. So
 * nobody can tell which of them has answered. */
#ifndef BANTER_BRIDGE_HISTORY_H
#define BANTER_BRIDGE_HISTORY_H

#include "base/compiler.h"
#include "base/uuid.h"
#include "wire/codes.h"
#include "wire/entry.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct db_pool;
struct history;
struct replica;

struct history_query {
    uint64_t reader; /* uid that must be a member; 0: the server itself, no check */
    struct uuid conversation;
    int64_t after;    /* entries with seq > after, from the oldest on; or */
    int64_t before;   /* > 0: the last entries with seq < before */
    bool folded;      /* messages as they are now, without the entries that concern others */
    bool spares;      /* the primary, if there is a replica: the answer is the same */
    unsigned limit;   /* 1..HISTORY_LIMIT_MAX */
    size_t bytes_max; /* stop, with `more`, once texts pass this; at least one entry is given */
};

struct history_item {
    struct entry entry;
    uint64_t sender; /* uid */
};

/* Always in rising seq order. A folded page is shorter than `limit` when it has looked through
 * HISTORY_FOLD_SPAN seqs; it may be empty and have `more`. Borrowed: valid until `done` returns. */
struct history_page {
    const struct history_item *items;
    size_t count;
    bool more;        /* there are further entries in the direction asked for */
    int64_t next;     /* `after` or `before` of the page that goes on from here */
    int64_t last_seq; /* the conversation's head when it was read */
};

/* Exactly once per accepted request, on the loop thread, never from inside history_read(). `page`
 * only with CODE_OK. CODE_NOT_FOUND: no such conversation, or the reader is not a member (the two
 * are not told apart). CODE_UNAVAILABLE: database. */
typedef void history_done_fn(void *owner, enum code code, const struct history_page *page);

/* `replica` may be NULL. */
struct history *history_create(struct db_pool *pool, struct replica *replica) MUST_USE;
/* Requests still under way end without their callback. */
void history_destroy(struct history *h);
/* False: too busy; nothing kept, no callback. */
bool history_read(struct history *h, const struct history_query *query, history_done_fn *done,
                  void *owner) MUST_USE;

#endif
