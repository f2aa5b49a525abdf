/* SPDX-License-Identifier: MIT */
/* command_invite.c - createInvite, listInvites, revokeInvite. The token is known to whoever made
 * the invite and never again: the table has its hash, and those who list and revoke it use its id.
 */
#include "core/command.h"

#include "core/invite_token.h"

#include <string.h>

_Static_assert((int)INVITE_HASH_BYTES <= (int)COMMAND_KEPT_BYTES, "a hash is kept");
_Static_assert((int)INVITE_TOKEN_LENGTH <= (int)COMMAND_KEPT_BYTES, "a token is kept");

#define JOIN_URL "/join/"

/* The found invite, by its token or its id. */
static const struct db_statement find_by_hash = {
    "find_invite", "SELECT conversation, id FROM banter.invites WHERE hash = $1::bytea", 1};
static const struct db_statement find_by_id = {
    "find_invite_by_id", "SELECT conversation, id FROM banter.invites WHERE id = $1::uuid", 1};
enum { FOUND_COLUMN_CONVERSATION, FOUND_COLUMN_ID };

static const struct db_statement create_invite = {
    "create_invite",
    "SELECT $3::uuid,"
    "       banter.create_invite($1::bigint, $2::uuid, $3, $4::bytea, $5::bigint, $6::integer),"
    "       $6::bigint",
    6};
enum { CREATED_COLUMN_ID, CREATED_COLUMN_EXPIRES_AT, CREATED_COLUMN_USES };

static const struct db_statement list_invites = {
    "list_invites",
    "SELECT id, created_at, created_by, expires_at, uses_left::bigint"
    "  FROM banter.list_invites($1::bigint, $2::uuid, $3::uuid, $4::bigint + 1)"
    " ORDER BY id",
    4};
enum list_column {
    LIST_COLUMN_ID,
    LIST_COLUMN_CREATED_AT,
    LIST_COLUMN_CREATED_BY,
    LIST_COLUMN_EXPIRES_AT,
    LIST_COLUMN_USES_LEFT,
};

static const struct db_statement revoke_invites = {
    "revoke_invites", "SELECT banter.revoke_invites($1::bigint, $2::uuid, $3::uuid)", 3};

void command_fail_no_invite(struct command *cmd)
{
    command_fail(cmd, CODE_NOT_FOUND, "this invite is not valid, or no longer");
}

void command_look_up_invite(struct command *cmd, const json_t *arguments,
                            void (*found)(struct command *cmd, const PGresult *result))
{
    struct slice token;
    struct db_params *params;

    if (!argument_string(cmd, arguments, "invite", &token))
        return;
    if (!invite_token_hash(token, cmd->kept)) {
        command_fail_no_invite(cmd);
        return;
    }
    cmd->kept_length = INVITE_HASH_BYTES;
    params = db_params_create();
    db_bytes(params, slice_of((const char *)cmd->kept, cmd->kept_length));
    command_look_up(cmd, &find_by_hash, params, found);
}

static struct db_params *begin_params(const struct command *cmd)
{
    struct db_params *params = db_params_create();

    db_i64(params, (int64_t)cmd->uid);
    db_uuid(params, &cmd->conversation);
    return params;
}

static void put_count(struct db_params *params, int64_t count)
{
    if (count > 0)
        db_i64(params, count);
    else
        db_null(params);
}

/* ---------------------------------------------------------------- createInvite */

void start_create_invite(struct command *cmd, const json_t *arguments)
{
    char token[INVITE_TOKEN_LENGTH + 1];
    uint8_t hash[INVITE_HASH_BYTES];
    struct uuid id;
    int64_t expires_in = 0, uses = 0;
    struct db_params *params;

    if (!argument_conversation(cmd, arguments) ||
        !argument_count(cmd, arguments, "expires_in", INVITE_SECONDS_MAX, &expires_in) ||
        !argument_count(cmd, arguments, "uses", INVITE_USES_MAX, &uses))
        return;
    if (!uuid_v7(&id) || !invite_token_draw(token) || !invite_token_hash(slice_str(token), hash)) {
        command_fail(cmd, CODE_UNAVAILABLE, "no random numbers: try again");
        return;
    }
    memcpy(cmd->kept, token, INVITE_TOKEN_LENGTH);
    params = begin_params(cmd);
    db_uuid(params, &id);
    db_bytes(params, slice_of((const char *)hash, sizeof hash));
    put_count(params, expires_in);
    put_count(params, uses);
    command_ask(cmd, &create_invite, params);
}

static void put_id(struct buf *b, const PGresult *result, int row, int column)
{
    struct uuid id = db_get_uuid(result, row, column);
    char text[UUID_TEXT_LENGTH + 1];

    uuid_format(&id, text);
    buf_json_key(b, "id");
    buf_json(b, slice_of(text, UUID_TEXT_LENGTH));
}

static void put_expiry(struct buf *b, const PGresult *result, int row, int column)
{
    if (db_get_null(result, row, column))
        buf_str(b, ",\"expires_at\":null");
    else
        command_put_time(b, "expires_at", db_get_time_ms(result, row, column));
}

