/* SPDX-License-Identifier: MIT */
/* absent.c - the command chat of a program that was built without ncurses. */
#include "cli.h"

static int chat_run(struct cli *c, const struct arguments *a)
{
    (void)c;
    (void)a;
    return fail("chat is not built in: that needs libncurses-dev");
}

const struct command command_chat = {
    .name = "chat",
    .summary = "talk in the terminal (not built in)",
    .run = chat_run,
};
