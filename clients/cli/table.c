/* SPDX-License-Identifier: MIT */
/* table.c - the program's own row: all commands, and the options that they share. */
#include "cli.h"

#include <stdio.h>
#include <string.h>

static const struct command *const commands[] = {
    &command_account,    &command_add,           &command_admin,
    &command_bench,      &command_chat,          &command_command,
    &command_completion, &command_conversations, &command_create,
    &command_doctor,     &command_export,        &command_history,
    &command_invite,     &command_join,          &command_leave,
    &command_login,      &command_logout,        &command_manual,
    &command_members,    &command_presence,      &command_remove,
    &command_search,     &command_send,          &command_signup,
    &command_tail,       &command_whoami,        NULL,
};

static const struct option_row options[] = {
    {"server", "URL",
     "where the HTTP API is, such as https://chat.example.org: with signup and login (or "
     "BANTER_SERVER); the profile remembers it, and these two",
     OPTION_TEXT, 0, 0},
    {"mqtt", "URL", "where MQTT is, unless at /mqtt beside the API", OPTION_TEXT, 0, 0},
    {"ca", "FILE", "authorities to trust instead of the system's (or BANTER_CA)", OPTION_FILE, 0,
     0},
    {"profile", "NAME",
     "another user, or a second device of one; a command has its profile to itself (default: "
     "default; or BANTER_PROFILE)",
     OPTION_TEXT, 0, 0},
    {"json", NULL, "one JSON object a line", OPTION_FLAG, 0, 0},
    {"timeout", "SECONDS", "to wait for an answer (30)", OPTION_NUMBER, 1, 86400},
    {"help", NULL, "of the program, or of the command before it", OPTION_FLAG, 0, 0},
    {"version", NULL, "of the library", OPTION_FLAG, 0, 0},
    {0},
};

const struct command program = {
    .name = "banter-cli",
    .operands = "COMMAND [WORD]...",
    .summary = "Banter at the command line",
    .options = options,
    .parts = commands,
};

void command_walk(void (*see)(void *owner, const struct command *command, const char *name),
                  void *owner)
{
    char name[64];

    for (const struct command *const *command = commands; *command; command++) {
        if (!(*command)->parts)
            see(owner, *command, (*command)->name);
        for (const struct command *const *part = (*command)->parts; part && *part; part++) {
            (void)snprintf(name, sizeof name, "%s %s", (*command)->name, (*part)->name);
            see(owner, *part, name);
        }
    }
}
