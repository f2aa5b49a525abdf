/* SPDX-License-Identifier: MIT */
/* command_join.c - join. A name or an invite is looked up first, because changes of one
 * conversation take turns; whether it still holds is decided under the lock. */
#include "core/command.h"
#include "core/effects.h"
#include "wire/entry.h"

static const struct db_statement find_name = {
    "find_channel", "SELECT conversation FROM banter.channels WHERE name = $1::text AND public", 1};

static const struct db_statement join = {
    "join",
    "SELECT " EFFECT_COLUMNS
    " FROM banter.join_conversation($1::bigint, $2::uuid, $3::bytea, $4::integer)",
    4};

static void ask_to_join(struct command *cmd)
{
    struct db_params *params = db_params_create();

    db_i64(params, (int64_t)cmd->uid);
    db_uuid(params, &cmd->conversation);
    if (cmd->kept_length > 0)
        db_bytes(params, slice_of((const char *)cmd->kept, cmd->kept_length));
    else
        db_null(params);
    db_i64(params, command_group_members_max(cmd));
    command_ask(cmd, &join, params);
}

static void found_to_join(struct command *cmd, const PGresult *result)
{
    if (PQntuples(result) == 0) {
        if (cmd->kept_length > 0)
            command_fail_no_invite(cmd);
        else
            command_fail(cmd, CODE_NOT_FOUND, "there is no public channel of this name");
        return;
    }
    cmd->conversation = db_get_uuid(result, 0, 0);
    ask_to_join(cmd);
}

void start_join(struct command *cmd, const json_t *arguments)
{
    static const char *const ways[] = {"conversation", "name", "invite"};
    struct slice name;
    struct db_params *params;

    if (!argument_one_of(cmd, arguments, ways, 3,
                         "one of \"conversation\", \"name\" and \"invite\" says what to join"))
        return;
    if (json_object_get(arguments, "invite")) {
        command_look_up_invite(cmd, arguments, found_to_join);
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
