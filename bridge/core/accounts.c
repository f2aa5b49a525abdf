/* SPDX-License-Identifier: MIT */
/* accounts.c - see accounts.h: each request as a chain of callbacks, from its function upwards. */
#include "core/account_operation.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/uuid.h"
#include "core/account_rules.h"
#include "core/passwords.h"
#include "core/revocations.h"

#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

static const struct db_statement create_account = {
    "account_create",
    "SELECT banter.create_account($1::text, $2::text, $3::text, $4::text, $5::uuid, $6::text, "
    "$7::bytea, make_interval(secs => $8::bigint))",
    8,
};
static const struct db_statement find_user = {
    "account_find",
    "SELECT id, password_hash, disabled_at IS NOT NULL, banter.is_administrator(id)"
    "  FROM banter.users WHERE handle = $1::text AND password_hash IS NOT NULL",
    1,
};
enum { FOUND_ID, FOUND_HASH, FOUND_DISABLED, FOUND_ADMIN };
static const struct db_statement begin_login = {
    "account_login",
    "SELECT banter.begin_login($1::bigint, $2::uuid, $3::text, $4::bytea, "
    "make_interval(secs => $5::bigint))",
    5,
};
static const struct db_statement renew_login = {
    "account_renew",
    "SELECT outcome, owner_id, owner_handle, session_device, new_generation,"
    " banter.is_administrator(owner_id) FROM banter.renew_login($1::uuid, $2::integer, $3::bytea, "
    "$4::bytea, $5::bytea, "
    "make_interval(secs => $6::bigint), make_interval(secs => $7::bigint))",
    7,
};
static const struct db_statement end_login = {
    "account_logout",
    "DELETE FROM banter.login_sessions WHERE id = $1::uuid "
    "AND (secret_hash = $2::bytea OR previous_hash = $2::bytea) RETURNING user_id",
    2,
};
static const struct db_statement update_hash = {
    "account_rehash",
    "UPDATE banter.users SET password_hash = $2::text"
    " WHERE id = $1::bigint AND password_hash IS NOT NULL",
    2,
};

static const char wrong_password[] = "the handle or the password is wrong";
static const char disabled[] = "this account has been disabled by an operator";
static const char wrong_token[] = "the refresh token is not valid, log in again";

static void put_new_session(struct account_operation *op, struct db_params *params)
{
    uint8_t hash[REFRESH_HASH_BYTES];

    refresh_token_hash(&op->token, hash);
    db_uuid(params, &op->token.session);
    db_text_or_null(params, slice_str(op->device));
    db_bytes(params, slice_of((const char *)hash, sizeof hash));
    db_i64(params, op->accounts->config.refresh_token_ttl_s);
}

static void on_created(void *owner, const struct db_reply *reply)
{
    struct account_operation *op = owner;

    if (!account_reply_is_usable(op, reply))
        return;
    if (db_get_null(reply->result, 0, 0)) {
        op->accounts->stats.refused++;
        account_note(op, "signup", AUDIT_NOBODY, slice_str(""), CODE_CONFLICT, "");
        account_finish(op, CODE_CONFLICT, "this handle is taken", NULL);
        return;
    }
    op->uid = (uint64_t)db_get_i64(reply->result, 0, 0);
    account_hand_out(op, &op->accounts->stats.signups);
}

static void on_hashed(void *owner, enum password_verdict verdict, const char *hash)
{
    struct account_operation *op = owner;
    struct db_params *params;

    if (verdict != PASSWORD_OK) {
        account_refuse_busy(op);
        return;
    }
    refresh_token_begin(&op->token);
    params = db_params_create();
    db_text(params, slice_str(op->handle));
    db_text_or_null(params, slice_str(op->name));
    db_text_or_null(params, slice_str(op->email));
    db_text(params, slice_str(hash));
    put_new_session(op, params);
    account_ask(op, &create_account, params, on_created);
}

static const char *check_signup(struct slice handle, struct slice password, struct slice name,
                                struct slice email, struct slice device)
{
    const char *reason = account_check_handle(handle);

    if (!reason)
        reason = account_check_password(password);
    if (!reason)
        reason = account_check_name(name);
    if (!reason)
        reason = account_check_email(email);
    if (!reason)
        reason = account_check_device(device);
    return reason;
}

/* `to` has room for `from`, which was checked, and is zeroed. */
static void copy_name(char *to, struct slice from)
{
    if (from.length > 0)
        memcpy(to, from.data, from.length);
}

void accounts_signup(struct accounts *a, const struct address *from, struct slice handle,
                     struct slice password, struct slice name, struct slice email,
                     struct slice device, accounts_done_fn *done, void *owner)
{
    struct account_operation *op = account_begin(a, from, done, owner);
    const char *reason = check_signup(handle, password, name, email, device);

