/* SPDX-License-Identifier: MIT */
/* command_chore.c - the slices of chores, as commands that nobody can ask for. A slice is small
 * enough that whoever waits for the same rows hardly notices. */
#include "core/command.h"
#include "core/effects.h"

#include <assert.h>

enum {
    ERASED_PER_SLICE = 500, /* entries, which may be long, and as many memberships */
    ROLES_PER_SLICE = 1000,
};

static const struct db_statement erase_deleted = {
    "erase_deleted", "SELECT FROM banter.erase_deleted($1::uuid, $2::integer)", 2};

static const struct db_statement settle_roles = {
    "settle_roles", "SELECT " EFFECT_COLUMNS " FROM banter.settle_roles($1::uuid, $2::integer)", 2};

static void ask_slice(struct command *cmd, const struct db_statement *statement, int64_t slice)
{
    struct db_params *params = db_params_create();

    db_uuid(params, &cmd->conversation);
    db_i64(params, slice);
    command_ask(cmd, statement, params);
}

static void start_erase(struct command *cmd, const json_t *arguments)
{
    (void)arguments;
    ask_slice(cmd, &erase_deleted, ERASED_PER_SLICE);
}

static void start_roles(struct command *cmd, const json_t *arguments)
{
    (void)arguments;
    ask_slice(cmd, &settle_roles, ROLES_PER_SLICE);
}

static const struct command_spec chores[] = {
    [CHORE_ERASE] = {"erase", start_erase, answer_nothing, COMMAND_READS},
    [CHORE_ROLES] = {"roles", start_roles, answer_nothing, COMMAND_CHANGES},
};

const struct command_spec *command_of_chore(enum chore chore)
{
    assert(chore == CHORE_ERASE || chore == CHORE_ROLES);
    return &chores[chore];
}
