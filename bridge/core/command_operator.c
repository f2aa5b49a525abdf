/* SPDX-License-Identifier: MIT */
/* command_operator.c - what administrators do to other users, and ask of the server.
 *
 * Whether the actor is an administrator is judged by the statements alone (0023_operators.sql), in
 * the transaction of each: nothing here may tell more of a user than they do. */
#include "core/command.h"

#include "base/clock.h"
#include "core/account_rules.h"
#include "core/accounts.h"
#include "core/invite_token.h"
#include "core/presence.h"
#include "wire/json.h"
#include "wire/names.h"

#include <assert.h>
#include <string.h>

_Static_assert((int)INVITE_TOKEN_LENGTH <= (int)COMMAND_KEPT_BYTES &&
                   (int)DEVICE_MAX_LENGTH <= (int)COMMAND_KEPT_BYTES &&
                   (int)INVITE_TOKEN_LENGTH >= (int)PASSWORD_MIN_LENGTH,
               "a drawn password and the name of a device are kept");

static const struct db_statement may_operate = {
    "may_operate", "SELECT FROM banter.must_be_administrator($1::bigint)", 1};
static const struct db_statement create_user = {
    "create_user", "SELECT banter.create_user($1::bigint, $2::text, $3::text, $4::text)", 4};
static const struct db_statement disable_user = {
    "disable_user",
    "SELECT user_id, login, ended_at FROM banter.disable_user($1::bigint, $2::text)", 2};
static const struct db_statement enable_user = {
    "enable_user", "SELECT banter.enable_user($1::bigint, $2::text)", 2};
static const struct db_statement erase_user = {
    "erase_user",
    "SELECT user_id, login, ended_at, erasure FROM banter.erase_user($1::bigint, $2::text)", 2};
static const struct db_statement kick_user = {
    "kick_user",
    "SELECT banter.operators_target($1::bigint, $2::text), NULL::uuid, NULL::timestamptz", 2};
static const struct db_statement find_user = {
    "operators_target", "SELECT banter.operators_target($1::bigint, $2::text), $2::text", 2};
static const struct db_statement list_sessions = {
    "list_sessions",
    "SELECT user_id, disabled, last_seen, login, device, created_at, rotated_at, expires_at"
    "  FROM banter.list_sessions($1::bigint, $2::text)",
    2};
static const struct db_statement server_stats = {
    "server_stats",
    "SELECT users, conversations, messages, logins FROM banter.server_stats($1::bigint)", 1};

enum { COLUMN_USER_ID, COLUMN_HANDLE, COLUMN_ERASURE = ENDS_COLUMN_ENDED_AT + 1 };

/* ---------------------------------------------------------------- createUser */

static struct slice argument_of(const struct command *cmd, const char *name)
{
    return json_member_string(cmd->arguments, name);
}

static struct slice new_password(const struct command *cmd)
{
    if (cmd->kept_length > 0)
        return slice_of((const char *)cmd->kept, cmd->kept_length);
    return argument_of(cmd, "password");
}

static void on_hashed(void *owner, enum password_verdict verdict, const char *hash)
{
    struct command *cmd = owner;
    struct db_params *params;

    if (verdict == PASSWORD_OK) {
        params = db_params_create();
        db_i64(params, (int64_t)cmd->uid);
        db_text(params, argument_of(cmd, "user"));
        db_text_or_null(params, argument_of(cmd, "name"));
        db_text(params, slice_str(hash));
        command_ask(cmd, &create_user, params);
    } else {
        command_fail(cmd, CODE_UNAVAILABLE, "the server is busy: try again in a moment");
    }
    command_go_on(cmd);
}

/* Passwords cost much, so who asks is looked at first. */
static void on_may_create(struct command *cmd, const PGresult *result)
{
    (void)result;
    if (account_handle_is_reserved(argument_of(cmd, "user")))
        command_fail(cmd, CODE_CONFLICT, "this handle is taken");
    else if (accounts_hash(command_accounts(cmd), new_password(cmd), on_hashed, cmd))
        cmd->state = COMMAND_HASHING;
    else
        command_fail(cmd, CODE_UNAVAILABLE, "the server is busy: try again in a moment");
}

/* A string that `check` has nothing against. */
static bool check_text(struct command *cmd, const json_t *arguments, const char *name,
                       const char *(*check)(struct slice))
{
    struct slice given;
    const char *reason;

    if (!argument_string(cmd, arguments, name, &given))
        return false;
    reason = check(given);
    if (reason)
        command_fail(cmd, CODE_INVALID, "%s", reason);
    return !reason;
}

