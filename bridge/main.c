/* SPDX-License-Identifier: MIT */
/* main.c - the command line of banter-bridge. */
#include "app.h"
#include "app_keys.h"
#include "app_users.h"
#include "base/log.h"
#include "base/memory.h"
#include "config.h"
#include "db/migrate.h"
#include "db/operator.h"

#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum {
    EXIT_USAGE = 2,
    DATABASE_WAIT_MS = 60000, /* for PostgreSQL to come up, before migrating */
    FLAGS_MAX = 100,          /* --set */
};

enum action {
    ACTION_SERVE,
    ACTION_AUDIT,
    ACTION_KEYS,
    ACTION_MIGRATE,
    ACTION_PUSH,
    ACTION_USERS,
    ACTION_TEST_CONFIG,
    ACTION_SETTINGS,
};

struct command_line {
    const char *config_path; /* or NULL */
    const char *flags[FLAGS_MAX];
    size_t flag_count;
    enum action action;
    const char *verb;    /* ACTION_AUDIT, _KEYS, _PUSH, _USERS: what is to be done */
    const char *subject; /* to which key or registration, or NULL: all; user or erasure */
    const char *who;     /* does it; NULL: the user who runs this */
    bool now;            /* ACTION_KEYS: whatever that ends */
    bool secrets;        /* ACTION_SETTINGS: print these, too */
};

static const char usage[] =
    "Usage: banter-bridge [OPTION...] [--test-config]\n"
    "       banter-bridge audit list [BEFORE] | note ACTION [OPTION...]\n"
    "       banter-bridge keys list | rotate | retire [[--now] KEY] [OPTION...]\n"
    "       banter-bridge migrate [OPTION...]\n"
    "       banter-bridge push list|requeue|drop [REGISTRATION] [OPTION...]\n"
    "       banter-bridge settings [--secrets] [OPTION...]\n"
    "       banter-bridge users create|admin|noadmin|export|erase HANDLE [OPTION...]\n"
    "       banter-bridge users receipt ID [OPTION...]\n"
    "       banter-bridge --version | --help\n"
    "\n"
    "Options: --config FILE, --set KEY=VALUE (which may be repeated), --as NAME (who does it,\n"
    "for the audit log).\n"
    "Without a word serves until SIGTERM. `audit` prints the newest of the audit log, or what\n"
    "came before the row BEFORE, or writes into it what was done by other means. `keys` lists\n"
    "the keys that sign access tokens, makes a new one, or retires old ones: those whose tokens\n"
    "have ended, or one, which with --now ends its tokens. `push` lists, tries again or forgets\n"
    "pushes that were given up: those of one registration, or all. `settings` prints what\n"
    "counts. `users` makes a user, whose password is a line of standard input, or drawn if that\n"
    "is empty; makes administrators, or takes that away; prints all that is held about a user,\n"
    "or erases it, with a receipt.\n"
    "\n";

/* What is to be done; no word: to serve. */
static bool read_words(int count, char **words, struct command_line *out)
{
    if (count == 0)
        return true;
    if (count == 1 && strcmp(words[0], "migrate") == 0) {
        out->action = ACTION_MIGRATE;
        return true;
    }
    if (count == 1 && strcmp(words[0], "settings") == 0) {
        out->action = ACTION_SETTINGS;
        return true;
    }
    if (count != 2 && count != 3)
        return false;
    out->verb = words[1];
    out->subject = count == 3 ? words[2] : NULL;
    if (strcmp(words[0], "audit") == 0) {
        out->action = ACTION_AUDIT;
        return operator_audit_has(out->verb);
    }
    if (strcmp(words[0], "keys") == 0) {
        out->action = ACTION_KEYS;
        return app_keys_have(out->verb, out->subject);
    }
    if (strcmp(words[0], "users") == 0) {
        out->action = ACTION_USERS;
        return out->subject && app_users_have(out->verb);
    }
    out->action = ACTION_PUSH;
    return strcmp(words[0], "push") == 0 && operator_push_has(out->verb);
}

/* What the words leave out or options ask for in vain; NULL: nothing. */
static const char *find_fault(const struct command_line *line)
{
    bool has_subject = line->subject && line->subject[0];
    bool retires = line->action == ACTION_KEYS && strcmp(line->verb, "retire") == 0;

    if (line->action == ACTION_AUDIT && strcmp(line->verb, "note") == 0 && !has_subject)
        return "audit note: ACTION is missing: what was done";
    if (line->now && !(retires && has_subject))
        return "--now ends the tokens of one key: keys retire --now KEY";
    return NULL;
}

