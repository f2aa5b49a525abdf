/* SPDX-License-Identifier: MIT */
/* public_keys.c - see public_keys.h. A look is one stat(); a read is of a few hundred bytes. */
#include "public_keys.h"

#include "base/buf.h"
#include "base/hash.h"
#include "broker.h"
#include "file.h"

#include <string.h>

enum {
    JWKS_MAX_BYTES = 64 << 10,
    RETRY_MS = 10000, /* it may have been for lack of memory */
};

static struct jwt_keys *read_set(const char *path)
{
    const char *reason = "";
    struct jwt_keys *set = NULL;
    struct buf text;

    buf_init(&text, JWKS_MAX_BYTES);
    if (file_read(path, &text)) {
        set = jwt_keys_parse(buf_slice(&text), &reason);
        if (!set)
            broker_log(BROKER_ERROR, "%s: %s", path, reason);
    }
    buf_finish(&text);
    return set;
}

bool public_keys_init(struct public_keys *k, const char *path, uint64_t now_ms)
{
    *k = (struct public_keys){0};
    return public_keys_load(k, path, now_ms);
}

void public_keys_finish(struct public_keys *k)
{
    jwt_keys_destroy(k->set);
    *k = (struct public_keys){0};
}

bool public_keys_load(struct public_keys *k, const char *path, uint64_t now_ms)
{
    struct jwt_keys *set;

    /* Before it is read, so that no change after that goes unnoticed. */
    if (stat(path, &k->seen) != 0)
        k->seen = (struct stat){0};
    set = read_set(path);
    k->retry_ms = set ? 0 : now_ms + RETRY_MS;
    if (!set)
        return false;
    jwt_keys_destroy(k->set);
    k->set = set;
    k->count = jwt_keys_count(set);
    for (size_t i = 0; i < k->count; i++)
        k->kids[i] = public_keys_hash(jwt_keys_kid(set, i));
    return true;
}

static bool is_same(const struct stat *a, const struct stat *b)
{
    return a->st_ino == b->st_ino && a->st_dev == b->st_dev && a->st_size == b->st_size &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
           a->st_ctim.tv_sec == b->st_ctim.tv_sec && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

bool public_keys_look(struct public_keys *k, const char *path, uint64_t now_ms)
{
    struct stat now;

    if (now_ms < k->look_ms)
        return false;
    k->look_ms = now_ms + PUBLIC_KEYS_LOOK_MS;
    if (stat(path, &now) != 0)
        now = (struct stat){0};
    if (is_same(&now, &k->seen) && (k->retry_ms == 0 || now_ms < k->retry_ms))
        return false;
    if (public_keys_load(k, path, now_ms))
        return true;
    broker_log(BROKER_ERROR, "the public keys stay as they were");
    return false;
}

uint64_t public_keys_hash(const char *kid)
{
    return hash_bytes(kid, strlen(kid));
}

bool public_keys_have(const struct public_keys *k, uint64_t kid)
{
    for (size_t i = 0; i < k->count; i++) {
        if (k->kids[i] == kid)
            return true;
    }
    return false;
}
