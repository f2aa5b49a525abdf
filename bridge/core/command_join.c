/* SPDX-License-Identifier: MIT */
/* command_join.c - join, createInvite, revokeInvite. A name or an invite is looked up first,
 * because changes of one conversation take turns; whether it still holds is decided under the lock.
 */
#include "core/command.h"
#include "core/effects.h"
#include "core/invite_token.h"
#include "wire/entry.h"

#include <assert.h>
#include <string.h>

_Static_assert((int)INVITE_HASH_BYTES <= (int)COMMAND_KEPT_BYTES, "a hash is kept");
_Static_assert((int)INVITE_TOKEN_LENGTH <= (int)COMMAND_KEPT_BYTES, "a token is kept");

#define JOIN_URL "/join/"

static const struct db_statement find_name = {
    "find_channel", "SELECT conversation FROM banter.channels WHERE name = $1::text AND public", 1};

static const struct db_statement find_invite = {
    "find_invite", "SELECT conversation FROM banter.invites WHERE hash = $1::bytea", 1};

static const struct db_statement join = {
    "join",
    "SELECT " EFFECT_COLUMNS
    " FROM banter.join_conversation($1::bigint, $2::uuid, $3::bytea, $4::integer)",
    4};

static const struct db_statement create_invite = {
    "create_invite",
    "SELECT banter.create_invite($1::bigint, $2::uuid, $3::bytea, $4::bigint, $5::integer),"
    "       $5::bigint",
    5};

static const struct db_statement revoke_invites = {
    "revoke_invites", "SELECT banter.revoke_invites($1::bigint, $2::uuid, $3::bytea)", 3};

static struct db_params *begin_params(const struct command *cmd)
{
    struct db_params *params = db_params_create();

    db_i64(params, (int64_t)cmd->uid);
    db_uuid(params, &cmd->conversation);
    return params;
}

static void put_kept_hash(const struct command *cmd, struct db_params *params)
{
    if (cmd->kept_length > 0)
        db_bytes(params, slice_of((const char *)cmd->kept, cmd->kept_length));
    else
        db_null(params);
}

static void ask_to_join(struct command *cmd)
{
    struct db_params *params = begin_params(cmd);

    put_kept_hash(cmd, params);
    db_i64(params, command_group_members_max(cmd));
    command_ask(cmd, &join, params);
}

static void ask_to_revoke(struct command *cmd)
{
    struct db_params *params = begin_params(cmd);

    put_kept_hash(cmd, params);
    command_ask(cmd, &revoke_invites, params);
}

/* False after failing the command: there is no such channel or invite. */
static bool take_found(struct command *cmd, const PGresult *result)
{
    if (PQntuples(result) == 0) {
        command_fail(cmd, CODE_NOT_FOUND,
                     cmd->kept_length > 0 ? "this invite is not valid, or no longer"
                                          : "there is no public channel of this name");
        return false;
    }
    cmd->conversation = db_get_uuid(result, 0, 0);
    return true;
}

static void found_to_join(struct command *cmd, const PGresult *result)
{
    if (take_found(cmd, result))
        ask_to_join(cmd);
}

static void found_to_revoke(struct command *cmd, const PGresult *result)
{
    if (take_found(cmd, result))
        ask_to_revoke(cmd);
}

/* Looks up the conversation of the argument "invite", whose hash is kept. */
static void look_up_invite(struct command *cmd, const json_t *arguments,
                           void (*found)(struct command *cmd, const PGresult *result))
{
    struct slice token;
    struct db_params *params;

    if (!argument_string(cmd, arguments, "invite", &token))
        return;
    if (!invite_token_hash(token, cmd->kept)) {
        command_fail(cmd, CODE_NOT_FOUND, "this invite is not valid, or no longer");
        return;
    }
    cmd->kept_length = INVITE_HASH_BYTES;
    params = db_params_create();
    put_kept_hash(cmd, params);
    command_look_up(cmd, &find_invite, params, found);
}

/* True when `arguments` has exactly one of the names; else the command has failed. */
static bool has_one_of(struct command *cmd, const json_t *arguments, const char *const names[],
                       size_t count, const char *reason)
{
    size_t present = 0;

    for (size_t i = 0; i < count; i++)
        present += json_object_get(arguments, names[i]) != NULL;
    if (present != 1)
        command_fail(cmd, CODE_INVALID, "%s", reason);
    return present == 1;
}

