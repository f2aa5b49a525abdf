/* SPDX-License-Identifier: MIT */
/* command_group.c - createGroup, addMembers, removeMember, setRole, leave. Who may do what is
 * decided by the SQL functions, under the conversation's lock. */
#include "core/command.h"
#include "core/effects.h"
#include "wire/entry.h"

static const struct db_statement create_group = {
    "create_group",
    "SELECT " EFFECT_COLUMNS
    " FROM banter.create_group($1::bigint, $2::uuid, $3::text, $4::text[], $5::integer)",
    5};

static const struct db_statement add_members = {
    "add_members",
    "SELECT " EFFECT_COLUMNS
    " FROM banter.add_members($1::bigint, $2::uuid, $3::text[], $4::integer)",
    4};

static const struct db_statement remove_member = {
    "remove_member",
    "SELECT " EFFECT_COLUMNS " FROM banter.remove_member($1::bigint, $2::uuid, $3::text)", 3};

static const struct db_statement set_role = {
    "set_role",
    "SELECT " EFFECT_COLUMNS " FROM banter.set_role($1::bigint, $2::uuid, $3::text, $4::integer)",
    4};

static const struct db_statement leave = {
    "leave", "SELECT " EFFECT_COLUMNS " FROM banter.leave($1::bigint, $2::uuid)", 2};

/* The first two parameters of all of them. */
static struct db_params *begin_params(const struct command *cmd)
{
    struct db_params *params = db_params_create();

    db_i64(params, (int64_t)cmd->uid);
    db_uuid(params, &cmd->conversation);
    return params;
}

void start_create_group(struct command *cmd, const json_t *arguments)
{
    struct slice title;
    struct db_params *params;

    if (!argument_title(cmd, arguments, &title))
        return;
    if (!uuid_v7(&cmd->conversation)) {
        command_fail(cmd, CODE_UNAVAILABLE, "no random numbers: try again");
        return;
    }
    params = begin_params(cmd);
    db_text_if_given(params, title);
    if (!argument_handles(cmd, arguments, "members", true, params)) {
        db_params_destroy(params);
        return;
    }
    db_i64(params, command_group_members_max(cmd));
    command_ask(cmd, &create_group, params);
}

void start_add_members(struct command *cmd, const json_t *arguments)
{
    struct db_params *params;

    if (!argument_conversation(cmd, arguments))
        return;
    params = begin_params(cmd);
    if (!argument_handles(cmd, arguments, "members", false, params)) {
        db_params_destroy(params);
        return;
    }
    db_i64(params, command_group_members_max(cmd));
    command_ask(cmd, &add_members, params);
}

/* {"conversation":"…","added":["bob"]}: those who were not members before. */
void answer_add_members(struct command *cmd, const PGresult *result)
{
    bool first = true;

    answer_conversation(cmd, result);
    buf_str(&cmd->data, ",\"added\":[");
    for (int row = 0; row < PQntuples(result); row++) {
        if (!db_get_null(result, row, EFFECT_COLUMN_ENTRY_KIND))
            continue;
        if (!first)
            buf_char(&cmd->data, ',');
        first = false;
        buf_json(&cmd->data, db_get_text(result, row, EFFECT_COLUMN_HANDLE));
    }
    buf_char(&cmd->data, ']');
}

void start_remove_member(struct command *cmd, const json_t *arguments)
{
    struct slice other;
    struct db_params *params;

    if (!argument_conversation(cmd, arguments) || !argument_handle(cmd, arguments, "user", &other))
        return;
    params = begin_params(cmd);
    db_text(params, other);
    command_ask(cmd, &remove_member, params);
}

/* By the name that clients see; ROLE_NONE after failing the command. */
static enum role argument_role(struct command *cmd, const json_t *arguments)
{
    struct slice name;

    if (!argument_string(cmd, arguments, "role", &name))
        return ROLE_NONE;
    for (enum role role = ROLE_READER; role <= ROLE_OWNER; role++) {
        if (slice_equal(name, slice_str(role_name(role))))
            return role;
    }
    command_fail(cmd, CODE_INVALID, "\"role\" must be owner, admin, member or reader");
    return ROLE_NONE;
}

void start_set_role(struct command *cmd, const json_t *arguments)
{
    struct slice other;
    enum role role;
    struct db_params *params;

    if (!argument_conversation(cmd, arguments) || !argument_handle(cmd, arguments, "user", &other))
        return;
    role = argument_role(cmd, arguments);
    if (role == ROLE_NONE)
        return;
    params = begin_params(cmd);
    db_text(params, other);
    db_i64(params, role);
    command_ask(cmd, &set_role, params);
}

void start_leave(struct command *cmd, const json_t *arguments)
{
    if (argument_conversation(cmd, arguments))
        command_ask(cmd, &leave, begin_params(cmd));
}