/* Returns an exit status, or -1 to go on. */
static int read_command_line(int argc, char **argv, struct command_line *out)
{
    static const struct option options[] = {
        {"config", required_argument, NULL, 'c'},
        {"set", required_argument, NULL, 'S'},
        {"as", required_argument, NULL, 'a'},
        {"now", no_argument, NULL, 'n'},
        {"secrets", no_argument, NULL, 's'},
        {"test-config", no_argument, NULL, 't'},
        {"version", no_argument, NULL, 'v'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    const char *fault;
    int option;

    while ((option = getopt_long(argc, argv, "c:S:a:nstvh", options, NULL)) != -1) {
        switch (option) {
        case 'c':
            out->config_path = optarg;
            break;
        case 'S':
            if (out->flag_count == FLAGS_MAX) {
                fputs("too many --set\n", stderr);
                return EXIT_USAGE;
            }
            out->flags[out->flag_count++] = optarg;
            break;
        case 'a':
            out->who = optarg;
            break;
        case 'n':
            out->now = true;
            break;
        case 's':
            out->secrets = true;
            break;
        case 't':
            out->action = ACTION_TEST_CONFIG;
            break;
        case 'v':
            printf("banter-bridge %s\n", BANTER_VERSION);
            return EXIT_SUCCESS;
        case 'h':
            fputs(usage, stdout);
            config_print_help(stdout);
            return EXIT_SUCCESS;
        default:
            fputs(usage, stderr);
            return EXIT_USAGE;
        }
    }
    if (!read_words(argc - optind, argv + optind, out)) {
        fputs(usage, stderr);
        return EXIT_USAGE;
    }
    fault = find_fault(out);
    if (fault) {
        fprintf(stderr, "%s\n", fault);
        return EXIT_USAGE;
    }
    return -1;
}

/* Every connection takes a descriptor. */
static void raise_descriptor_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
        log_warning("main", "the limit of open files stays as it is");
}

static bool migrate_database(const struct config *config)
{
    return migrate(&(struct migrate_config){
        .database = config->database,
        .owner = config->migrate_database,
        .directory = config->migrations,
        .wait_ms = DATABASE_WAIT_MS,
    });
}

static int serve(const struct config *config)
{
    struct app *app;
    bool ok;

    /* Writing to who has gone is an error to handle, and a closed terminal is no reason to stop. */
    signal(SIGPIPE, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    raise_descriptor_limit();
    if (config->migrate_on_start && !migrate_database(config))
        return EXIT_FAILURE;
    app = app_create(config);
    ok = app && app_run(app);
    app_destroy(app);
    return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* Who is at the keyboard, for the audit log. */
static const char *operator_name(const struct command_line *line)
{
    const struct passwd *user = getpwuid(getuid());

    if (line->who)
        return line->who;
    return user ? user->pw_name : "unknown";
}

/* What has been done is done, also if the database is away. */
static bool keep_keys(const struct command_line *line, const struct config *config)
{
    char action[32];

    if (!app_keys_keep(config, line->verb, line->subject, line->now))
        return false;
    snprintf(action, sizeof action, "keys_%s", line->verb);
    if (strcmp(line->verb, "list") != 0 &&
        !operator_note(config->database, operator_name(line), action, line->subject))
        log_warning("main", "this is not in the audit log");
    return true;
}

static int act(const struct command_line *line, const struct config *config)
{
    bool ok;

    switch (line->action) {
    case ACTION_SERVE:
        return serve(config);
    case ACTION_AUDIT:
        ok = operator_audit(config->database, operator_name(line), line->verb, line->subject);
        return ok ? EXIT_SUCCESS : EXIT_FAILURE;
    case ACTION_KEYS:
        ok = keep_keys(line, config);
        return ok ? EXIT_SUCCESS : EXIT_FAILURE;
    case ACTION_MIGRATE:
        ok = migrate_database(config);
        return ok ? EXIT_SUCCESS : EXIT_FAILURE;
    case ACTION_PUSH:
        ok = operator_push(config->database, operator_name(line), line->verb, line->subject);
        return ok ? EXIT_SUCCESS : EXIT_FAILURE;
    case ACTION_USERS:
        ok = app_users_keep(config, operator_name(line), line->verb, line->subject);
        return ok ? EXIT_SUCCESS : EXIT_FAILURE;
    case ACTION_SETTINGS:
        config_print(config, line->secrets, stdout);
        return EXIT_SUCCESS;
    case ACTION_TEST_CONFIG:
        puts("The configuration is good.");
        return EXIT_SUCCESS;
    }
    return EXIT_FAILURE;
}

/* Whether all that was printed has been taken. False after saying that it was not: by a full disk,
 * say. */
static bool is_printed(void)
{
    bool failed = ferror(stdout);

    errno = 0;
    if (fflush(stdout) == 0 && !failed)
        return true;
    log_error("main", "not all of the output could be written%s%s", errno ? ": " : "",
              errno ? strerror(errno) : "");
    return false;
}

int main(int argc, char **argv)
{
    struct command_line line = {.action = ACTION_SERVE};
    struct config config;
    int status;

    json_set_alloc_funcs(must_malloc, free); /* a draft is not invalid because memory ran out */
    status = read_command_line(argc, argv, &line);
    if (status >= 0)
        return status;
    status = EXIT_FAILURE;
    if (config_load(&config, line.config_path, line.flags, line.flag_count)) {
        log_set_level((enum log_level)config.log_level);
        status = act(&line, &config);
        if (!is_printed())
            status = EXIT_FAILURE;
    }
    config_free(&config);
    return status;
}