/* Without a password one is drawn, which the answer tells. */
static bool take_password(struct command *cmd, const json_t *arguments)
{
    char drawn[INVITE_TOKEN_LENGTH + 1];

    if (!json_object_get(arguments, "password")) {
        if (!invite_token_draw(drawn)) {
            command_fail(cmd, CODE_UNAVAILABLE, "the system has no random bytes: try again");
            return false;
        }
        memcpy(cmd->kept, drawn, INVITE_TOKEN_LENGTH);
        cmd->kept_length = INVITE_TOKEN_LENGTH;
        explicit_bzero(drawn, sizeof drawn);
        return true;
    }
    return check_text(cmd, arguments, "password", account_check_password);
}

static bool check_name(struct command *cmd, const json_t *arguments)
{
    return !json_object_get(arguments, "name") ||
           check_text(cmd, arguments, "name", account_check_name);
}

void start_create_user(struct command *cmd, const json_t *arguments)
{
    struct slice user;
    struct db_params *params;

    if (!argument_handle(cmd, arguments, "user", &user) || !check_name(cmd, arguments) ||
        !take_password(cmd, arguments))
        return;
    cmd->arguments = json_incref((json_t *)arguments);
    params = db_params_create();
    db_i64(params, (int64_t)cmd->uid);
    command_look_up(cmd, &may_operate, params, on_may_create);
}

void answer_create_user(struct command *cmd, const PGresult *result)
{
    cmd->mark.user = (uint64_t)db_get_i64(result, 0, COLUMN_USER_ID);
    buf_json_key(&cmd->data, "user");
    buf_json(&cmd->data, argument_of(cmd, "user"));
    if (cmd->kept_length > 0) {
        buf_json_key(&cmd->data, "password");
        buf_json(&cmd->data, new_password(cmd));
    }
}

/* ---------------------------------------------------------------- to one user */

static void ask_about(struct command *cmd, const json_t *arguments,
                      const struct db_statement *statement)
{
    struct db_params *params;
    struct slice user;

    if (!argument_handle(cmd, arguments, "user", &user))
        return;
    params = db_params_create();
    db_i64(params, (int64_t)cmd->uid);
    db_text(params, user);
    command_ask(cmd, statement, params);
}

void start_disable_user(struct command *cmd, const json_t *arguments)
{
    cmd->ending = KICK_DISABLED;
    ask_about(cmd, arguments, &disable_user);
}

void start_enable_user(struct command *cmd, const json_t *arguments)
{
    ask_about(cmd, arguments, &enable_user);
}

void start_erase_user(struct command *cmd, const json_t *arguments)
{
    cmd->ending = KICK_DISABLED;
    ask_about(cmd, arguments, &erase_user);
}

void start_export_user(struct command *cmd, const json_t *arguments)
{
    ask_about(cmd, arguments, &find_user);
}

void start_kick_user(struct command *cmd, const json_t *arguments)
{
    struct slice device;

    cmd->ending = "kicked";
    if (json_object_get(arguments, "device")) {
        if (!argument_string(cmd, arguments, "device", &device))
            return;
        if (!device_is_valid(device)) {
            command_fail(cmd, CODE_INVALID, "\"device\" must be the name of a device");
            return;
        }
        memcpy(cmd->kept, device.data, device.length);
        cmd->kept_length = device.length;
    }
    ask_about(cmd, arguments, &kick_user);
}

void start_list_sessions(struct command *cmd, const json_t *arguments)
{
    ask_about(cmd, arguments, &list_sessions);
}

/* As many logins as there are rows with one. */
void answer_disable_user(struct command *cmd, const PGresult *result)
{
    bool none = db_get_null(result, 0, ENDS_COLUMN_LOGIN);

    buf_json_key(&cmd->data, "revoked");
    buf_i64(&cmd->data, none ? 0 : PQntuples(result));
}

void answer_enable_user(struct command *cmd, const PGresult *result)
{
    cmd->mark.user = (uint64_t)db_get_i64(result, 0, COLUMN_USER_ID);
}

void answer_erase_user(struct command *cmd, const PGresult *result)
{
    struct uuid erasure = db_get_uuid(result, 0, COLUMN_ERASURE);
    char id[UUID_TEXT_LENGTH + 1];

    uuid_format(&erasure, id);
    buf_json_key(&cmd->data, "erasure");
    buf_json(&cmd->data, slice_of(id, UUID_TEXT_LENGTH));
}

/* A handle needs no escapes in a path. */
void answer_export_user(struct command *cmd, const PGresult *result)
{
    struct slice handle = db_get_text(result, 0, COLUMN_HANDLE);

    cmd->mark.user = (uint64_t)db_get_i64(result, 0, COLUMN_USER_ID);
    buf_json_key(&cmd->data, "user");
    buf_json(&cmd->data, handle);
    buf_json_key(&cmd->data, "export");
    buf_printf(&cmd->data, "\"/v1/users/%.*s/export\"", (int)handle.length, handle.data);
}

