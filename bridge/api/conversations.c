/* SPDX-License-Identifier: MIT */
/* conversations.c - commands about conversations as resources: the answer is the command's data. */
#include "core/commands.h"

#include "api/routes.h"

static void on_data(void *owner, enum code code, const char *reason, struct slice data)
{
    if (code == CODE_OK)
        call_answer_copy(owner, 200, data);
    else
        call_refuse(owner, code, reason);
}

static void put_conversation(json_t *arguments, const struct uuid *conversation)
{
    char text[UUID_TEXT_LENGTH + 1];

    uuid_format(conversation, text);
    json_object_set_new(arguments, "conversation", json_string(text));
}

/* `after` and `limit`, for the command to judge. False after answering. */
static bool put_page(struct call *c, json_t *arguments)
{
    const char *after = http_request_query(c->request, "after");
    int64_t limit = 0;

    if (!call_read_number(c, "limit", 1, &limit))
        return false;
    if (limit > 0)
        json_object_set_new(arguments, "limit", json_integer(limit));
    if (after)
        json_object_set_new(arguments, "after", json_string(after));
    return true;
}

void handle_conversations(struct call *c)
{
    json_t *arguments = json_object();

    if (put_page(c, arguments))
        command_run(c->core->commands, &c->actor, "listConversations", arguments, on_data, c);
    json_decref(arguments);
}

void handle_conversation(struct call *c)
{
    json_t *arguments = json_object();
    struct uuid conversation;

    if (call_read_conversation(c, &conversation)) {
        put_conversation(arguments, &conversation);
        command_run(c->core->commands, &c->actor, "getConversation", arguments, on_data, c);
    }
    json_decref(arguments);
}

void handle_members(struct call *c)
{
    json_t *arguments = json_object();
    struct uuid conversation;

    if (call_read_conversation(c, &conversation) && put_page(c, arguments)) {
        put_conversation(arguments, &conversation);
        command_run(c->core->commands, &c->actor, "listMembers", arguments, on_data, c);
    }
    json_decref(arguments);
}

void handle_invites(struct call *c)
{
    json_t *arguments = json_object();
    struct uuid conversation;

    if (call_read_conversation(c, &conversation) && put_page(c, arguments)) {
        put_conversation(arguments, &conversation);
        command_run(c->core->commands, &c->actor, "listInvites", arguments, on_data, c);
    }
    json_decref(arguments);
}

void handle_revoke_invite(struct call *c)
{
    json_t *arguments = json_object();

    /* A parameter that is not UTF-8 is no string, which the command refuses. */
    json_object_set_new(arguments, "id", json_string(c->parameter));
    command_run(c->core->commands, &c->actor, "revokeInvite", arguments, on_data, c);
    json_decref(arguments);
}
