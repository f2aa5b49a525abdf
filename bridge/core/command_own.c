/* SPDX-License-Identifier: MIT */
/* command_own.c - what a user decides for themselves: mute, block, unblock, listBlocks. Nobody else
 * is told of any of it, but a block shows in the roles of the direct conversation. */
#include "core/command.h"

#include "base/clock.h"
#include "core/effects.h"

/* No row: not visible to the actor, or the actor has been erased. */
static const struct db_statement mute = {
    "mute",
    "UPDATE banter.members m SET muted_until = to_timestamp($3::bigint / 1000.0)"
    "  FROM banter.conversations c"
    " WHERE m.conversation = $1::uuid AND m.user_id = $2::bigint"
    "   AND c.id = $1::uuid AND c.deleted_at IS NULL"
    "   AND NOT EXISTS (SELECT FROM banter.erasures e WHERE e.user_id = m.user_id)"
    " RETURNING m.muted_until",
    3};

static const struct db_statement set_block = {
    "set_block",
    "SELECT " EFFECT_COLUMNS " FROM banter.set_block($1::bigint, $2::uuid, $3::text, $4::boolean)",
    4};

/* An unknown `after` begins at the beginning: blocks may have ended since. */
static const struct db_statement list_blocks = {
    "list_blocks",
    "SELECT u.handle, b.created_at"
    "  FROM banter.blocks b"
    "  JOIN banter.users u ON u.id = b.blocked"
    " WHERE b.blocker = $1::bigint"
    "   AND b.blocked > coalesce((SELECT a.id FROM banter.users a WHERE a.handle = $2::text), 0)"
    " ORDER BY b.blocked LIMIT $3::bigint + 1",
    3};
enum { BLOCK_COLUMN_HANDLE, BLOCK_COLUMN_CREATED_AT };

/* "until": a time, or null to hear of the conversation again. False after failing the command. */
static bool read_until(struct command *cmd, const json_t *arguments, struct db_params *params)
{
    struct slice text;
    int64_t until_ms;

    if (json_is_null(json_object_get(arguments, "until"))) {
        db_null(params);
        return true;
    }
    if (!argument_string(cmd, arguments, "until", &text))
        return false;
    if (!rfc3339_parse(text, &until_ms)) {
        command_fail(cmd, CODE_INVALID, "\"until\" must be a time in RFC 3339, or null");
        return false;
    }
    db_i64(params, until_ms);
    return true;
}

void start_mute(struct command *cmd, const json_t *arguments)
{
    struct db_params *params;

    if (!argument_conversation(cmd, arguments))
        return;
    params = db_params_create();
    db_uuid(params, &cmd->conversation);
    db_i64(params, (int64_t)cmd->uid);
    if (read_until(cmd, arguments, params))
        command_ask(cmd, &mute, params);
    else
        db_params_destroy(params);
}

void answer_mute(struct command *cmd, const PGresult *result)
{
    if (PQntuples(result) == 0) {
        command_fail_no_conversation(cmd);
        return;
    }
    answer_conversation(cmd, result);
    if (db_get_null(result, 0, 0))
        buf_str(&cmd->data, ",\"muted_until\":null");
    else
        command_put_time(&cmd->data, "muted_until", db_get_time_ms(result, 0, 0));
}

static void start_set_block(struct command *cmd, const json_t *arguments, bool blocked)
{
    struct slice other;
    struct db_params *params;

    if (!argument_direct(cmd, arguments, "user", &other))
        return;
    params = db_params_create();
    db_i64(params, (int64_t)cmd->uid);
    db_uuid(params, &cmd->conversation);
    db_text(params, other);
    db_bool(params, blocked);
    command_ask(cmd, &set_block, params);
}

void start_block(struct command *cmd, const json_t *arguments)
{
    start_set_block(cmd, arguments, true);
}

void start_unblock(struct command *cmd, const json_t *arguments)
{
    start_set_block(cmd, arguments, false);
}

void start_list_blocks(struct command *cmd, const json_t *arguments)
{
    struct slice after = {NULL, 0};
    struct db_params *params;

    if (!argument_limit(cmd, arguments))
        return;
    if (json_object_get(arguments, "after") && !argument_handle(cmd, arguments, "after", &after))
        return;
    params = db_params_create();
    db_i64(params, (int64_t)cmd->uid);
    db_text_if_given(params, after);
    db_i64(params, cmd->limit);
    command_ask(cmd, &list_blocks, params);
}

void answer_list_blocks(struct command *cmd, const PGresult *result)
{
    int shown = page_begin(cmd, "blocks", PQntuples(result));

    for (int row = 0; row < shown; row++) {
        buf_str(&cmd->data, row > 0 ? ",{" : "{");
        buf_json_key(&cmd->data, "user");
        buf_json(&cmd->data, db_get_text(result, row, BLOCK_COLUMN_HANDLE));
        command_put_time(&cmd->data, "created_at",
                         db_get_time_ms(result, row, BLOCK_COLUMN_CREATED_AT));
        buf_char(&cmd->data, '}');
    }
    page_end(cmd, PQntuples(result));
}
