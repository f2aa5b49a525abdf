/* SPDX-License-Identifier: MIT */
/* command_direct.c - createDirect. The id comes from the two handles, so asking twice, or at the
 * same time as the first message to @handle, gives the same conversation. */
#include "core/command.h"
#include "core/effects.h"

static const struct db_statement create_direct = {
    "create_direct",
    "SELECT " EFFECT_COLUMNS " FROM banter.create_direct($1::bigint, $2::uuid, $3::text)", 3};

void start_create_direct(struct command *cmd, const json_t *arguments)
{
    struct slice other;
    struct db_params *params;

    if (!argument_direct(cmd, arguments, "user", &other))
        return;
    params = db_params_create();
    db_i64(params, (int64_t)cmd->uid);
    db_uuid(params, &cmd->conversation);
    db_text(params, other);
    command_ask(cmd, &create_direct, params);
}
