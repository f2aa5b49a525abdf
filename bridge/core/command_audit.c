/* SPDX-License-Identifier: MIT */
/* command_audit.c - what the audit log says of commands: audited ones as a whole, and the logins
 * that any of them has ended. */
#include "core/command.h"

#include "base/clock.h"
#include "core/audit.h"
#include "core/effects.h"
#include "wire/entry.h"

void command_note(const struct command *cmd, const char *action, uint64_t user,
                  const struct uuid *object, const char *detail)
{
    struct audit *audit = command_audit(cmd);
    char id[UUID_TEXT_LENGTH + 1] = "";

    if (!audit)
        return;
    if (!uuid_is_nil(object))
        uuid_format(object, id);
    audit_note(audit,
               &(struct audit_event){
                   .action = action,
                   .by = AUDIT_USER,
                   .actor = cmd->uid,
                   .user = user,
                   .object = slice_str(id),
                   .address = cmd->address_is_known ? &cmd->address : NULL,
                   .result = cmd->code,
                   .detail = slice_str(detail),
               },
               clock_monotonic_ms());
}

/* A slip of a client's is nothing to note. */
void command_note_outcome(const struct command *cmd)
{
    if (cmd->spec && command_is_audited(cmd->spec) && cmd->code != CODE_INVALID)
        command_note(cmd, cmd->spec->name, cmd->mark.user, &cmd->conversation,
                     cmd->mark.role ? cmd->mark.role : "");
}

void command_mark_member(struct command *cmd, const PGresult *result)
{
    for (int row = 0; row < PQntuples(result) && cmd->mark.user == 0; row++) {
        uint64_t uid = (uint64_t)db_get_i64(result, row, EFFECT_COLUMN_USER_ID);
        enum role role = (enum role)db_get_i64(result, row, EFFECT_COLUMN_ROLE);

        if (!db_get_null(result, row, EFFECT_COLUMN_ENTRY_KIND) || uid == cmd->uid)
            continue;
        cmd->mark.user = uid;
        cmd->mark.role = role == ROLE_NONE ? NULL : role_name(role);
    }
}
