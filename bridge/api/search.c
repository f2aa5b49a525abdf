/* SPDX-License-Identifier: MIT */
/* search.c - the searching commands as resources: the query's parameters are the arguments. */
#include "core/commands.h"

#include "api/routes.h"

#include <stdio.h>

static void on_data(void *owner, enum code code, const char *reason, struct slice data)
{
    if (code == CODE_OK)
        call_answer_copy(owner, 200, data);
    else
        call_refuse(owner, code, reason);
}

/* Hands query parameter `name` on as argument `argument`, for the command to judge. */
static void hand_on(struct call *c, json_t *arguments, const char *name, const char *argument)
{
    const char *value = http_request_query(c->request, name);
    json_t *string = value ? json_string(value) : NULL;

    if (value) /* what is not UTF-8 becomes null, which no command takes for a string */
        json_object_set_new(arguments, argument, string ? string : json_null());
}

static void run(struct call *c, const char *command, json_t *arguments)
{
    int64_t limit = 0;

    if (call_read_number(c, "limit", 1, &limit)) {
        if (limit > 0)
            json_object_set_new(arguments, "limit", json_integer(limit));
        command_run(c->core->commands, &c->actor, command, arguments, on_data, c);
    }
    json_decref(arguments);
}

void handle_search_users(struct call *c)
{
    json_t *arguments = json_object();

    hand_on(c, arguments, "search", "query");
    run(c, "searchUsers", arguments);
}

/* As in paths, @handle stands for the direct conversation with that user. */
static bool put_conversation(struct call *c, json_t *arguments)
{
    const char *value = http_request_query(c->request, "conversation");
    char text[UUID_TEXT_LENGTH + 1];
    struct uuid conversation;

    if (!value)
        return true;
    snprintf(c->parameter, sizeof c->parameter, "%s", value);
    if (!call_read_conversation(c, &conversation))
        return false;
    uuid_format(&conversation, text);
    json_object_set_new(arguments, "conversation", json_string(text));
    return true;
}

void handle_search(struct call *c)
{
    json_t *arguments = json_object();

    if (!put_conversation(c, arguments)) {
        json_decref(arguments);
        return;
    }
    hand_on(c, arguments, "q", "query");
    hand_on(c, arguments, "from", "from");
    hand_on(c, arguments, "after", "after");
    hand_on(c, arguments, "before", "before");
    hand_on(c, arguments, "next", "next");
    run(c, "searchMessages", arguments);
}