/* ---------------------------------------------------------------- listSessions */

enum session_column {
    SESSION_COLUMN_USER_ID,
    SESSION_COLUMN_DISABLED,
    SESSION_COLUMN_LAST_SEEN,
    SESSION_COLUMN_LOGIN,
    SESSION_COLUMN_DEVICE,
    SESSION_COLUMN_CREATED_AT,
    SESSION_COLUMN_ROTATED_AT,
    SESSION_COLUMN_EXPIRES_AT,
};

static void put_login(struct buf *b, const PGresult *result, int row)
{
    struct uuid login = db_get_uuid(result, row, SESSION_COLUMN_LOGIN);
    char id[UUID_TEXT_LENGTH + 1];

    uuid_format(&login, id);
    buf_str(b, row > 0 ? ",{" : "{");
    buf_json_key(b, "login");
    buf_json(b, slice_of(id, UUID_TEXT_LENGTH));
    if (!db_get_null(result, row, SESSION_COLUMN_DEVICE)) {
        buf_json_key(b, "device");
        buf_json(b, db_get_text(result, row, SESSION_COLUMN_DEVICE));
    }
    command_put_time(b, "created_at", db_get_time_ms(result, row, SESSION_COLUMN_CREATED_AT));
    command_put_time(b, "last_used_at", db_get_time_ms(result, row, SESSION_COLUMN_ROTATED_AT));
    command_put_time(b, "expires_at", db_get_time_ms(result, row, SESSION_COLUMN_EXPIRES_AT));
    buf_char(b, '}');
}

static void put_device(void *owner, struct slice device)
{
    struct buf *b = owner;

    if (b->data[b->length - 1] != '[')
        buf_char(b, ',');
    buf_json(b, device);
}

static void put_connections(struct command *cmd, uint64_t uid)
{
    const struct presence *presence = command_presence(cmd);

    buf_json_key(&cmd->data, "connected");
    buf_char(&cmd->data, '[');
    presence_each_device(presence, uid, put_device, &cmd->data);
    buf_char(&cmd->data, ']');
    buf_json_key(&cmd->data, "elsewhere");
    buf_str(&cmd->data, presence_is_elsewhere(presence, uid) ? "true" : "false");
}

void answer_list_sessions(struct command *cmd, const PGresult *result)
{
    bool none = db_get_null(result, 0, SESSION_COLUMN_LOGIN);

    cmd->mark.user = (uint64_t)db_get_i64(result, 0, SESSION_COLUMN_USER_ID);
    buf_json_key(&cmd->data, "disabled");
    buf_str(&cmd->data, db_get_bool(result, 0, SESSION_COLUMN_DISABLED) ? "true" : "false");
    if (!db_get_null(result, 0, SESSION_COLUMN_LAST_SEEN))
        command_put_time(&cmd->data, "last_seen",
                         db_get_time_ms(result, 0, SESSION_COLUMN_LAST_SEEN));
    buf_json_key(&cmd->data, "logins");
    buf_char(&cmd->data, '[');
    for (int row = 0; !none && row < PQntuples(result); row++)
        put_login(&cmd->data, result, row);
    buf_char(&cmd->data, ']');
    put_connections(cmd, cmd->mark.user);
}

/* ---------------------------------------------------------------- getStats */

void start_get_stats(struct command *cmd, const json_t *arguments)
{
    struct db_params *params = db_params_create();

    (void)arguments;
    db_i64(params, (int64_t)cmd->uid);
    command_ask(cmd, &server_stats, params);
}

void answer_get_stats(struct command *cmd, const PGresult *result)
{
    static const char *const counted[] = {"users", "conversations", "messages", "logins"};
    struct command_gauges g = command_gauges(cmd);
    const struct {
        const char *name;
        uint64_t value;
    } measured[] = {
        {"devices", g.devices},
        {"users_online", g.users_online},
        {"nodes", g.nodes},
        {"drafts_waiting", g.drafts_waiting},
    };

    for (size_t i = 0; i < sizeof counted / sizeof *counted; i++) {
        buf_json_key(&cmd->data, counted[i]);
        buf_i64(&cmd->data, db_get_i64(result, 0, (int)i));
    }
    for (size_t i = 0; i < sizeof measured / sizeof *measured; i++) {
        buf_json_key(&cmd->data, measured[i].name);
        buf_i64(&cmd->data, (int64_t)measured[i].value);
    }
}
