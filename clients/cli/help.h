/* SPDX-License-Identifier: MIT */
/* help.h - what --help says: of the program, of a command, or of a command's parts. */
#ifndef BANTER_CLI_HELP_H
#define BANTER_CLI_HELP_H

#include "command.h"

#include <stdio.h>

/* `name` is the command's whole name, empty for the program. */
void help_show(FILE *to, const struct command *command, const char *name);
/* The line that says how it is called. */
void help_usage(FILE *to, const struct command *command, const char *name);

#endif
