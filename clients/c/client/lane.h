/* SPDX-License-Identifier: MIT */
/* lane.h - the drafts of one conversation on their way, and what each receipt does to them. Pure:
 * it decides, outbox.h acts.
 *
 * The server keeps the order of what it takes. What it refuses in passing it wants again before all
 * that followed; so after such a refusal the lane goes back to its first draft without a receipt
 * and sends all from there again, under the same ids: what had been stored is not stored twice. */
#ifndef BANTER_CLIENT_LANE_H
#define BANTER_CLIENT_LANE_H

#include "banter/banter.h"
#include "base/compiler.h"
#include "client/platform.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TARGET_SIZE = 64 };

struct lane;

/* A draft. `number` orders those of a device. */
struct letter {
    struct letter *next; /* of those that are done, in the outbox */
    struct lane *lane;
    int64_t number;
    size_t length;
    uint64_t flown_at; /* when it was sent on this connection; of those in flight */
    char id[BANTER_ID_SIZE];
};

struct lane {
    struct lane *next;
    char target[TARGET_SIZE];
    struct letter **line; /* in the order of their numbers; those in flight come first */
    size_t count, capacity, flying;
    uint64_t paused_until;
    struct backoff backoff;
    /* The last thing heard was a refusal in passing: one draft finds out whether it has passed. */
    bool probing;
};

/* What a refusal of a draft comes to. */
enum lane_outcome {
    LANE_FINAL,   /* it is refused for good; the others go on */
    LANE_REWIND,  /* send again from the first one */
    LANE_HAPPENED /* the lane has gone back already; it was in flight behind the one refused */
};

/* NULL: out of memory. */
struct lane *lane_create(const char *target) MUST_USE;
/* Not the letters. */
void lane_destroy(struct lane *l);
/* There is room for so many more: as many lane_add() do not fail. */
bool lane_make_room(struct lane *l, size_t more) MUST_USE;
/* Takes its place among those that wait. False: out of memory. */
bool lane_add(struct lane *l, struct letter *letter) MUST_USE;
void lane_remove(struct lane *l, const struct letter *letter);
bool lane_is_flying(const struct lane *l, const struct letter *letter);
/* The next that may be sent, or NULL. */
struct letter *lane_next(const struct lane *l);
/* lane_next() is sent. */
void lane_send(struct lane *l, uint64_t now);
/* All that is in flight waits again. */
void lane_rewind(struct lane *l);
enum lane_outcome lane_refuse(const struct lane *l, const struct letter *letter, int error);
/* When the oldest one in flight was sent; NEVER. */
uint64_t lane_flying_since(const struct lane *l);
/* While the direct conversation with a user is not known its drafts go one by one. */
bool lane_is_to_handle(const struct lane *l);

#endif
