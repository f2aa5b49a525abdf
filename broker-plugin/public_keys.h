/* SPDX-License-Identifier: MIT */
/* public_keys.h - the keys with which access tokens are checked: those of the file jwks.json, which
 * the bridge writes.
 *
 * Looked at once a second and on SIGHUP. What cannot be read changes nothing. When a key has gone,
 * the connections that its tokens have opened are to be ended: see auth_scan(). */
#ifndef BANTER_PLUGIN_PUBLIC_KEYS_H
#define BANTER_PLUGIN_PUBLIC_KEYS_H

#include "base/compiler.h"
#include "token/jwt.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

enum { PUBLIC_KEYS_LOOK_MS = 1000 };

struct public_keys {
    struct jwt_keys *set;        /* owned */
    uint64_t kids[JWT_KEYS_MAX]; /* keyed hashes of what they are called */
    size_t count;
    struct stat seen;  /* the file when it was read last, well or not */
    uint64_t look_ms;  /* when to look next */
    uint64_t retry_ms; /* the last read failed: when to try again, changed or not; or 0 */
};

/* The keys have their first set. False after logging why not. */
bool public_keys_init(struct public_keys *k, const char *path, uint64_t now_ms) MUST_USE;
void public_keys_finish(struct public_keys *k);

/* Reads the file. False after logging: the keys stay as they were, and public_keys_look() tries
 * again after a while. `now_ms` is monotonic. */
bool public_keys_load(struct public_keys *k, const char *path, uint64_t now_ms) MUST_USE;
/* The same if it is time to look and the file is another one. True: the keys have changed. */
bool public_keys_look(struct public_keys *k, const char *path, uint64_t now_ms) MUST_USE;

/* What a connection remembers of the key that let it in. */
uint64_t public_keys_hash(const char *kid);
/* Whether that key is still there. */
bool public_keys_have(const struct public_keys *k, uint64_t kid);

#endif
