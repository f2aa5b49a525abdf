/* SPDX-License-Identifier: MIT */
/* command.h - what banter-cli can do, as a table. Each command's row stands beside its code; what
 * reads the words of a call, the help, the manual and the completions all go by it, so that none
 * of them knows of a command or an option that the others do not. */
#ifndef BANTER_CLI_COMMAND_H
#define BANTER_CLI_COMMAND_H

#include <stdint.h>

struct arguments;
struct cli;

enum option_kind {
    OPTION_FLAG,
    OPTION_TEXT,
    OPTION_NUMBER, /* from least to most */
    OPTION_FILE,
};

struct option_row {
    const char *name;  /* without the dashes */
    const char *value; /* what the help calls its value; NULL: a flag */
    const char *help;  /* a phrase: no capital, no full stop */
    enum option_kind kind;
    int64_t least, most;
};

enum {
    NEEDS_LOGIN = 1 << 0,   /* is called with an open client, and somebody logged in */
    TEXT_FOLLOWS = 1 << 1,  /* behind the first operand nothing is an option */
    NEEDS_NOTHING = 1 << 2, /* not even a profile */
    PASSES_ON = 1 << 3,     /* every word behind its name is for another program */
};

enum { ANY_NUMBER = 1 << 20 };

struct command {
    const char *name;
    const char *operands; /* as the usage has them; NULL: none */
    const char *summary;  /* a phrase, as above */
    const char *about;    /* sentences for the manual; NULL: the summary says it all */
    const char *choices;  /* what the first operand may be, with blanks between; NULL: anything */
    /* Returns an exit status, after a message unless it is EXIT_OK. */
    int (*run)(struct cli *c, const struct arguments *a);
    unsigned flags;
    int least, most;                    /* operands */
    const struct option_row *options;   /* ended by one without a name; NULL: none */
    const struct command *const *parts; /* ended by NULL; NULL: it has `run` */
};

/* The program itself: its parts are the commands, its options those that all of them share. */
extern const struct command program;

/* Calls `see` for every command that can be called, with its whole name ("create group") and the
 * name's length in words. */
void command_walk(void (*see)(void *owner, const struct command *command, const char *name),
                  void *owner);

#endif
