/* SPDX-License-Identifier: MIT */
/* app_users.c - see app_users.h. */
#include "app_users.h"

#include "base/log.h"
#include "config.h"
#include "core/account_rules.h"
#include "core/invite_token.h"
#include "core/passwords.h"
#include "db/operator.h"
#include "wire/limits.h"

#include <stdio.h>
#include <string.h>

/* A password and what fgets() puts behind it; one byte more shows that it is too long. */
enum { LINE_MAX_BYTES = PASSWORD_MAX_LENGTH + 3 };

_Static_assert((int)INVITE_TOKEN_LENGTH >= (int)PASSWORD_MIN_LENGTH &&
                   (int)INVITE_TOKEN_LENGTH < (int)LINE_MAX_BYTES,
               "what is drawn is a password");

/* False after logging: it breaks a rule. */
static bool is_fine(const char *what, const char *reason)
{
    if (reason)
        log_error("operator", "users: %s: %s", what, reason);
    return !reason;
}

/* Reads or draws a password. False after logging. */
static bool take_password(char password[LINE_MAX_BYTES], bool *drawn)
{
    if (!fgets(password, LINE_MAX_BYTES, stdin))
        password[0] = '\0';
    password[strcspn(password, "\r\n")] = '\0';
    *drawn = !password[0];
    if (*drawn && !invite_token_draw(password))
        return is_fine("create", "the system has no random bytes");
    return is_fine("create", account_check_password(slice_str(password)));
}

static bool check_handle(const char *handle)
{
    const char *reason = account_check_handle(slice_str(handle));

    if (!reason && account_handle_is_reserved(slice_str(handle)))
        reason = "this handle is taken";
    return is_fine(handle, reason);
}

static bool create(const struct config *config, const char *who, const char *handle)
{
    const struct passwords_config cost = {.memory_kib = config->argon2_memory_kib,
                                          .passes = config->argon2_passes};
    char password[LINE_MAX_BYTES], hash[PASSWORD_HASH_BYTES];
    bool drawn = false, ok;

    ok = check_handle(handle) && take_password(password, &drawn) &&
         passwords_hash_now(&cost, slice_str(password), hash) &&
         operator_create_user(config->database, who, handle, hash);
    if (ok && drawn)
        printf("made %s, whose password is %s\n", handle, password);
    else if (ok)
        printf("made %s\n", handle);
    explicit_bzero(password, sizeof password);
    return ok;
}

/* Who is an administrator is the owner's to say: no running bridge can. */
static const char *database_for(const struct config *config, const char *action)
{
    bool is_owners = operator_users_appoints(action) && config->migrate_database[0];

    return is_owners ? config->migrate_database : config->database;
}

bool app_users_have(const char *action)
{
    return strcmp(action, "create") == 0 || operator_users_has(action);
}

bool app_users_keep(const struct config *config, const char *who, const char *action,
                    const char *subject)
{
    if (strcmp(action, "create") == 0)
        return create(config, who, subject);
    return operator_users(database_for(config, action), who, action, subject);
}
