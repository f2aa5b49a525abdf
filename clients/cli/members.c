/* SPDX-License-Identifier: MIT */
/* members.c - who is in a conversation, who comes and who goes. */
#include "cli.h"

const char *handle_of(const char *word)
{
    return word[0] == '@' ? word + 1 : word;
}

const char *const *handles_of(const struct arguments *a, int first)
{
    for (int i = first; i < a->count; i++) {
        if (a->operands[i][0] == '@')
            a->operands[i]++;
    }
    return (const char *const *)a->operands + first;
}

int show_conversation(struct cli *c, int status)
{
    if (status)
        return status;
    if (c->json)
        show_json(c->answer);
    else
        show_line(json_object_get(c->answer, "conversation"));
    return EXIT_OK;
}

static int list_members(struct cli *c, const struct arguments *a)
{
    static const struct list list = {
        "listMembers", "members", "user", {"user", "role", "joined_at", "read", NULL}};

    return ask_list(c, &list, a->operands[0]);
}

const struct command command_members = {
    .name = "members",
    .operands = "CONVERSATION",
    .summary = "list the members",
    .about = "Handle, role, since when, and how far they have read.",
    .run = list_members,
    .flags = NEEDS_LOGIN,
    .least = 1,
    .most = 1,
};

static int add(struct cli *c, const struct arguments *a)
{
    int status = ask_wait(c, banter_add_members(c->client, a->operands[0], handles_of(a, 1),
                                                (size_t)a->count - 1, ask_done, c));

    return show_conversation(c, status);
}

const struct command command_add = {
    .name = "add",
    .operands = "CONVERSATION HANDLE...",
    .summary = "add members",
    .run = add,
    .flags = NEEDS_LOGIN,
    .least = 2,
    .most = ANY_NUMBER,
};

static int take_out(struct cli *c, const struct arguments *a)
{
    int status = ask_wait(
        c, banter_remove_member(c->client, a->operands[0], handle_of(a->operands[1]), ask_done, c));

    return show_conversation(c, status);
}

const struct command command_remove = {
    .name = "remove",
    .operands = "CONVERSATION HANDLE",
    .summary = "remove a member",
    .run = take_out,
    .flags = NEEDS_LOGIN,
    .least = 2,
    .most = 2,
};

static int leave(struct cli *c, const struct arguments *a)
{
    return ask_wait(c, banter_leave(c->client, a->operands[0], ask_done, c));
}

const struct command command_leave = {
    .name = "leave",
    .operands = "CONVERSATION",
    .summary = "leave it",
    .run = leave,
    .flags = NEEDS_LOGIN,
    .least = 1,
    .most = 1,
};
