/* SPDX-License-Identifier: MIT */
/* indexer.h - keeps banter.search up with the log, behind the back of those who write and read.
 *
 * It has a connection of its own, works in bounded slices, short ones while people write, rests
 * between them, and whatever fails is tried again later: nothing waits for it. What it is told of
 * new entries saves it from looking; what it is not told of, or has forgotten in a crash, it finds
 * by walking over all conversations, at the start and now and then. */
#ifndef BANTER_BRIDGE_INDEXER_H
#define BANTER_BRIDGE_INDEXER_H

#include "base/compiler.h"
#include "base/uuid.h"

#include <stdbool.h>
#include <stdint.h>

struct event_base;
struct indexer;

/* `dsn` is borrowed for the indexer's life. */
struct indexer *indexer_create(struct event_base *base, const char *dsn) MUST_USE;
void indexer_destroy(struct indexer *x);

/* `is_busy` says whether those who write have to wait for each other: the indexer then rests for
 * longer. */
typedef bool indexer_busy_fn(void *owner);
void indexer_give_way(struct indexer *x, indexer_busy_fn *is_busy, void *owner);
/* There are new entries in this conversation. Cheap: may be called for every entry. */
void indexer_note(struct indexer *x, const struct uuid *conversation);
/* Somebody searched and found this user's conversations not wholly indexed. */
void indexer_look_after(struct indexer *x, uint64_t uid);

struct indexer_stats {
    uint64_t entries;  /* indexed so far, those without words among them */
    uint64_t failures; /* slices that have to be done again, so far */
    uint64_t skipped;  /* messages that PostgreSQL refuses to index: bugs to look at */
    uint64_t waiting;  /* conversations, now */
};
void indexer_get_stats(const struct indexer *x, struct indexer_stats *out);

#endif
