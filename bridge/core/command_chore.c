/* SPDX-License-Identifier: MIT */
/* command_chore.c - the slices of chores, as commands that nobody can ask for. A slice is small
 * enough that whoever waits for the same rows hardly notices. */
#include "core/command.h"
#include "core/effects.h"

#include <assert.h>

enum {
    ERASED_PER_SLICE = 500, /* entries, which may be long, and as many memberships */
    ROLES_PER_SLICE = 1000,
    EXPIRED_PER_SLICE = 500,          /* entries, under the lock that those who post wait for */
    ERASED_OF_AUTHOR_PER_SLICE = 500, /* the same; and as many conversations looked at in a step */
};

static const struct db_statement erase_deleted = {
    "erase_deleted", "SELECT FROM banter.erase_deleted($1::uuid, $2::integer)", 2};

static const struct db_statement settle_roles = {
    "settle_roles", "SELECT " EFFECT_COLUMNS " FROM banter.settle_roles($1::uuid, $2::integer)", 2};

static const struct db_statement erase_expired = {
    "erase_expired", "SELECT FROM banter.erase_expired($1::uuid, $2::integer)", 2};

static const struct db_statement erase_author = {
    "erase_author", "SELECT " EFFECT_COLUMNS " FROM banter.erase_author($1::uuid, $2::integer)", 2};

static const struct db_statement erasure_step = {
    "erasure_step", "SELECT FROM banter.erasure_step($1::uuid, $2::integer)", 2};

static const struct db_statement blob_removed = {
    "erasure_blob", "SELECT FROM banter.erasure_blob_removed($1::uuid)", 1};

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

static void start_expire(struct command *cmd, const json_t *arguments)
{
    (void)arguments;
    ask_slice(cmd, &erase_expired, EXPIRED_PER_SLICE);
}

static void start_author(struct command *cmd, const json_t *arguments)
{
    (void)arguments;
    ask_slice(cmd, &erase_author, ERASED_OF_AUTHOR_PER_SLICE);
}

static void start_erasure(struct command *cmd, const json_t *arguments)
{
    (void)arguments;
    ask_slice(cmd, &erasure_step, ERASED_OF_AUTHOR_PER_SLICE);
}

static void start_blob(struct command *cmd, const json_t *arguments)
{
    struct db_params *params = db_params_create();

    (void)arguments;
    db_uuid(params, &cmd->conversation);
    command_ask(cmd, &blob_removed, params);
}

static const struct command_spec chores[] = {
    [CHORE_ERASE] = {"erase", start_erase, answer_nothing, COMMAND_READS},
    [CHORE_ROLES] = {"roles", start_roles, answer_nothing, COMMAND_CHANGES},
    [CHORE_EXPIRE] = {"expire", start_expire, answer_nothing, COMMAND_READS},
    [CHORE_AUTHOR] = {"author", start_author, answer_nothing, COMMAND_CHANGES},
    [CHORE_ERASURE] = {"erasure", start_erasure, answer_nothing, COMMAND_READS},
    [CHORE_BLOB] = {"blob", start_blob, answer_nothing, COMMAND_READS},
};

const struct command_spec *command_of_chore(enum chore chore)
{
    assert(chore >= CHORE_ERASE && chore <= CHORE_BLOB);
    return &chores[chore];
}