    if (!a->config.signup_open) {
        account_note(op, "signup", AUDIT_NOBODY, slice_str(""), CODE_FORBIDDEN, "");
        account_finish_later(op, CODE_FORBIDDEN, "this server takes no sign-ups");
    } else if (reason) {
        account_finish_later(op, CODE_INVALID, reason);
    } else if (account_handle_is_reserved(handle)) {
        account_finish_later(op, CODE_CONFLICT, "this handle is taken");
    } else {
        copy_name(op->handle, handle);
        copy_name(op->device, device);
        op->name = must_strndup(name);
        op->email = must_strndup(email);
        if (!passwords_hash(a->passwords, password, on_hashed, op))
            account_refuse_busy(op);
    }
}

static void on_rehashed(void *owner, const struct db_reply *reply)
{
    (void)owner;
    if (reply->status != DB_OK)
        log_warning("accounts",
                    "a stronger password hash could not be stored; the next login will");
}

/* The login does not wait for this. */
static void store_hash(struct account_operation *op, const char *hash)
{
    struct db_params *params = db_params_create();

    db_i64(params, (int64_t)op->uid);
    db_text(params, slice_str(hash));
    if (!db_pool_query(op->accounts->pool, &update_hash, params, on_rehashed, NULL))
        log_warning("accounts",
                    "a stronger password hash could not be stored; the next login will");
}

/* Said only to who knows the password. */
static void refuse_disabled(struct account_operation *op)
{
    op->accounts->stats.refused++;
    account_note(op, "login", AUDIT_USER, slice_str(""), CODE_FORBIDDEN, "");
    account_finish(op, CODE_FORBIDDEN, disabled, NULL);
}

static void refuse_password(struct account_operation *op)
{
    op->accounts->stats.refused++;
    account_note(op, "login", AUDIT_NOBODY, slice_str(""), CODE_UNAUTHORIZED, "");
    account_finish(op, CODE_UNAUTHORIZED, wrong_password, NULL);
}

/* Of a user who has been erased there is nothing: what was a handle is one that nobody has. */
static void on_looked_again(void *owner, const struct db_reply *reply)
{
    struct account_operation *op = owner;

    if (!account_reply_is_usable(op, reply))
        return;
    if (PQntuples(reply->result) > 0) {
        refuse_disabled(op);
        return;
    }
    op->uid = 0;
    refuse_password(op);
}

static void find(struct account_operation *op, db_reply_fn *reply)
{
    struct db_params *params = db_params_create();

    db_text(params, slice_str(op->handle));
    account_ask(op, &find_user, params, reply);
}

static void on_login_begun(void *owner, const struct db_reply *reply)
{
    struct account_operation *op = owner;

    if (!account_reply_is_usable(op, reply))
        return;
    if (db_get_bool(reply->result, 0, 0))
        account_hand_out(op, &op->accounts->stats.logins);
    else
        find(op, on_looked_again); /* disabled meanwhile, or erased */
}

static void on_verified(void *owner, enum password_verdict verdict, const char *hash)
{
    struct account_operation *op = owner;
    struct db_params *params;

    if (verdict == PASSWORD_FAILED) {
        account_refuse_busy(op);
        return;
    }
    if (verdict == PASSWORD_WRONG) {
        refuse_password(op);
        return;
    }
    if (op->is_disabled) {
        refuse_disabled(op);
        return;
    }
    if (hash)
        store_hash(op, hash);
    refresh_token_begin(&op->token);
    params = db_params_create();
    db_i64(params, (int64_t)op->uid);
    put_new_session(op, params);
    account_ask(op, &begin_login, params, on_login_begun);
}

static void on_found(void *owner, const struct db_reply *reply)
{
    struct account_operation *op = owner;
    char *stored = NULL;

    if (!account_reply_is_usable(op, reply))
        return;
    if (PQntuples(reply->result) > 0) {
        op->uid = (uint64_t)db_get_i64(reply->result, 0, FOUND_ID);
        op->is_disabled = db_get_bool(reply->result, 0, FOUND_DISABLED);
        op->is_admin = db_get_bool(reply->result, 0, FOUND_ADMIN);
        stored = must_strndup(db_get_text(reply->result, 0, FOUND_HASH));
    }
    account_compare_password(op, stored, on_verified);
    free(stored);
}

void accounts_login(struct accounts *a, const struct address *from, struct slice handle,
                    struct slice password, struct slice device, accounts_done_fn *done, void *owner)
{
    struct account_operation *op = account_begin(a, from, done, owner);
    const char *reason = account_check_device(device);

    if (reason) {
        account_finish_later(op, CODE_INVALID, reason);
        return;
    }
    /* What cannot be a handle or a password is looked for all the same: it must not be faster. */
    if (account_check_handle(handle) == NULL)
        copy_name(op->handle, handle);
    if (account_check_password(password) != NULL)
        password = slice_of("", 0);
    copy_name(op->device, device);
    op->password = must_strndup(password);
    find(op, on_found);
}

