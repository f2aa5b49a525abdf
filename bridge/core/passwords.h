/* SPDX-License-Identifier: MIT */
/* passwords.h - hashes and checks passwords (Argon2id, libsodium) on worker threads, since one
 * takes as long as a thousand requests.
 *
 * Submitting and the callbacks are on the loop thread; only the work itself is elsewhere. */
#ifndef BANTER_BRIDGE_PASSWORDS_H
#define BANTER_BRIDGE_PASSWORDS_H

#include "base/compiler.h"
#include "base/slice.h"

#include <stdbool.h>

enum { PASSWORD_HASH_BYTES = 128 }; /* with its NUL */

struct event_base;
struct passwords;

struct passwords_config {
    unsigned memory_kib; /* of one computation */
    unsigned passes;
    unsigned threads;
    unsigned queue_max; /* jobs waiting or running; beyond it submitting fails */
};

enum password_verdict {
    PASSWORD_OK,
    PASSWORD_WRONG,
    PASSWORD_FAILED, /* no memory for the computation: try again later */
};

/* Exactly once per accepted job, on the loop thread, never from inside the call that submitted it.
 * `hash` is borrowed: what to store from now on, or NULL when nothing changes. */
typedef void passwords_done_fn(void *owner, enum password_verdict verdict, const char *hash);

/* NULL after logging why not. */
struct passwords *passwords_create(struct event_base *base,
                                   const struct passwords_config *config) MUST_USE;
/* Waits for the computations that are running; callbacks that are still due do not come. */
void passwords_destroy(struct passwords *p);

/* Makes a new hash: PASSWORD_OK, or PASSWORD_FAILED. False: the queue is full; no callback. */
bool passwords_hash(struct passwords *p, struct slice password, passwords_done_fn *done,
                    void *owner) MUST_USE;
/* Compares. With PASSWORD_OK `hash` is not NULL if the stored one was made with other parameters.
 * `stored` NULL stands for a user who does not exist: the same work, then PASSWORD_WRONG. False:
 * the queue is full; no callback. */
bool passwords_verify(struct passwords *p, struct slice password, const char *stored,
                      passwords_done_fn *done, void *owner) MUST_USE;

/* Makes a new hash here and now, for a process that does nothing else. Of `config` only the cost
 * counts. False after logging: no memory for the computation. */
bool passwords_hash_now(const struct passwords_config *config, struct slice password,
                        char hash[PASSWORD_HASH_BYTES]) MUST_USE;

/* Jobs waiting or running, for the metrics. */
unsigned passwords_pending(const struct passwords *p);

#endif
