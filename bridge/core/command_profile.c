/* SPDX-License-Identifier: MIT */
/* command_profile.c - getProfile and modifyProfile. What of a profile a reader may see is decided
 * by banter.profile_for(); here absent is absent. */
#include "core/command.h"

#include "core/account_rules.h"
#include "core/herald.h"
#include "core/presence.h"
#include "core/presence/row.h"

#include <assert.h>

#define PROFILE_COLUMNS                                                                            \
    "own, handle, name, created_at, avatar, email, last_seen, email_visibility,"                   \
    " last_seen_visibility"

enum profile_column {
    COLUMN_OWN,
    COLUMN_HANDLE,
    COLUMN_NAME,
    COLUMN_CREATED_AT,
    COLUMN_AVATAR,
    COLUMN_EMAIL,
    COLUMN_LAST_SEEN,
    COLUMN_EMAIL_VISIBILITY,
    COLUMN_LAST_SEEN_VISIBILITY,
    COLUMN_HIDDEN, /* these two of modify_profile */
    COLUMN_CHANGED,
};

static const struct db_statement get_profile = {
    "get_profile", "SELECT " PROFILE_COLUMNS " FROM banter.profile_for($1::bigint, $2::text)", 2};

static const struct db_statement modify_profile = {
    "modify_profile",
    "SELECT " PROFILE_COLUMNS ", hidden, changed"
    " FROM banter.modify_profile($1::bigint, $2::text, $3::text, $4::integer, $5::integer)",
    5};

/* By the numbers that users.email_visibility and its like hold. */
static const char *const visibilities[] = {"nobody", "contacts", "everyone"};

enum { VISIBILITY_NOBODY, VISIBILITY_COUNT = sizeof visibilities / sizeof *visibilities };

void start_get_profile(struct command *cmd, const json_t *arguments)
{
    struct slice user = slice_str(cmd->handle);
    struct db_params *params;

    if (json_object_get(arguments, "user") && !argument_handle(cmd, arguments, "user", &user))
        return;
    params = db_params_create();
    db_i64(params, (int64_t)cmd->uid);
    db_text(params, user);
    command_ask(cmd, &get_profile, params);
}

/* A string, or null for the empty one; an absent one is NULL data. */
static bool read_optional(struct command *cmd, const json_t *arguments, const char *name,
                          const char *(*check)(struct slice value), struct slice *out)
{
    const json_t *value = json_object_get(arguments, name);
    const char *reason;

    *out = slice_of(NULL, 0);
    if (!value)
        return true;
    if (!json_is_string(value) && !json_is_null(value)) {
        command_fail(cmd, CODE_INVALID, "\"%s\" must be a string or null", name);
        return false;
    }
    *out = json_is_null(value) ? slice_of("", 0)
                               : slice_of(json_string_value(value), json_string_length(value));
    reason = check(*out);
    if (reason)
        command_fail(cmd, CODE_INVALID, "%s", reason);
    return !reason;
}

/* *out is -1 when it is absent. */
static bool read_visibility(struct command *cmd, const json_t *arguments, const char *name,
                            int *out)
{
    const json_t *value = json_object_get(arguments, name);
    struct slice text = slice_of(json_string_value(value), json_string_length(value));

    *out = -1;
    if (!value)
        return true;
    for (int i = 0; i < VISIBILITY_COUNT; i++) {
        if (slice_equal(text, slice_str(visibilities[i])))
            *out = i;
    }
    if (*out < 0)
        command_fail(cmd, CODE_INVALID, "\"%s\" must be everyone, contacts or nobody", name);
    return *out >= 0;
}

static void put_visibility(struct db_params *params, int visibility)
{
    if (visibility >= 0)
        db_i64(params, visibility);
    else
        db_null(params);
}

void start_modify_profile(struct command *cmd, const json_t *arguments)
{
    struct slice name, email;
    int email_visibility, last_seen_visibility;
    struct db_params *params;

    if (!read_optional(cmd, arguments, "name", account_check_name, &name) ||
        !read_optional(cmd, arguments, "email", account_check_email, &email) ||
        !read_visibility(cmd, arguments, "email_visibility", &email_visibility) ||
        !read_visibility(cmd, arguments, "last_seen_visibility", &last_seen_visibility))
        return;
    params = db_params_create();
    db_i64(params, (int64_t)cmd->uid);
    db_text_if_given(params, name);
    db_text_if_given(params, email);
    put_visibility(params, email_visibility);
    put_visibility(params, last_seen_visibility);
    command_ask(cmd, &modify_profile, params);
}

static void put_visibility_name(struct buf *b, const char *name, int64_t visibility)
{
    assert(visibility >= 0 && visibility < VISIBILITY_COUNT); /* a constraint of the table */
    buf_json_key(b, name);
    buf_json(b, slice_str(visibilities[visibility]));
}

static void put_text(struct buf *b, const char *name, const PGresult *result, int column)
{
    buf_json_key(b, name);
    if (db_get_null(result, 0, column))
        buf_str(b, "null");
    else
        buf_json(b, db_get_text(result, 0, column));
}

static void put_avatar(struct buf *b, const PGresult *result)
{
    struct uuid avatar = db_get_uuid(result, 0, COLUMN_AVATAR);
    char text[UUID_TEXT_LENGTH + 1];

    uuid_format(&avatar, text);
    buf_json_key(b, "avatar");
    if (db_get_null(result, 0, COLUMN_AVATAR))
        buf_str(b, "null");
    else
        buf_json(b, slice_of(text, UUID_TEXT_LENGTH));
}

void answer_profile(struct command *cmd, const PGresult *result)
{
    struct buf *b = &cmd->data;
    bool own;

    if (PQntuples(result) == 0) {
        command_fail(cmd, CODE_NOT_FOUND, "there is no such user");
        return;
    }
    own = db_get_bool(result, 0, COLUMN_OWN);
    put_text(b, "user", result, COLUMN_HANDLE);
    put_text(b, "name", result, COLUMN_NAME);
    put_avatar(b, result);
    command_put_time(b, "created_at", db_get_time_ms(result, 0, COLUMN_CREATED_AT));
    if (own || !db_get_null(result, 0, COLUMN_EMAIL))
        put_text(b, "email", result, COLUMN_EMAIL);
    if (!db_get_null(result, 0, COLUMN_LAST_SEEN))
        command_put_time(b, "last_seen", db_get_time_ms(result, 0, COLUMN_LAST_SEEN));
    if (own) {
        put_visibility_name(b, "email_visibility", db_get_i64(result, 0, COLUMN_EMAIL_VISIBILITY));
        put_visibility_name(b, "last_seen_visibility",
                            db_get_i64(result, 0, COLUMN_LAST_SEEN_VISIBILITY));
    }
}

void tell_profile(const struct command *cmd, const PGresult *result, struct herald *herald,
                  struct presence *presence)
{
    struct presence_row row;

    if (PQntuples(result) == 0)
        return;
    if (db_get_bool(result, 0, COLUMN_CHANGED))
        herald_profile(herald, cmd->uid);
    if (!presence)
        return;
    /* Also if nothing changed: the change may have been made by a command whose answer was lost. */
    row = (struct presence_row){
        .last_seen_ms = db_get_time_ms(result, 0, COLUMN_LAST_SEEN),
        .hidden = db_get_bool(result, 0, COLUMN_HIDDEN),
        .discreet = db_get_i64(result, 0, COLUMN_LAST_SEEN_VISIBILITY) == VISIBILITY_NOBODY,
    };
    presence_row_changed(presence, cmd->uid, slice_str(cmd->handle), &row);
}
