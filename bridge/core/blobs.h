/* SPDX-License-Identifier: MIT */
/* blobs.h - where files of users are kept: an interface, and the store that keeps them in a
 * directory. A blob has a name that is never used twice, and never changes once written.
 *
 * Every accepted call ends in exactly one call of `done`, on the loop thread and never from inside
 * the call. */
#ifndef BANTER_BRIDGE_BLOBS_H
#define BANTER_BRIDGE_BLOBS_H

#include "base/compiler.h"
#include "base/slice.h"
#include "base/uuid.h"

#include <stdbool.h>

struct blobs;
struct event_base;

enum blob_result {
    BLOB_OK,
    BLOB_NOT_FOUND,
    BLOB_FAILED, /* logged by the store */
};

/* `bytes` only of a read that succeeded; borrowed. */
typedef void blobs_done_fn(void *owner, enum blob_result result, struct slice bytes);

/* A kind of store. Each function is what the one of the same name below says. */
struct blobs_type {
    bool (*write)(struct blobs *b, const struct uuid *name, struct slice bytes, blobs_done_fn *done,
                  void *owner);
    bool (*read)(struct blobs *b, const struct uuid *name, blobs_done_fn *done, void *owner);
    bool (*remove)(struct blobs *b, const struct uuid *name, blobs_done_fn *done, void *owner);
    void (*destroy)(struct blobs *b);
};

/* The first member of every store. */
struct blobs {
    const struct blobs_type *type;
};

/* Keeps a copy of `bytes`, at most BLOB_MAX_BYTES, durably when `done` says so. This and the next
 * two: false means too busy, nothing done, no callback. */
static inline MUST_USE bool blobs_write(struct blobs *b, const struct uuid *name,
                                        struct slice bytes, blobs_done_fn *done, void *owner)
{
    return b->type->write(b, name, bytes, done, owner);
}

static inline MUST_USE bool blobs_read(struct blobs *b, const struct uuid *name,
                                       blobs_done_fn *done, void *owner)
{
    return b->type->read(b, name, done, owner);
}

/* Removing what is not there is BLOB_OK. */
static inline MUST_USE bool blobs_remove(struct blobs *b, const struct uuid *name,
                                         blobs_done_fn *done, void *owner)
{
    return b->type->remove(b, name, done, owner);
}

/* Calls still under way end without their callback. NULL is fine. */
static inline void blobs_destroy(struct blobs *b)
{
    if (b)
        b->type->destroy(b);
}

enum { BLOB_MAX_BYTES = 1 << 20 };

/* The store in a directory, which is made if it is missing. NULL after logging why not. */
struct blobs *blobs_in_directory(struct event_base *base, const char *directory) MUST_USE;

#endif
