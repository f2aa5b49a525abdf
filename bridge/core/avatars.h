/* SPDX-License-Identifier: MIT */
/* avatars.h - the pictures of users: checked, kept as blobs, named in the users' rows.
 *
 * A picture is written before a row names it and removed after no row does: what a crash leaves is
 * at worst a file that nobody asks for. */
#ifndef BANTER_BRIDGE_AVATARS_H
#define BANTER_BRIDGE_AVATARS_H

#include "base/compiler.h"
#include "base/slice.h"
#include "base/uuid.h"
#include "core/image.h"
#include "wire/codes.h"

#include <stdint.h>

struct avatars;
struct blobs;
struct db_pool;
struct event_base;
struct herald;

struct avatar {
    struct uuid id; /* a new picture has a new one */
    enum image_type type;
    struct slice bytes; /* borrowed; empty after avatars_set(), and when `known` was asked with */
};

/* Exactly once, on the loop thread, never from inside the call. `avatar` only with CODE_OK, NULL
 * from avatars_remove(). */
typedef void avatars_done_fn(void *owner, enum code code, const char *reason,
                             const struct avatar *avatar);

/* The blobs stay the caller's. The users' devices are told through `link`. */
struct avatars *avatars_create(struct event_base *base, struct db_pool *pool, struct blobs *blobs,
                               struct herald *herald) MUST_USE;
/* Requests still under way end without their callback. */
void avatars_destroy(struct avatars *a);

/* Copies `image` as far as it is one, without its metadata. CODE_INVALID: it is none,
 * CODE_TOO_LARGE. */
void avatars_set(struct avatars *a, uint64_t uid, struct slice image, avatars_done_fn *done,
                 void *owner);
/* Having none is CODE_OK. */
void avatars_remove(struct avatars *a, uint64_t uid, avatars_done_fn *done, void *owner);
/* The picture of this user, without its bytes if its id is `known` (may be NULL). CODE_NOT_FOUND:
 * no such user, or no picture. */
void avatars_get(struct avatars *a, struct slice handle, const struct uuid *known,
                 avatars_done_fn *done, void *owner);

#endif
