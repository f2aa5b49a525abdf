/* SPDX-License-Identifier: MIT */
/* conversations.c - which there are, and new ones. */
#include "cli.h"

static int list_conversations(struct cli *c, const struct arguments *a)
{
    static const struct list list = {
        "listConversations",
        "conversations",
        "conversation",
        {"conversation", "kind", "role", "last_seq", "unread", "title", "user", NULL}};

    (void)a;
    return ask_list(c, &list, NULL);
}

const struct command command_conversations = {
    .name = "conversations",
    .summary = "list one's conversations",
    .about = "Id, kind, role, the last seq, how many are unread, title, and of direct ones the "
             "other user.",
    .run = list_conversations,
    .flags = NEEDS_LOGIN,
};

static int create_direct(struct cli *c, const struct arguments *a)
{
    return show_conversation(
        c, ask_wait(c, banter_create_direct(c->client, handle_of(a->operands[0]), ask_done, c)));
}

static const struct command command_direct = {
    .name = "direct",
    .operands = "HANDLE",
    .summary = "the conversation with another user, or its id if there is one",
    .run = create_direct,
    .flags = NEEDS_LOGIN,
    .least = 1,
    .most = 1,
};

static int create_group(struct cli *c, const struct arguments *a)
{
    int status = ask_wait(c, banter_create_group(c->client, a->operands[0], handles_of(a, 1),
                                                 (size_t)a->count - 1, ask_done, c));

    return show_conversation(c, status);
}

static const struct command command_group = {
    .name = "group",
    .operands = "TITLE [HANDLE]...",
    .summary = "a group, and its first members",
    .run = create_group,
    .flags = NEEDS_LOGIN,
    .least = 1,
    .most = ANY_NUMBER,
};

static int create_channel(struct cli *c, const struct arguments *a)
{
    bool is_public = argument_given(a, "public");
    json_t *command = json_pack("{s:s, s:s, s:s*, s:b, s:s*}", "command", "createChannel", "title",
                                a->operands[0], "name", argument_text(a, "name"), "public",
                                is_public, "posting", argument_text(a, "posting"));

    return show_conversation(c, ask_command(c, command));
}

static const struct option_row channel_options[] = {
    {"name", "NAME", "by which it may be joined", OPTION_TEXT, 0, 0},
    {"public", NULL, "anybody may join", OPTION_FLAG, 0, 0},
    {"posting", "WHO", "who may post: admins (the default) or all", OPTION_TEXT, 0, 0},
    {0},
};

static const struct command command_channel = {
    .name = "channel",
    .operands = "TITLE",
    .summary = "a channel",
    .run = create_channel,
    .flags = NEEDS_LOGIN,
    .least = 1,
    .most = 1,
    .options = channel_options,
};

static const struct command *const kinds[] = {&command_direct, &command_group, &command_channel,
                                              NULL};

const struct command command_create = {
    .name = "create",
    .operands = "COMMAND [WORD]...",
    .summary = "make a conversation; its id is printed",
    .parts = kinds,
};
