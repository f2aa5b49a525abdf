/* SPDX-License-Identifier: MIT */
/* command_channel.c - createChannel, modifyConversation, deleteConversation. The last two are for
 * groups too. A JSON null takes a title or name away; what is absent stays. */
#include "core/command.h"
#include "core/effects.h"
#include "wire/entry.h"

static const struct db_statement create_channel = {
    "create_channel",
    "SELECT " EFFECT_COLUMNS " FROM banter.create_channel($1::bigint, $2::uuid, $3::text, $4::text,"
    "                                                     $5::boolean, $6::integer)",
    6};

static const struct db_statement modify_conversation = {
    "modify_conversation",
    "SELECT " EFFECT_COLUMNS " FROM banter.modify_conversation($1::bigint, $2::uuid, $3::text,"
    "                                                $4::text, $5::boolean, $6::integer,"
    "                                                $7::integer)",
    7};

enum {
    RETENTION_DAYS_MAX = 36500,
    RETENTION_UNCHANGED = -1,
};

static const struct db_statement delete_conversation = {
    "delete_conversation",
    "SELECT " EFFECT_COLUMNS " FROM banter.delete_conversation($1::bigint, $2::uuid)", 2};

/* What can be said of a channel; NULL data and ROLE_NONE: nothing was. */
struct description {
    struct slice title;
    struct slice name;
    bool has_public;
    bool public;
    enum role joining_role;
};

static bool is_null(const json_t *arguments, const char *name)
{
    return json_is_null(json_object_get(arguments, name));
}

/* "posting" is who posts: the role that joining gives follows from it. */
static bool read_posting(struct command *cmd, const json_t *arguments, enum role *out)
{
    struct slice posting;

    if (!json_object_get(arguments, "posting"))
        return true;
    if (!argument_string(cmd, arguments, "posting", &posting))
        return false;
    if (slice_equal(posting, slice_str("admins"))) {
        *out = ROLE_READER;
        return true;
    }
    if (slice_equal(posting, slice_str("all"))) {
        *out = ROLE_MEMBER;
        return true;
    }
    command_fail(cmd, CODE_INVALID, "\"posting\" must be all or admins");
    return false;
}

static bool read_description(struct command *cmd, const json_t *arguments, struct description *d)
{
    *d = (struct description){.joining_role = ROLE_NONE};
    d->has_public = json_object_get(arguments, "public") != NULL;
    if (is_null(arguments, "title"))
        d->title = slice_of("", 0);
    else if (!argument_title(cmd, arguments, &d->title))
        return false;
    if (is_null(arguments, "name"))
        d->name = slice_of("", 0);
    else if (json_object_get(arguments, "name") && !argument_name(cmd, arguments, &d->name))
        return false;
    return argument_bool(cmd, arguments, "public", &d->public) &&
           read_posting(cmd, arguments, &d->joining_role);
}

/* null: for ever, which PostgreSQL is told as 0. */
static bool read_retention(struct command *cmd, const json_t *arguments, int64_t *days)
{
    *days = RETENTION_UNCHANGED;
    if (is_null(arguments, "retention_days")) {
        *days = 0;
        return true;
    }
    return argument_count(cmd, arguments, "retention_days", RETENTION_DAYS_MAX, days);
}

static struct db_params *begin_params(const struct command *cmd)
{
    struct db_params *params = db_params_create();

    db_i64(params, (int64_t)cmd->uid);
    db_uuid(params, &cmd->conversation);
    return params;
}

void start_create_channel(struct command *cmd, const json_t *arguments)
{
    struct description d;
    struct db_params *params;

    if (!read_description(cmd, arguments, &d))
        return;
    if (d.title.length == 0) {
        command_fail(cmd, CODE_INVALID, "\"title\" is missing");
        return;
    }
    if (!uuid_v7(&cmd->conversation)) {
        command_fail(cmd, CODE_UNAVAILABLE, "no random numbers: try again");
        return;
    }
    params = begin_params(cmd);
    db_text(params, d.title);
    db_text_or_null(params, d.name);
    db_bool(params, d.public);
    db_i64(params, d.joining_role == ROLE_NONE ? ROLE_READER : d.joining_role);
    command_ask(cmd, &create_channel, params);
}

void start_modify_conversation(struct command *cmd, const json_t *arguments)
{
    struct description d;
    int64_t days;
    struct db_params *params;

    if (!argument_conversation(cmd, arguments) || !read_description(cmd, arguments, &d) ||
        !read_retention(cmd, arguments, &days))
        return;
    params = begin_params(cmd);
    db_text_if_given(params, d.title);
    db_text_if_given(params, d.name);
    if (d.has_public)
        db_bool(params, d.public);
    else
        db_null(params);
    if (d.joining_role != ROLE_NONE)
        db_i64(params, d.joining_role);
    else
        db_null(params);
    if (days != RETENTION_UNCHANGED)
        db_i64(params, days);
    else
        db_null(params);
    command_ask(cmd, &modify_conversation, params);
}

void start_delete_conversation(struct command *cmd, const json_t *arguments)
{
    if (argument_conversation(cmd, arguments))
        command_ask(cmd, &delete_conversation, begin_params(cmd));
}
