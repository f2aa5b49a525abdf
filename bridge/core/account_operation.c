/* SPDX-License-Identifier: MIT */
/* account_operation.c - see account_operation.h: the life of operations, and what they hand out. */
#include "core/account_operation.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "core/keys.h"
#include "core/passwords.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct account_operation *account_begin(struct accounts *a, const struct address *from,
                                        accounts_done_fn *done, void *owner)
{
    struct account_operation *op = must_calloc(1, sizeof *op);

    assert(!a->closed);
    op->accounts = a;
    op->from_is_known = from != NULL;
    if (from)
        op->from = *from;
    op->done = done;
    op->owner = owner;
    TAILQ_INSERT_TAIL(&a->operations, op, link);
    return op;
}

void account_note(const struct account_operation *op, const char *action, enum audit_by by,
                  struct slice object, enum code result, const char *detail)
{
    if (op->accounts->config.audit)
        audit_note(op->accounts->config.audit,
                   &(struct audit_event){.action = action,
                                         .by = by,
                                         .actor = op->uid,
                                         .user = op->uid,
                                         .object = object,
                                         .address = op->from_is_known ? &op->from : NULL,
                                         .result = result,
                                         .detail = slice_str(detail)},
                   clock_monotonic_ms());
}

void account_wipe_password(struct account_operation *op)
{
    if (op->password)
        explicit_bzero(op->password, strlen(op->password));
    free(op->password);
    op->password = NULL;
}

void account_forget(struct account_operation *op)
{
    TAILQ_REMOVE(&op->accounts->operations, op, link);
    account_wipe_password(op);
    explicit_bzero(&op->token, sizeof op->token);
    free(op->name);
    free(op->email);
    free(op);
}

/* After accounts_destroy() the last reply of the database frees the rest. */
static void free_closed(struct accounts *a)
{
    if (TAILQ_EMPTY(&a->operations))
        free(a);
}

void account_finish(struct account_operation *op, enum code code, const char *reason,
                    const struct account_session *session)
{
    accounts_done_fn *done = op->done;
    void *owner = op->owner;

    account_forget(op);
    done(owner, code, reason, session);
}

static void report(void *owner)
{
    struct account_operation *op = owner;

    account_finish(op, op->code, op->reason, NULL);
}

void account_finish_later(struct account_operation *op, enum code code, const char *reason)
{
    op->code = code;
    op->reason = reason;
    later_call(op->accounts->later, &op->later, report, op);
}

void account_refuse_busy(struct account_operation *op)
{
    op->accounts->stats.busy++;
    account_finish_later(op, CODE_UNAVAILABLE, "the server is busy, try again in a moment");
}

void account_compare_password(struct account_operation *op, const char *stored,
                              passwords_done_fn *done)
{
    bool accepted =
        passwords_verify(op->accounts->passwords, slice_str(op->password), stored, done, op);

    account_wipe_password(op);
    if (!accepted)
        account_refuse_busy(op);
}

void account_ask(struct account_operation *op, const struct db_statement *statement,
                 struct db_params *params, db_reply_fn *reply)
{
    if (db_pool_query(op->accounts->pool, statement, params, reply, op))
        op->in_database = true;
    else
        account_finish_later(op, CODE_UNAVAILABLE, "the database is away, try again in a moment");
}

bool account_reply_is_usable(struct account_operation *op, const struct db_reply *reply)
{
    struct accounts *a = op->accounts;

    op->in_database = false;
    if (a->closed) {
        account_forget(op);
        free_closed(a);
        return false;
    }
    if (reply->status == DB_OK)
        return true;
    if (reply->status == DB_ERROR)
        log_error("accounts", "the database refused: %s %s", reply->sqlstate, reply->message);
    account_finish(op, reply->status == DB_ERROR ? CODE_INTERNAL : CODE_UNAVAILABLE,
                   "the database did not answer; whether it was done is unknown", NULL);
    return false;
}

static bool make_access_token(const struct account_operation *op, struct buf *out)
{
    int64_t now = clock_wall_ms() / 1000;
    struct jwt_claims claims = {
        .uid = op->uid,
        .issued_at = now,
        .not_before = now,
        .is_admin = op->is_admin,
        .expires_at = now + op->accounts->config.access_token_ttl_s,
    };

    memcpy(claims.handle, op->handle, sizeof claims.handle);
    memcpy(claims.device, op->device, sizeof claims.device);
    uuid_format(&op->token.session, claims.session);
    return keys_sign(op->accounts->keys, &claims, out) && !out->failed;
}

void account_hand_out(struct account_operation *op, uint64_t *counter)
{
    struct buf access, refresh;
    char handle[HANDLE_MAX_LENGTH + 1];

    memcpy(handle, op->handle, sizeof handle);
    buf_init(&access, TOKEN_MAX_LENGTH);
    buf_init(&refresh, TOKEN_MAX_LENGTH);
    refresh_token_write(&op->token, &refresh);
    if (make_access_token(op, &access)) {
        struct account_session session = {
            .handle = slice_str(handle),
            .access_token = buf_slice(&access),
            .refresh_token = buf_slice(&refresh),
            .expires_in_s = op->accounts->config.access_token_ttl_s,
        };
        (*counter)++;
        account_finish(op, CODE_OK, NULL, &session);
    } else {
        log_error("accounts", "an access token could not be signed");
        account_finish(op, CODE_INTERNAL, "an access token could not be made", NULL);
    }
    explicit_bzero(refresh.data, refresh.length);
    buf_finish(&access);
    buf_finish(&refresh);
}

struct accounts *accounts_create(struct event_base *base, struct db_pool *pool, struct keys *keys,
                                 struct revocations *revocations,
                                 const struct accounts_config *config)
{
    struct accounts *a = must_calloc(1, sizeof *a);

    a->config = *config;
    a->pool = pool;
    a->keys = keys;
    a->revocations = revocations;
    TAILQ_INIT(&a->operations);
    a->later = later_create(base);
    a->passwords = passwords_create(base, &(struct passwords_config){
                                              .memory_kib = config->argon2_memory_kib,
                                              .passes = config->argon2_passes,
                                              .threads = config->worker_threads,
                                              .queue_max = config->worker_queue_max,
                                          });
    if (a->later && a->passwords)
        return a;
    accounts_destroy(a);
    return NULL;
}

void accounts_destroy(struct accounts *a)
{
    struct account_operation *op, *next;

    if (!a)
        return;
    passwords_destroy(a->passwords);
    later_destroy(a->later);
    for (op = TAILQ_FIRST(&a->operations); op; op = next) {
        next = TAILQ_NEXT(op, link);
        if (!op->in_database)
            account_forget(op);
    }
    a->closed = true;
    free_closed(a);
}

bool accounts_hash(struct accounts *a, struct slice password, passwords_done_fn *done, void *owner)
{
    return passwords_hash(a->passwords, password, done, owner);
}

void accounts_get_stats(const struct accounts *a, struct accounts_stats *out)
{
    *out = a->stats;
    out->passwords_pending = passwords_pending(a->passwords);
}