void start_join(struct command *cmd, const json_t *arguments)
{
    static const char *const ways[] = {"conversation", "name", "invite"};
    struct slice name;
    struct db_params *params;

    if (!has_one_of(cmd, arguments, ways, 3,
                    "one of \"conversation\", \"name\" and \"invite\" says what to join"))
        return;
    if (json_object_get(arguments, "invite")) {
        look_up_invite(cmd, arguments, found_to_join);
        return;
    }
    if (json_object_get(arguments, "conversation")) {
        if (argument_conversation(cmd, arguments))
            ask_to_join(cmd);
        return;
    }
    if (!argument_name(cmd, arguments, &name))
        return;
    params = db_params_create();
    db_text(params, name);
    command_look_up(cmd, &find_name, params, found_to_join);
}

/* {"conversation":"…","role":"member","last_seq":41}: what comes after last_seq is delivered. */
void answer_join(struct command *cmd, const PGresult *result)
{
    enum role role = (enum role)db_get_i64(result, 0, EFFECT_COLUMN_ROLE);

    answer_conversation(cmd, result);
    buf_json_key(&cmd->data, "role");
    buf_json(&cmd->data, slice_str(role_name(role)));
    buf_json_key(&cmd->data, "last_seq");
    buf_i64(&cmd->data, db_get_i64(result, 0, EFFECT_COLUMN_SEQ));
}

void start_create_invite(struct command *cmd, const json_t *arguments)
{
    char token[INVITE_TOKEN_LENGTH + 1];
    uint8_t hash[INVITE_HASH_BYTES];
    int64_t expires_in = 0, uses = 0;
    struct db_params *params;

    if (!argument_conversation(cmd, arguments) ||
        !argument_count(cmd, arguments, "expires_in", INVITE_SECONDS_MAX, &expires_in) ||
        !argument_count(cmd, arguments, "uses", INVITE_USES_MAX, &uses))
        return;
    if (!invite_token_draw(token) || !invite_token_hash(slice_str(token), hash)) {
        command_fail(cmd, CODE_UNAVAILABLE, "no random numbers: try again");
        return;
    }
    memcpy(cmd->kept, token, INVITE_TOKEN_LENGTH);
    params = begin_params(cmd);
    db_bytes(params, slice_of((const char *)hash, sizeof hash));
    if (expires_in > 0)
        db_i64(params, expires_in);
    else
        db_null(params);
    if (uses > 0)
        db_i64(params, uses);
    else
        db_null(params);
    command_ask(cmd, &create_invite, params);
}

/* {"conversation","invite","url","expires_at","uses"}; the last two may be null: without bound. */
void answer_create_invite(struct command *cmd, const PGresult *result)
{
    struct slice token = slice_of((const char *)cmd->kept, INVITE_TOKEN_LENGTH);

    answer_conversation(cmd, result);
    buf_json_key(&cmd->data, "invite");
    buf_json(&cmd->data, token);
    buf_str(&cmd->data, ",\"url\":\"" JOIN_URL);
    buf_slice_put(&cmd->data, token);
    buf_char(&cmd->data, '"');
    if (db_get_null(result, 0, 0))
        buf_str(&cmd->data, ",\"expires_at\":null");
    else
        command_put_time(&cmd->data, "expires_at", db_get_time_ms(result, 0, 0));
    buf_json_key(&cmd->data, "uses");
    if (db_get_null(result, 0, 1))
        buf_str(&cmd->data, "null");
    else
        buf_i64(&cmd->data, db_get_i64(result, 0, 1));
}

void start_revoke_invite(struct command *cmd, const json_t *arguments)
{
    static const char *const ways[] = {"conversation", "invite"};

    if (!has_one_of(cmd, arguments, ways, 2,
                    "either \"invite\" or, for all of them, \"conversation\" says what to revoke"))
        return;
    if (json_object_get(arguments, "invite"))
        look_up_invite(cmd, arguments, found_to_revoke);
    else if (argument_conversation(cmd, arguments))
        ask_to_revoke(cmd);
}

/* {"conversation":"…","revoked":1} */
void answer_revoke_invite(struct command *cmd, const PGresult *result)
{
    answer_conversation(cmd, result);
    buf_json_key(&cmd->data, "revoked");
    buf_i64(&cmd->data, db_get_i64(result, 0, 0));
}
