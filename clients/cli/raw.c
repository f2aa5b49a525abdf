/* SPDX-License-Identifier: MIT */
/* raw.c - any command of the protocol, as JSON in and JSON out. */
#include "cli.h"

static int say(struct cli *c, const struct arguments *a)
{
    int status = ask_wait(c, banter_command(c->client, a->operands[0], ask_done, c));

    if (!status)
        show_json(c->answer);
    return status;
}

const struct command command_command = {
    .name = "command",
    .operands = "JSON",
    .summary = "any command of the protocol, as one JSON object",
    .about = "The answer is always JSON. Such as '{\"command\":\"listBlocks\"}'.",
    .run = say,
    .flags = NEEDS_LOGIN,
    .least = 1,
    .most = 1,
};
