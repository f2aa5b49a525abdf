/* SPDX-License-Identifier: MIT */
/* tail.c - entries as they come. What one tail has not shown, the next one will. */
#include "cli.h"

#include <string.h>

static const char *only; /* the conversation to show, or NULL: all */

static void on_entry(void *owner, const struct banter_entry *entry)
{
    const struct cli *c = owner;

    if (!only || strcmp(only, entry->conversation) == 0)
        show_entry(c, entry);
}

static int tail(struct cli *c, const struct arguments *a)
{
    struct banter_callbacks callbacks = hear_callbacks(c);
    sigset_t signals;
    int status;

    only = a->operands[0]; /* NULL if there is none */
    callbacks.on_entry = on_entry;
    hear_hold_signals(c, &signals);
    status = profile_open_logged_in(c, &callbacks);
    return status ? status : hear_until_signal(c, &signals);
}

const struct command command_tail = {
    .name = "tail",
    .operands = "[CONVERSATION]",
    .summary = "show entries as they come, until a signal",
    .about = "Begins with what came since the last tail of the profile. SIGINT and SIGTERM end it "
             "with status 0; it also ends when its login does. What could not be printed (tail | "
             "head) counts as not shown.",
    .run = tail,
    .most = 1,
};
