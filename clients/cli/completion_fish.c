/* SPDX-License-Identifier: MIT */
/* completion_fish.c - see completion.h. fish has commands of its own for it: one a word. */
#include "cli.h"
#include "completion.h"

#include <string.h>

static void put_options(FILE *to, const struct option_row *options, const char *condition)
{
    static const char *const values[] = {[OPTION_FLAG] = "",
                                         [OPTION_TEXT] = " -x",
                                         [OPTION_NUMBER] = " -x",
                                         [OPTION_FILE] = " -r -F"};

    for (; options && options->name; options++) {
        fprintf(to, "complete -c banter-cli%s -l %s%s -d ", condition, options->name,
                values[options->kind]);
        completion_put_quoted(to, options->help);
        putc('\n', to);
    }
}

/* Behind a command that may have two words. */
static void see(void *owner, const struct command *command, const char *name)
{
    FILE *to = owner;
    const char *blank = strchr(name, ' ');
    char condition[256];

    if (blank)
        (void)snprintf(condition, sizeof condition,
                       " -n '__fish_seen_subcommand_from %.*s; and __fish_seen_subcommand_from %s'",
                       (int)(blank - name), name, blank + 1);
    else
        (void)snprintf(condition, sizeof condition, " -n '__fish_seen_subcommand_from %s'", name);
    put_options(to, command->options, condition);
    if (command->choices)
        fprintf(to, "complete -c banter-cli%s -a '%s'\n", condition, command->choices);
}

/* Offers a command where `condition` and `of` say. */
static void put_word(FILE *to, const char *condition, const char *of, const struct command *command)
{
    fprintf(to, "complete -c banter-cli -n '%s%s' -a %s -d ", condition, of, command->name);
    completion_put_quoted(to, command->summary);
    putc('\n', to);
}

void completion_fish(FILE *to)
{
    fputs("# fish completion for banter-cli, printed by `banter-cli completion fish`.\n"
          "complete -c banter-cli -f\n",
          to);
    for (const struct command *const *command = program.parts; *command; command++) {
        put_word(to, "__fish_use_subcommand", "", *command);
        for (const struct command *const *part = (*command)->parts; part && *part; part++)
            put_word(to, "__fish_seen_subcommand_from ", (*command)->name, *part);
    }
    put_options(to, program.options, "");
    command_walk(see, to);
}
