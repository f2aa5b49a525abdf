/* SPDX-License-Identifier: MIT */
/* installed.c - admin's commands that are programs of the server's packages, on its machine. */
#include "cli.h"
#include "launch.h"

#include <string.h>
#include <unistd.h>

/* banter-bridge has a command of the same name. Its settings are the installation's, unless the
 * words name others. */
static int bridge(struct cli *c, const struct arguments *a)
{
    static const char settings[] = "/etc/banter/bridge.conf", option[] = "--config";
    const char *first[] = {a->command->name, NULL, NULL, NULL};
    bool is_named = access(settings, F_OK) != 0;

    (void)c;
    for (char *const *word = a->operands; *word; word++)
        is_named |= strncmp(*word, option, strlen(option)) == 0;
    if (!is_named) {
        first[1] = option;
        first[2] = settings;
    }
    return launch("banter-bridge", first, a->operands, "it is in the package banter-bridge");
}

#define BRIDGE .run = bridge, .flags = NEEDS_NOTHING | PASSES_ON, .most = ANY_NUMBER

const struct command command_audit = {
    .name = "audit",
    .operands = "list [BEFORE] [OPTION]...",
    .summary = "who did what (banter-bridge audit)",
    BRIDGE,
};

const struct command command_keys = {
    .name = "keys",
    .operands = "list|rotate|retire [--now] [KEY] [OPTION]...",
    .summary = "the keys that sign access tokens (banter-bridge keys)",
    BRIDGE,
};

const struct command command_migrate = {
    .name = "migrate",
    .operands = "[OPTION]...",
    .summary = "bring the database's schema up to date (banter-bridge migrate)",
    BRIDGE,
};

const struct command command_push = {
    .name = "push",
    .operands = "list|requeue|drop [REGISTRATION] [OPTION]...",
    .summary = "pushes that were given up (banter-bridge push)",
    BRIDGE,
};

const struct command command_settings = {
    .name = "settings",
    .operands = "[OPTION]...",
    .summary = "the settings that count (banter-bridge settings)",
    BRIDGE,
};

const struct command command_users = {
    .name = "users",
    .operands = "admin|noadmin|export|erase HANDLE|receipt ID [OPTION]...",
    .summary = "administrators; all that is held about a user, or its end (banter-bridge users)",
    BRIDGE,
};

static int drain(struct cli *c, const struct arguments *a)
{
    static const char *const first[] = {NULL};

    (void)c;
    return launch("/usr/lib/banter/broker/drain.sh", first, a->operands,
                  "it is in the package banter-broker");
}

const struct command command_drain = {
    .name = "drain",
    .operands = "SECONDS|--off",
    .summary = "empty the node of its users, or take them in again",
    .run = drain,
    .flags = NEEDS_NOTHING | PASSES_ON,
    .most = ANY_NUMBER,
};
