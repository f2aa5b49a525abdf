/* SPDX-License-Identifier: MIT */
/* help.c - see help.h. */
#include "help.h"

#include <stdbool.h>
#include <string.h>

enum { WIDTH = 78, PART_INDENT = 2, HELP_INDENT = 20 };

/* Words up to the width, each line behind `indent` blanks; the first one begins at `column`. */
static void put_wrapped(FILE *to, const char *text, int column, int indent)
{
    bool is_first = true;

    while (*text) {
        int length = (int)strcspn(text, " ");

        if (!is_first && column + 1 + length > WIDTH) {
            fputc('\n', to);
            column = 0;
        } else if (!is_first) {
            fputc(' ', to);
            column++;
        }
        if (column < indent)
            fprintf(to, "%*s", indent - column, "");
        column = (column < indent ? indent : column) + length;
        fprintf(to, "%.*s", length, text);
        text += length + (text[length] == ' ');
        is_first = false;
    }
    fputc('\n', to);
}

/* "  name      what it is": the second column may begin on the next line. */
static void put_pair(FILE *to, int column, const char *what)
{
    if (column + 2 > HELP_INDENT) {
        fputc('\n', to);
        column = 0;
    }
    put_wrapped(to, what, column, HELP_INDENT);
}

static void put_options(FILE *to, const struct option_row *options)
{
    for (; options->name; options++)
        put_pair(to,
                 fprintf(to, "%*s--%s%s%s", PART_INDENT, "", options->name,
                         options->value ? " " : "", options->value ? options->value : ""),
                 options->help);
}

void help_usage(FILE *to, const struct command *command, const char *name)
{
    fprintf(to, "usage: %s%s%s%s%s%s\n", program.name, *name ? " " : "", name,
            command->options ? " [OPTION]..." : "", command->operands ? " " : "",
            command->operands ? command->operands : "");
}

void help_show(FILE *to, const struct command *command, const char *name)
{
    help_usage(to, command, name);
    fputc('\n', to);
    if (command != &program)
        put_wrapped(to, command->summary, 0, PART_INDENT);
    if (command->about) {
        fputc('\n', to);
        put_wrapped(to, command->about, 0, PART_INDENT);
    }
    for (const struct command *const *part = command->parts; part && *part; part++)
        put_pair(to, fprintf(to, "%*s%s", PART_INDENT, "", (*part)->name), (*part)->summary);
    if (command->options) {
        fputc('\n', to);
        put_options(to, command->options);
    }
    fprintf(to, "\n%s\n",
            command == &program ? "banter-cli COMMAND --help, and banter-cli(1), say more."
                                : "banter-cli --help has the options that all commands share.");
}