enum {
    RENEWED_OUTCOME,
    RENEWED_UID,
    RENEWED_HANDLE,
    RENEWED_DEVICE,
    RENEWED_GENERATION,
    RENEWED_ADMIN
};

/* The session has been ended, by its user or because of what was done with its token. */
static void revoke(struct account_operation *op, uint64_t uid, enum audit_by by, const char *why)
{
    char session[UUID_TEXT_LENGTH + 1];

    op->uid = uid;
    uuid_format(&op->token.session, session);
    revocations_add(op->accounts->revocations, &op->token.session, uid, clock_wall_ms(), true);
    account_note(op, "session_end", by, slice_str(session), CODE_OK, why);
}

static void on_renewed(void *owner, const struct db_reply *reply)
{
    struct account_operation *op = owner;
    const PGresult *result = reply->result;
    struct slice outcome;

    if (!account_reply_is_usable(op, reply))
        return;
    outcome = db_get_text(result, 0, RENEWED_OUTCOME);
    if (slice_equal(outcome, slice_str("renewed"))) {
        op->uid = (uint64_t)db_get_i64(result, 0, RENEWED_UID);
        copy_name(op->handle, db_get_text(result, 0, RENEWED_HANDLE));
        copy_name(op->device, db_get_text(result, 0, RENEWED_DEVICE));
        op->is_admin = db_get_bool(result, 0, RENEWED_ADMIN);
        op->token.generation = (uint32_t)db_get_i64(result, 0, RENEWED_GENERATION);
        account_hand_out(op, &op->accounts->stats.refreshes);
        return;
    }
    op->accounts->stats.refused++;
    if (slice_equal(outcome, slice_str("reused"))) {
        op->accounts->stats.reused++;
        revoke(op, (uint64_t)db_get_i64(result, 0, RENEWED_UID), AUDIT_SYSTEM,
               "a used refresh token came again");
        log_warning("accounts", "a used refresh token came again: its session, of user %lld, ended",
                    (long long)db_get_i64(result, 0, RENEWED_UID));
    }
    account_finish(op, CODE_UNAUTHORIZED,
                   slice_equal(outcome, slice_str("disabled")) ? disabled : wrong_token, NULL);
}

/* Only its hash is stored, or NULL for none. */
static void put_retry_key(struct db_params *params, struct slice key)
{
    uint8_t hash[REFRESH_HASH_BYTES];

    if (key.length == 0) {
        db_null(params);
        return;
    }
    SHA256((const unsigned char *)key.data, key.length, hash);
    db_bytes(params, slice_of((const char *)hash, sizeof hash));
}

void accounts_refresh(struct accounts *a, const struct address *from, struct slice refresh_token,
                      struct slice retry_key, accounts_done_fn *done, void *owner)
{
    struct account_operation *op = account_begin(a, from, done, owner);
    uint8_t presented[REFRESH_HASH_BYTES], renewed[REFRESH_HASH_BYTES];
    struct db_params *params;

    if (!refresh_token_read(&op->token, refresh_token)) {
        a->stats.refused++;
        account_finish_later(op, CODE_UNAUTHORIZED, wrong_token);
        return;
    }
    refresh_token_hash(&op->token, presented);
    refresh_token_renew(&op->token);
    refresh_token_hash(&op->token, renewed);
    params = db_params_create();
    db_uuid(params, &op->token.session);
    db_i64(params, op->token.generation);
    db_bytes(params, slice_of((const char *)presented, sizeof presented));
    db_bytes(params, slice_of((const char *)renewed, sizeof renewed));
    put_retry_key(params, retry_key);
    db_i64(params, a->config.refresh_token_ttl_s);
    db_i64(params, ACCOUNT_GRACE_S);
    account_ask(op, &renew_login, params, on_renewed);
}

static void on_ended(void *owner, const struct db_reply *reply)
{
    struct account_operation *op = owner;

    if (!account_reply_is_usable(op, reply))
        return;
    if (PQntuples(reply->result) > 0)
        revoke(op, (uint64_t)db_get_i64(reply->result, 0, 0), AUDIT_USER, "logout");
    account_finish(op, CODE_OK, NULL, NULL);
}

void accounts_logout(struct accounts *a, const struct address *from, struct slice refresh_token,
                     accounts_done_fn *done, void *owner)
{
    struct account_operation *op = account_begin(a, from, done, owner);
    uint8_t hash[REFRESH_HASH_BYTES];
    struct db_params *params;

    if (!refresh_token_read(&op->token, refresh_token)) {
        account_finish_later(op, CODE_OK, NULL);
        return;
    }
    refresh_token_hash(&op->token, hash);
    params = db_params_create();
    db_uuid(params, &op->token.session);
    db_bytes(params, slice_of((const char *)hash, sizeof hash));
    account_ask(op, &end_login, params, on_ended);
}
