/* SPDX-License-Identifier: MIT */
/* avatars.c - see avatars.h: each request as a chain of callbacks, from its function upwards. */
#include "core/avatars.h"

#include "base/buf.h"
#include "base/log.h"
#include "base/memory.h"
#include "core/blobs.h"
#include "core/effects.h"
#include "core/herald.h"
#include "core/image_strip.h"
#include "core/later.h"
#include "db/db.h"
#include "wire/limits.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/queue.h>

_Static_assert((int)AVATAR_MAX_BYTES <= (int)BLOB_MAX_BYTES, "a picture is one blob");

static const struct db_statement replace_statement = {
    "avatar_replace", "SELECT banter.replace_avatar($1::bigint, $2::uuid, $3::integer)", 3};

static const struct db_statement find_statement = {
    "avatar_find",
    "SELECT avatar, avatar_type FROM banter.users"
    " WHERE handle = $1::text AND disabled_at IS NULL AND avatar IS NOT NULL",
    1};

static const char busy[] = "too many pictures at once: try again";
static const char no_database[] = "the database is not available: try again";
static const char no_store[] = "pictures are not available: try again";

struct avatar_request {
    TAILQ_ENTRY(avatar_request) link;
    struct avatars *avatars;
    uint64_t uid;
    struct avatar avatar;
    bool has_known;
    struct uuid known;
    bool in_database; /* the reply still comes, even after avatars_destroy() */
    avatars_done_fn *done;
    void *owner;
    struct later_item later;
    enum code code; /* what `later` will report */
    const char *reason;
};

struct avatars {
    struct db_pool *pool;
    struct blobs *blobs;
    struct herald *herald;
    struct later *later;
    TAILQ_HEAD(, avatar_request) requests;
    bool closed; /* freed once the database has answered what it was asked */
};

static struct avatar_request *begin(struct avatars *a, uint64_t uid, avatars_done_fn *done,
                                    void *owner)
{
    struct avatar_request *r = must_calloc(1, sizeof *r);

    r->avatars = a;
    r->uid = uid;
    r->done = done;
    r->owner = owner;
    TAILQ_INSERT_TAIL(&a->requests, r, link);
    return r;
}

static void free_request(struct avatar_request *r)
{
    struct avatars *a = r->avatars;

    TAILQ_REMOVE(&a->requests, r, link);
    free(r);
    if (a->closed && TAILQ_EMPTY(&a->requests))
        free(a);
}

static void finish(struct avatar_request *r, enum code code, const char *reason)
{
    bool shows = code == CODE_OK && r->avatar.type != 0;

    if (!r->avatars->closed)
        r->done(r->owner, code, reason, shows ? &r->avatar : NULL);
    free_request(r);
}

static void on_later(void *owner)
{
    struct avatar_request *r = owner;

    finish(r, r->code, r->reason);
}

static void finish_later(struct avatar_request *r, enum code code, const char *reason)
{
    r->code = code;
    r->reason = reason;
    later_call(r->avatars->later, &r->later, on_later, r);
}

/* Takes `params`. May be called from inside avatars_…(). */
static void ask(struct avatar_request *r, const struct db_statement *statement,
                struct db_params *params, db_reply_fn *reply)
{
    r->in_database = db_pool_query(r->avatars->pool, statement, params, reply, r);
    if (!r->in_database)
        finish_later(r, CODE_UNAVAILABLE, no_database);
}

/* False: the request has been ended. */
static bool is_usable(struct avatar_request *r, const struct db_reply *reply)
{
    enum code code = effects_refusal(reply->sqlstate);

    r->in_database = false;
    if (r->avatars->closed)
        free_request(r);
    else if (code != CODE_OK)
        finish(r, code, "this account is disabled");
    else if (reply->status != DB_OK)
        finish(r, CODE_UNAVAILABLE, no_database);
    else
        return true;
    return false;
}

static void on_removed(void *owner, enum blob_result result, struct slice bytes)
{
    (void)owner;
    (void)bytes;
    if (result != BLOB_OK)
        log_warning("avatars", "a picture that nobody needs was left behind");
}

static void remove_blob(struct avatars *a, const struct uuid *name)
{
    if (!blobs_remove(a->blobs, name, on_removed, NULL))
        on_removed(NULL, BLOB_FAILED, slice_of("", 0));
}

/* The row names the new picture now, so the old one may go. */
static void on_replaced(void *owner, const struct db_reply *reply)
{
    struct avatar_request *r = owner;
    bool had_one;

    if (!is_usable(r, reply))
        return;
    had_one = !db_get_null(reply->result, 0, 0);
    if (had_one) {
        struct uuid old = db_get_uuid(reply->result, 0, 0);
        remove_blob(r->avatars, &old);
    }
    if (had_one || r->avatar.type != 0)
        herald_profile(r->avatars->herald, r->uid);
    finish(r, CODE_OK, NULL);
}

