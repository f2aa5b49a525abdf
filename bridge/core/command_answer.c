/* SPDX-License-Identifier: MIT */
/* command_answer.c - the answers that many commands share. Those to questions about what the actor
 * may not see must be the same as about what does not exist. */
#include "core/command.h"

void command_fail_no_conversation(struct command *cmd)
{
    command_fail(cmd, CODE_NOT_FOUND, "no such conversation, or you are not a member of it");
}

void answer_conversation(struct command *cmd, const PGresult *result)
{
    char id[UUID_TEXT_LENGTH + 1];

    (void)result;
    uuid_format(&cmd->conversation, id);
    buf_json_key(&cmd->data, "conversation");
    buf_json(&cmd->data, slice_of(id, UUID_TEXT_LENGTH));
}

void answer_nothing(struct command *cmd, const PGresult *result)
{
    (void)cmd;
    (void)result;
}
