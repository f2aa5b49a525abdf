/* SPDX-License-Identifier: MIT */
/* account_operation.h - one request to accounts.h under way; shared by the files that serve them.
 *
 * An operation moves from callback to callback and is always waiting for exactly one of: a password
 * worker, the database, the next turn of the loop. It ends in account_finish(), or quietly in
 * accounts_destroy(). */
#ifndef BANTER_BRIDGE_ACCOUNT_OPERATION_H
#define BANTER_BRIDGE_ACCOUNT_OPERATION_H

#include "base/address.h"
#include "core/accounts.h"
#include "core/audit.h"
#include "core/later.h"
#include "core/passwords.h"
#include "core/refresh_token.h"
#include "db/db.h"
#include "wire/limits.h"

#include <sys/queue.h>

struct account_operation {
    struct accounts *accounts;
    TAILQ_ENTRY(account_operation) link;
    accounts_done_fn *done;
    void *owner;
    bool in_database; /* the reply still comes, even after accounts_destroy() */
    bool from_is_known;
    struct address from;
    struct later_item later;
    enum code code; /* what `later` will report */
    const char *reason;
    char handle[HANDLE_MAX_LENGTH + 1];
    char device[DEVICE_MAX_LENGTH + 1];
    char *name;
    char *email;
    char *password; /* until the stored hash is known */
    uint64_t uid;
    bool is_admin;              /* which the access token says */
    bool is_disabled;           /* nobody logs in as them */
    struct refresh_token token; /* to be handed out */
};

struct accounts {
    struct accounts_config config;
    struct db_pool *pool;
    struct keys *keys;
    struct revocations *revocations;
    struct passwords *passwords;
    struct later *later;
    TAILQ_HEAD(, account_operation) operations;
    bool closed;
    struct accounts_stats stats;
};

/* Begins an operation that reports to `done`; `from` may be NULL. */
struct account_operation *account_begin(struct accounts *a, const struct address *from,
                                        accounts_done_fn *done, void *owner);
/* Notes what has come of it for the audit log. */
void account_note(const struct account_operation *op, const char *action, enum audit_by by,
                  struct slice object, enum code result, const char *detail);
/* Frees the operation without a callback. */
void account_forget(struct account_operation *op);
/* Frees the operation and calls back. */
void account_finish(struct account_operation *op, enum code code, const char *reason,
                    const struct account_session *session);
/* The same on the next turn of the loop, for what is known at once. `reason` is static. */
void account_finish_later(struct account_operation *op, enum code code, const char *reason);
/* There is no worker or memory for a password now. */
void account_refuse_busy(struct account_operation *op);
/* Asks the database; takes `params`. `reply` may be called after accounts_destroy(). */
void account_ask(struct account_operation *op, const struct db_statement *statement,
                 struct db_params *params, db_reply_fn *reply);
/* What every reply function asks first. False: the operation has been ended, because the database
 * failed or nobody waits any more. */
bool account_reply_is_usable(struct account_operation *op, const struct db_reply *reply) MUST_USE;
/* The session is stored: finishes with its tokens and counts it. */
void account_hand_out(struct account_operation *op, uint64_t *counter);
void account_wipe_password(struct account_operation *op);
/* Compares the operation's password with a stored hash, or NULL (see passwords_verify()), and
 * wipes it. `done` gets the operation; without a worker for it the operation is refused as busy. */
void account_compare_password(struct account_operation *op, const char *stored,
                              passwords_done_fn *done);

#endif
