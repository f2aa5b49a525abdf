/* SPDX-License-Identifier: MIT */
/* cli.h - banter-cli: libbanter at the command line. What the commands share.
 *
 * A profile is a directory's pair of files: NAME.conf says which server and which device this is,
 * NAME.db is the library's store. One command uses a profile at a time.
 *
 * Rule: the standard output is for data alone; everything else goes to the standard error. */
#ifndef BANTER_CLI_CLI_H
#define BANTER_CLI_CLI_H

#include "arguments.h"
#include "command.h"

#include <banter/banter.h>
#include <jansson.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>

/* The manual has them, too. */
enum {
    EXIT_OK = 0,
    EXIT_REFUSED = 1, /* or it did not work, and would not the next time */
    EXIT_USAGE = 2,
    EXIT_LOGIN = 3, /* nobody is logged in (any more) */
    EXIT_LATER = 4, /* it may work the next time: no connection, no answer, too much at once */
};

enum { ADDRESS_SIZE = 1024, NAME_SIZE = 64, PATH_SIZE = 4096, PASSWORD_SIZE = 512 };

struct cli {
    /* As given, then as the profile has it. */
    char server[ADDRESS_SIZE], mqtt[ADDRESS_SIZE], ca[PATH_SIZE];
    char device[NAME_SIZE], profile[NAME_SIZE];
    char directory[PATH_SIZE];
    bool json;
    uint32_t timeout_ms;

    struct banter *client;
    bool stays;            /* until a signal: it tells of its connection, and ends with the login */
    bool shows_all;        /* somebody sees what comes, which counts as received then */
    pthread_mutex_t mutex; /* of what follows: callbacks run on the client's thread */
    pthread_cond_t changed;
    bool is_done;
    int error;
    unsigned refused; /* drafts */
    int over;         /* `stays`: an exit status, if nothing will come any more */
    json_t *answer;   /* of the last question, or NULL */
};

/* fail.c: a message, and what the program then ends with. */
int fail(const char *format, ...) __attribute__((format(printf, 1, 2))); /* EXIT_REFUSED */
/* By what the library said; `reason` may be NULL. */
int fail_by(int error, const char *reason);
/* Writing to the file `path`, or with NULL to the standard output, gave errno. */
int fail_output(const char *path);
int exit_status_of(int error);

/* profile.c: 0, or an exit status after a message. */
int profile_find(struct cli *c);
int profile_load(struct cli *c);
int profile_save(const struct cli *c);
int profile_forget(const struct cli *c);
/* Of its file of this kind: "conf", "db", "drafts". */
void profile_path(const struct cli *c, const char *kind, char path[2 * PATH_SIZE]);
/* Opens the client; NULL: with the callbacks of hear.c. */
int profile_open(struct cli *c, const struct banter_callbacks *callbacks);
int profile_open_logged_in(struct cli *c, const struct banter_callbacks *callbacks);

/* login.c: false: there is none. What the manual says of it stands beside. */
bool read_password(char password[PASSWORD_SIZE]);
#define PASSWORD_ABOUT                                                                             \
    "The password is that of BANTER_PASSWORD, or is asked for, or is the first line of the "       \
    "standard input."

/* hear.c: what is told without being asked for. Callbacks that print receipts (with --json), and
 * say why it cannot connect. */
struct banter_callbacks hear_callbacks(struct cli *c);
/* For commands that stay: to be called before the client's threads are there, and then instead of
 * waiting for something else. */
void hear_hold_signals(struct cli *c, sigset_t *signals);
int hear_until_signal(struct cli *c, const sigset_t *signals);

/* ask.c: to be given as `done` with the cli as its owner; then ask_wait() has the answer, and gives
 * an exit status after a message. `error` is what the call said. */
void ask_done(void *owner, const struct banter_result *result);
int ask_wait(struct cli *c, int error);
/* One command of docs/protocol.md; takes the reference. */
int ask_command(struct cli *c, json_t *command);
/* Asks for a list page by page, and shows it; `key` is the member of an item that the next page
 * comes after. `conversation` may be NULL. */
struct list {
    const char *command, *name, *key;
    const char *columns[8]; /* ended by NULL */
};
int ask_list(struct cli *c, const struct list *list, const char *conversation);

/* show.c: lines for people, or one JSON object a line. When the output is gone (tail | head) the
 * program ends at once, so that the library does not take for told what nobody has seen. */
void show_entry(const struct cli *c, const struct banter_entry *entry);
void show_json(const json_t *value);
/* What others wrote, without the control characters that a terminal would obey. */
void show_text(FILE *to, const char *text);
/* A string or a number, on a line of its own; NULL: "-". */
void show_line(const json_t *value);
void show_list(const struct cli *c, const struct list *list);
/* These members, with tabs between. */
void show_columns(const json_t *item, const char *const *columns);
/* The end of a line that was printed: from here on it counts as shown. */
void show_end_line(void);

/* members.c: a handle, with or without its "@"; and all from an operand on. */
const char *handle_of(const char *word);
const char *const *handles_of(const struct arguments *a, int first);
/* Shows which conversation the answer is about, unless there is a status. */
int show_conversation(struct cli *c, int status);

/* text.c: words with blanks between; NULL: too many, and a message. Static storage. */
const char *text_of(char *const *words);

/* The rows of the commands. */
extern const struct command command_account, command_add, command_admin, command_bench,
    command_chat, command_command, command_completion, command_conversations, command_create,
    command_doctor, command_export, command_history, command_invite, command_join, command_leave,
    command_login, command_logout, command_manual, command_members, command_presence,
    command_remove, command_search, command_send, command_signup, command_tail, command_whoami;
/* The parts of admin that operator.c has. */
extern const struct command command_stats, command_user;
/* The parts of admin that installed.c has. */
extern const struct command command_audit, command_drain, command_keys, command_migrate,
    command_push, command_settings, command_users;

#endif
