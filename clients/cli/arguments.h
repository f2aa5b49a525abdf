/* SPDX-License-Identifier: MIT */
/* arguments.h - the words of a call, read by the rows of the table (command.h): which command it
 * is, its options and its operands. Options may stand before and behind operands; "--" ends them.
 */
#ifndef BANTER_CLI_ARGUMENTS_H
#define BANTER_CLI_ARGUMENTS_H

#include "command.h"

#include <stdbool.h>

enum { ARGUMENT_OPTIONS_MAX = 12, ARGUMENT_PROBLEM_SIZE = 256 };

struct argument {
    bool is_given;
    const char *text; /* of all kinds but flags */
    int64_t number;
};

struct arguments {
    const struct command *root, *command; /* as far as it was understood */
    char name[64];                        /* the whole of it, such as "create group" */
    struct argument own[ARGUMENT_OPTIONS_MAX];
    struct argument common[ARGUMENT_OPTIONS_MAX];
    char **operands; /* ended by NULL */
    int count;
    char problem[ARGUMENT_PROBLEM_SIZE]; /* a sentence on why it was not understood */
};

/* Moves the words of argv, and points into them. False: there is a problem. With --help or
 * --version operands are not counted. */
bool arguments_read(struct arguments *a, const struct command *root, int argc, char **argv);

/* Of an option that the command, or the program, has a row for. */
bool argument_given(const struct arguments *a, const char *option);
/* NULL: not given. */
const char *argument_text(const struct arguments *a, const char *option);
int64_t argument_number(const struct arguments *a, const char *option, int64_t otherwise);

#endif