static void replace(struct avatar_request *r)
{
    struct db_params *params = db_params_create();

    db_i64(params, (int64_t)r->uid);
    if (r->avatar.type != 0) {
        db_uuid(params, &r->avatar.id);
        db_i64(params, r->avatar.type);
    } else {
        db_null(params);
        db_null(params);
    }
    ask(r, &replace_statement, params, on_replaced);
}

static void on_written(void *owner, enum blob_result result, struct slice bytes)
{
    struct avatar_request *r = owner;

    (void)bytes;
    if (result == BLOB_OK)
        replace(r);
    else
        finish(r, CODE_UNAVAILABLE, no_store);
}

static enum code check_image(struct slice bytes, struct image *image, const char **reason)
{
    if (bytes.length > AVATAR_MAX_BYTES) {
        *reason = "a picture has at most 1 MiB";
        return CODE_TOO_LARGE;
    }
    switch (image_sniff(bytes, image)) {
    case IMAGE_UNKNOWN:
        *reason = "this is no PNG, JPEG, GIF or WebP image";
        return CODE_INVALID;
    case IMAGE_BROKEN:
        *reason = "the image is broken";
        return CODE_INVALID;
    case IMAGE_OK:
        break;
    }
    if (image->width > AVATAR_SIDE_MAX || image->height > AVATAR_SIDE_MAX) {
        *reason = "a picture has at most 4096 pixels on each side";
        return CODE_TOO_LARGE;
    }
    return CODE_OK;
}

/* False: too busy, or no random numbers. */
static bool write_stripped(struct avatar_request *r, struct slice image)
{
    struct buf stripped;
    bool written;

    buf_init(&stripped, AVATAR_MAX_BYTES);
    written = uuid_v7(&r->avatar.id) && image_strip(image, r->avatar.type, &stripped) &&
              blobs_write(r->avatars->blobs, &r->avatar.id, buf_slice(&stripped), on_written, r);
    buf_finish(&stripped);
    return written;
}

void avatars_set(struct avatars *a, uint64_t uid, struct slice image, avatars_done_fn *done,
                 void *owner)
{
    struct avatar_request *r = begin(a, uid, done, owner);
    const char *reason = NULL;
    struct image found;
    enum code code = check_image(image, &found, &reason);

    if (code != CODE_OK) {
        finish_later(r, code, reason);
        return;
    }
    r->avatar.type = found.type;
    if (!write_stripped(r, slice_of(image.data, found.length)))
        finish_later(r, CODE_UNAVAILABLE, busy);
}

void avatars_remove(struct avatars *a, uint64_t uid, avatars_done_fn *done, void *owner)
{
    replace(begin(a, uid, done, owner));
}

/* A picture that was replaced after its row was read is as good as none: ask again. */
static void on_read(void *owner, enum blob_result result, struct slice bytes)
{
    struct avatar_request *r = owner;

    r->avatar.bytes = bytes;
    if (result == BLOB_OK)
        finish(r, CODE_OK, NULL);
    else
        finish(r, CODE_UNAVAILABLE, no_store);
}

static void on_found(void *owner, const struct db_reply *reply)
{
    struct avatar_request *r = owner;

    if (!is_usable(r, reply))
        return;
    if (PQntuples(reply->result) == 0) {
        finish(r, CODE_NOT_FOUND, "there is no such user, or they have no picture");
        return;
    }
    r->avatar.id = db_get_uuid(reply->result, 0, 0);
    r->avatar.type = (enum image_type)db_get_i64(reply->result, 0, 1);
    if (r->has_known && uuid_equal(&r->known, &r->avatar.id))
        finish(r, CODE_OK, NULL);
    else if (!blobs_read(r->avatars->blobs, &r->avatar.id, on_read, r))
        finish(r, CODE_UNAVAILABLE, busy);
}

void avatars_get(struct avatars *a, struct slice handle, const struct uuid *known,
                 avatars_done_fn *done, void *owner)
{
    struct avatar_request *r = begin(a, 0, done, owner);
    struct db_params *params = db_params_create();

    r->has_known = known != NULL;
    if (known)
        r->known = *known;
    db_text(params, handle);
    ask(r, &find_statement, params, on_found);
}

struct avatars *avatars_create(struct event_base *base, struct db_pool *pool, struct blobs *blobs,
                               struct herald *herald)
{
    struct avatars *a = must_calloc(1, sizeof *a);

    a->herald = herald;
    a->pool = pool;
    a->blobs = blobs;
    TAILQ_INIT(&a->requests);
    a->later = later_create(base);
    if (!a->later) {
        free(a);
        return NULL;
    }
    return a;
}

void avatars_destroy(struct avatars *a)
{
    struct avatar_request *r, *next;

    if (!a)
        return;
    later_destroy(a->later);
    for (r = TAILQ_FIRST(&a->requests); r; r = next) {
        next = TAILQ_NEXT(r, link);
        if (!r->in_database)
            free_request(r);
    }
    a->closed = true;
    if (TAILQ_EMPTY(&a->requests))
        free(a);
}
