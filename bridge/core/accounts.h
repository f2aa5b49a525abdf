/* SPDX-License-Identifier: MIT */
/* accounts.h - sign-up, login, refresh, logout. Passwords are hashed (Argon2id, libsodium) in a
 * bounded worker pool, off the loop. */
#ifndef BANTER_BRIDGE_ACCOUNTS_H
#define BANTER_BRIDGE_ACCOUNTS_H

#include "base/compiler.h"
#include "base/slice.h"
#include "base/uuid.h"
#include "core/passwords.h"
#include "wire/codes.h"

#include <stdbool.h>
#include <stdint.h>

struct accounts;
struct address;
struct audit;
struct db_pool;
struct event_base;
struct keys;
struct revocations;

enum { ACCOUNT_GRACE_S = 10 };

struct accounts_config {
    unsigned access_token_ttl_s;  /* default 3600 */
    unsigned refresh_token_ttl_s; /* default 30 days */
    unsigned argon2_memory_kib;   /* default 65536 (RFC 9106 section 4, second choice) */
    unsigned argon2_passes;       /* default 3 */
    unsigned worker_threads;      /* default 2 */
    unsigned worker_queue_max;    /* default 64: beyond it, CODE_UNAVAILABLE */
    bool signup_open;             /* default true */
    struct audit *audit;          /* or NULL */
};

struct account_session {
    struct slice handle;
    struct slice access_token;
    struct slice refresh_token;
    unsigned expires_in_s;
    struct uuid erasure; /* of accounts_erase(), and then nothing else: the receipt's id */
};

/* Exactly once, on the loop thread, never from inside the call. `session` borrowed, only with
 * CODE_OK (NULL for logout). */
typedef void accounts_done_fn(void *owner, enum code code, const char *reason,
                              const struct account_session *session);

/* NULL after logging why not. */
struct accounts *accounts_create(struct event_base *base, struct db_pool *pool, struct keys *keys,
                                 struct revocations *revocations,
                                 const struct accounts_config *config) MUST_USE;
/* Requests still under way end without their callback. */
void accounts_destroy(struct accounts *a);

/* Each of these says where it comes `from`, or NULL. */

/* `name`, `email` and `device` may be empty. A taken handle: CODE_CONFLICT. */
void accounts_signup(struct accounts *a, const struct address *from, struct slice handle,
                     struct slice password, struct slice name, struct slice email,
                     struct slice device, accounts_done_fn *done, void *owner);
/* Unknown handle and wrong password give the same answer after the same work. */
void accounts_login(struct accounts *a, const struct address *from, struct slice handle,
                    struct slice password, struct slice device, accounts_done_fn *done,
                    void *owner);
/* Rotates: the old refresh token ends. Using an ended one revokes the whole login session (RFC 9700
 * section 4.14.2), with one exception: the answer may have been lost, and then the last token may
 * come again for ACCOUNT_GRACE_S with the same `retry_key`, which only whoever sent the first
 * request knows; the replacement that was lost ends instead. An empty key asks for no exception. */
void accounts_refresh(struct accounts *a, const struct address *from, struct slice refresh_token,
                      struct slice retry_key, accounts_done_fn *done, void *owner);
/* Ends the login session of this refresh token, its connections and its access tokens; unknown
 * tokens are CODE_OK too. */
void accounts_logout(struct accounts *a, const struct address *from, struct slice refresh_token,
                     accounts_done_fn *done, void *owner);

/* Erases the user for good, if this is their password (else CODE_UNAUTHORIZED): with CODE_OK all
 * their logins have ended. */
void accounts_erase(struct accounts *a, const struct address *from, uint64_t uid,
                    struct slice password, accounts_done_fn *done, void *owner);

/* Hashes a password that somebody else stores; `done` as passwords_hash() calls it. False: too
 * busy, no callback. */
bool accounts_hash(struct accounts *a, struct slice password, passwords_done_fn *done,
                   void *owner) MUST_USE;

struct accounts_stats {
    uint64_t signups, logins, refreshes; /* that succeeded */
    uint64_t refused;                    /* wrong passwords and tokens, taken handles */
    uint64_t reused;                     /* sessions revoked because an ended token came again */
    uint64_t busy;                       /* the password queue was full */
    uint64_t passwords_pending;          /* now */
};
void accounts_get_stats(const struct accounts *a, struct accounts_stats *out);

#endif
