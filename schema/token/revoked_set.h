/* SPDX-License-Identifier: MIT */
/* revoked_set.h - logins that have ended before their access tokens, whose signature stays good.
 *
 * Whoever verifies a token asks here afterwards. Bounded: beyond `limit` the one that has been here
 * longest is forgotten, which `forgotten` counts. */
#ifndef BANTER_TOKEN_REVOKED_SET_H
#define BANTER_TOKEN_REVOKED_SET_H

#include "base/compiler.h"
#include "base/map.h"
#include "base/uuid.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

struct revoked_login {
    struct uuid login;  /* the `sid` of its tokens */
    uint64_t uid;       /* whose */
    int64_t expires_at; /* Unix seconds, after which none of its tokens is good any more */
    TAILQ_ENTRY(revoked_login) link;
};

TAILQ_HEAD(revoked_queue, revoked_login);

struct revoked_set {
    struct map by_login;
    struct revoked_queue oldest_first; /* by when they were added */
    size_t limit;
    uint64_t forgotten; /* before they expired */
};

void revoked_set_init(struct revoked_set *s, size_t limit);
void revoked_set_finish(struct revoked_set *s);
/* Adds a copy without its link; *is_new is false when the login is here already, which changes
 * nothing. False: out of memory, nothing changed. */
bool revoked_set_add(struct revoked_set *s, const struct revoked_login *login,
                     bool *is_new) MUST_USE;
bool revoked_set_has(const struct revoked_set *s, const struct uuid *login);
/* Forgets those at the front that have expired. They come in about the order in which they expire,
 * so few stay longer. */
void revoked_set_expire(struct revoked_set *s, int64_t now);

#endif
