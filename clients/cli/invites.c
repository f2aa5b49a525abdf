/* SPDX-License-Identifier: MIT */
/* invites.c - links that let others in, and going in by one. */
#include "cli.h"

#include <string.h>

enum { YEAR_S = 366 * 86400, USES_MAX = 1000000, UUID_LENGTH = 36 };

/* For people the whole link. */
static int create(struct cli *c, const struct arguments *a)
{
    int64_t uses = argument_number(a, "uses", 0), expires_in = argument_number(a, "expires-in", 0);
    json_t *command = json_pack("{s:s, s:s, s:o*, s:o*}", "command", "createInvite", "conversation",
                                a->operands[0], "uses", uses ? json_integer(uses) : NULL,
                                "expires_in", expires_in ? json_integer(expires_in) : NULL);
    int status = ask_command(c, command);
    const char *path;

    if (status)
        return status;
    path = json_string_value(json_object_get(c->answer, "url"));
    if (c->json || !path) {
        show_json(c->answer);
    } else {
        fputs(c->server, stdout);
        show_text(stdout, path);
        show_end_line();
    }
    return EXIT_OK;
}

static const struct option_row create_options[] = {
    {"expires-in", "SECONDS", "how long it is good for", OPTION_NUMBER, 1, YEAR_S},
    {"uses", "N", "how many may come by it", OPTION_NUMBER, 1, USES_MAX},
    {0},
};

static const struct command command_invite_create = {
    .name = "create",
    .operands = "CONVERSATION",
    .summary = "make a link by which others may join; it is shown this once",
    .run = create,
    .flags = NEEDS_LOGIN,
    .least = 1,
    .most = 1,
    .options = create_options,
};

static int list_invites(struct cli *c, const struct arguments *a)
{
    static const struct list list = {
        "listInvites", "invites", "id", {"id", "created_by", "expires_at", "uses_left", NULL}};

    return ask_list(c, &list, a->operands[0]);
}

static const struct command command_invite_list = {
    .name = "list",
    .operands = "CONVERSATION",
    .summary = "the links that there are: id, who made it, until when, uses left",
    .run = list_invites,
    .flags = NEEDS_LOGIN,
    .least = 1,
    .most = 1,
};

static int revoke_links(struct cli *c, const struct arguments *a)
{
    const char *key = argument_given(a, "all") ? "conversation" : "id";

    return show_conversation(
        c, ask_command(c, json_pack("{s:s, s:s}", "command", "revokeInvite", key, a->operands[0])));
}

static const struct option_row revoke_options[] = {
    {"all", NULL, "ID is a conversation's: all of its links", OPTION_FLAG, 0, 0},
    {0},
};

static const struct command command_invite_revoke = {
    .name = "revoke",
    .operands = "ID",
    .summary = "end a link",
    .run = revoke_links,
    .flags = NEEDS_LOGIN,
    .least = 1,
    .most = 1,
    .options = revoke_options,
};

static const struct command *const parts[] = {&command_invite_create, &command_invite_list,
                                              &command_invite_revoke, NULL};

const struct command command_invite = {
    .name = "invite",
    .operands = "COMMAND [WORD]...",
    .summary = "links that let others in",
    .parts = parts,
};

/* ---- join ---- */

/* A link ends in the invite; ids have a fixed length; else it is the name of a channel. */
static int join(struct cli *c, const struct arguments *a)
{
    static const char way[] = "/join/";
    const char *what = argument_text(a, "invite"), *key = "invite", *link;

    if ((what != NULL) == (a->count == 1))
        return EXIT_USAGE;
    if (!what) {
        what = a->operands[0];
        link = strstr(what, way);
        if (link)
            what = link + strlen(way);
        else
            key = strlen(what) == UUID_LENGTH ? "conversation" : "name";
    }
    return show_conversation(c,
                             ask_command(c, json_pack("{s:s, s:s}", "command", "join", key, what)));
}

static const struct option_row join_options[] = {
    {"invite", "INVITE", "what a link ends with, in place of the link", OPTION_TEXT, 0, 0},
    {0},
};

const struct command command_join = {
    .name = "join",
    .operands = "LINK|NAME|CONVERSATION",
    .summary = "come in, by a link or to a public channel; its id is printed",
    .run = join,
    .flags = NEEDS_LOGIN,
    .most = 1,
    .options = join_options,
};
