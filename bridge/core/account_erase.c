/* SPDX-License-Identifier: MIT */
/* account_erase.c - the end of an account, for whoever is logged in and knows its password. What is
 * answered has been committed: nobody logs in any more, no token is good. The rest is the chores'
 * (core/chores.h). */
#include "core/account_operation.h"

#include "base/log.h"
#include "base/memory.h"
#include "core/account_rules.h"
#include "core/passwords.h"
#include "core/revocations.h"

#include <stdlib.h>

static const struct db_statement find_hash = {
    "account_find_hash",
    "SELECT password_hash FROM banter.users"
    " WHERE id = $1::bigint AND disabled_at IS NULL AND password_hash IS NOT NULL",
    1,
};
static const struct db_statement begin_erasure = {
    "account_erase",
    "SELECT erasure, login, ended_at FROM banter.begin_erasure($1::bigint)",
    1,
};
enum { ERASED_COLUMN_ERASURE, ERASED_COLUMN_LOGIN, ERASED_COLUMN_ENDED_AT };

static void ask_about_user(struct account_operation *op, const struct db_statement *statement,
                           db_reply_fn *reply)
{
    struct db_params *params = db_params_create();

    db_i64(params, (int64_t)op->uid);
    account_ask(op, statement, params, reply);
}

static void on_erased(void *owner, const struct db_reply *reply)
{
    struct account_operation *op = owner;
    const PGresult *result = reply->result;
    struct account_session session = {0};

    if (!account_reply_is_usable(op, reply))
        return;
    for (int row = 0; row < PQntuples(result); row++) {
        struct uuid login = db_get_uuid(result, row, ERASED_COLUMN_LOGIN);

        session.erasure = db_get_uuid(result, row, ERASED_COLUMN_ERASURE);
        if (!db_get_null(result, row, ERASED_COLUMN_LOGIN))
            revocations_add(op->accounts->revocations, &login, op->uid,
                            db_get_time_ms(result, row, ERASED_COLUMN_ENDED_AT), true);
    }
    account_note(op, "erase", AUDIT_USER, slice_str(""), CODE_OK, "");
    log_info("accounts", "user %lld is being erased", (long long)op->uid);
    account_finish(op, CODE_OK, NULL, &session);
}

static void on_verified(void *owner, enum password_verdict verdict, const char *hash)
{
    struct account_operation *op = owner;

    (void)hash;
    if (verdict == PASSWORD_FAILED) {
        account_refuse_busy(op);
    } else if (verdict == PASSWORD_WRONG) {
        op->accounts->stats.refused++;
        account_note(op, "erase", AUDIT_USER, slice_str(""), CODE_UNAUTHORIZED, "");
        account_finish(op, CODE_UNAUTHORIZED, "the password is wrong", NULL);
    } else {
        ask_about_user(op, &begin_erasure, on_erased);
    }
}

static void on_found(void *owner, const struct db_reply *reply)
{
    struct account_operation *op = owner;
    char *stored = NULL;

    if (!account_reply_is_usable(op, reply))
        return;
    if (PQntuples(reply->result) > 0)
        stored = must_strndup(db_get_text(reply->result, 0, 0));
    account_compare_password(op, stored, on_verified);
    free(stored);
}

void accounts_erase(struct accounts *a, const struct address *from, uint64_t uid,
                    struct slice password, accounts_done_fn *done, void *owner)
{
    struct account_operation *op = account_begin(a, from, done, owner);

    if (account_check_password(password) != NULL)
        password = slice_of("", 0); /* looked at all the same, and wrong */
    op->uid = uid;
    op->password = must_strndup(password);
    ask_about_user(op, &find_hash, on_found);
}
