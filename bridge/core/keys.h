/* SPDX-License-Identifier: MIT */
/* keys.h - the signing keys of access tokens: those of a directory (key_files.h), as long as they
 * are there.
 *
 * A new key is published at once and signs when it is `overlap_s` old, so that every node and
 * whoever else checks tokens knows it by then. A key whose file has gone is retired: its tokens are
 * refused. What cannot be read changes nothing: the keys that were known stay. */
#ifndef BANTER_BRIDGE_KEYS_H
#define BANTER_BRIDGE_KEYS_H

#include "base/compiler.h"
#include "base/slice.h"
#include "token/jwt.h"

struct event_base;
struct keys;

/* A key has come or gone: "key_added" or "key_removed". `kid` is borrowed. */
typedef void keys_changed_fn(void *owner, struct slice kid, const char *what);

struct keys_config {
    const char *directory;
    const char *issuer;
    const char *audience;
    unsigned overlap_s;
    keys_changed_fn *changed; /* or NULL; not called before keys_open() has returned */
    void *owner;
};

/* Reads the directory, makes a first key if it holds none, and writes `jwks.json` into it, which
 * the plugin reads. NULL after logging why: no key is of use. `config` is copied. */
struct keys *keys_open(const struct keys_config *config) MUST_USE;
/* From now on looks for changes once a second. False: no memory. */
bool keys_watch(struct keys *k, struct event_base *base) MUST_USE;
void keys_close(struct keys *k);

/* Reads the directory again if something there has changed, and now and then if the last time some
 * of it was of no use. */
void keys_look(struct keys *k);
/* The same whether anything has changed or not. */
void keys_reload(struct keys *k);

/* The JWKS document, borrowed until the next turn of the loop. */
struct slice keys_jwks(const struct keys *k);
/* For how many seconds others may go by a copy of it. */
unsigned keys_jwks_max_age_s(const struct keys *k);
bool keys_sign(const struct keys *k, const struct jwt_claims *claims, struct buf *out) MUST_USE;
enum jwt_status keys_verify(const struct keys *k, struct slice token,
                            struct jwt_claims *out) MUST_USE;

struct keys_stats {
    uint64_t published; /* keys whose tokens are good */
    uint64_t broken;    /* files that are of no use */
    uint64_t age_s;     /* of the key that signs */
    uint64_t changes;   /* of the set, since the start */
    uint64_t failures;  /* to read the directory, or to write jwks.json */
};
void keys_get_stats(const struct keys *k, struct keys_stats *out);

#endif