/* The number, or null: without bound. */
static void put_uses(struct buf *b, const char *name, const PGresult *result, int row, int column)
{
    buf_json_key(b, name);
    if (db_get_null(result, row, column))
        buf_str(b, "null");
    else
        buf_i64(b, db_get_i64(result, row, column));
}

/* {"conversation","id","invite","url","expires_at","uses"} */
void answer_create_invite(struct command *cmd, const PGresult *result)
{
    struct slice token = slice_of((const char *)cmd->kept, INVITE_TOKEN_LENGTH);

    answer_conversation(cmd, result);
    put_id(&cmd->data, result, 0, CREATED_COLUMN_ID);
    buf_json_key(&cmd->data, "invite");
    buf_json(&cmd->data, token);
    buf_str(&cmd->data, ",\"url\":\"" JOIN_URL);
    buf_slice_put(&cmd->data, token);
    buf_char(&cmd->data, '"');
    put_expiry(&cmd->data, result, 0, CREATED_COLUMN_EXPIRES_AT);
    put_uses(&cmd->data, "uses", result, 0, CREATED_COLUMN_USES);
}

/* ---------------------------------------------------------------- listInvites */

/* The argument `name` as the id of an invite. */
static bool read_id(struct command *cmd, const json_t *arguments, const char *name,
                    struct uuid *out)
{
    struct slice text;

    if (!argument_string(cmd, arguments, name, &text))
        return false;
    if (!uuid_parse(out, text)) {
        command_fail(cmd, CODE_INVALID, "\"%s\" is not the id of an invite", name);
        return false;
    }
    return true;
}

void start_list_invites(struct command *cmd, const json_t *arguments)
{
    bool pages = json_object_get(arguments, "after") != NULL;
    struct uuid after;
    struct db_params *params;

    if (!argument_conversation(cmd, arguments) || !argument_limit(cmd, arguments) ||
        (pages && !read_id(cmd, arguments, "after", &after)))
        return;
    params = begin_params(cmd);
    if (pages)
        db_uuid(params, &after);
    else
        db_null(params);
    db_i64(params, cmd->limit);
    command_ask(cmd, &list_invites, params);
}

void answer_list_invites(struct command *cmd, const PGresult *result)
{
    struct buf *b = &cmd->data;
    int shown;

    answer_conversation(cmd, result);
    shown = page_begin(cmd, "invites", PQntuples(result));
    for (int row = 0; row < shown; row++) {
        buf_str(b, row > 0 ? ",{" : "{");
        put_id(b, result, row, LIST_COLUMN_ID);
        command_put_time(b, "created_at", db_get_time_ms(result, row, LIST_COLUMN_CREATED_AT));
        buf_json_key(b, "created_by");
        buf_json(b, db_get_text(result, row, LIST_COLUMN_CREATED_BY));
        put_expiry(b, result, row, LIST_COLUMN_EXPIRES_AT);
        put_uses(b, "uses_left", result, row, LIST_COLUMN_USES_LEFT);
        buf_char(b, '}');
    }
    page_end(cmd, PQntuples(result));
}

/* ---------------------------------------------------------------- revokeInvite */

static void found_to_revoke(struct command *cmd, const PGresult *result)
{
    struct db_params *params;
    struct uuid id;

    if (PQntuples(result) == 0) {
        command_fail_no_invite(cmd);
        return;
    }
    cmd->conversation = db_get_uuid(result, 0, FOUND_COLUMN_CONVERSATION);
    id = db_get_uuid(result, 0, FOUND_COLUMN_ID);
    params = begin_params(cmd);
    db_uuid(params, &id);
    command_ask(cmd, &revoke_invites, params);
}

static void revoke_by_id(struct command *cmd, const json_t *arguments)
{
    struct db_params *params;
    struct uuid id;

    if (!read_id(cmd, arguments, "id", &id))
        return;
    params = db_params_create();
    db_uuid(params, &id);
    command_look_up(cmd, &find_by_id, params, found_to_revoke);
}

static void revoke_all(struct command *cmd, const json_t *arguments)
{
    struct db_params *params;

    if (!argument_conversation(cmd, arguments))
        return;
    params = begin_params(cmd);
    db_null(params);
    command_ask(cmd, &revoke_invites, params);
}

void start_revoke_invite(struct command *cmd, const json_t *arguments)
{
    static const char *const ways[] = {"conversation", "id", "invite"};

    if (!argument_one_of(cmd, arguments, ways, 3,
                         "one of \"id\", \"invite\" and, for all of them, \"conversation\" says"
                         " what to revoke"))
        return;
    if (json_object_get(arguments, "invite"))
        command_look_up_invite(cmd, arguments, found_to_revoke);
    else if (json_object_get(arguments, "id"))
        revoke_by_id(cmd, arguments);
    else
        revoke_all(cmd, arguments);
}

/* {"conversation":"…","revoked":1} */
void answer_revoke_invite(struct command *cmd, const PGresult *result)
{
    answer_conversation(cmd, result);
    buf_json_key(&cmd->data, "revoked");
    buf_i64(&cmd->data, db_get_i64(result, 0, 0));
}
