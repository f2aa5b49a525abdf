/* SPDX-License-Identifier: MIT */
/* main.c - the command line of banter-bridge. */
#include "app.h"
#include "base/log.h"
#include "base/memory.h"
#include "config.h"
#include "db/migrate.h"
#include "db/operator.h"

#include <getopt.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum {
    EXIT_USAGE = 2,
    DATABASE_WAIT_MS = 60000, /* for PostgreSQL to come up, before migrating */
};

enum action { ACTION_SERVE, ACTION_MIGRATE, ACTION_PUSH, ACTION_TEST_CONFIG };

struct command_line {
    const char *config_path; /* or NULL */
    enum action action;
    const char *push_action;       /* ACTION_PUSH */
    const char *push_registration; /* or NULL: all */
};

static const char usage[] = "Usage: banter-bridge [--config FILE] [--test-config]\n"
                            "       banter-bridge migrate [--config FILE]\n"
                            "       banter-bridge push list|requeue|drop [REGISTRATION]"
                            " [--config FILE]\n"
                            "       banter-bridge --version | --help\n"
                            "\n"
                            "Without `migrate` or `push`, serves until SIGTERM. `push` lists,"
                            " tries again or forgets\n"
                            "pushes that were given up: those of one registration, or all.\n"
                            "\n";

/* Returns an exit status, or -1 to go on. */
static int read_command_line(int argc, char **argv, struct command_line *out)
{
    static const struct option options[] = {
        {"config", required_argument, NULL, 'c'},
        {"test-config", no_argument, NULL, 't'},
        {"version", no_argument, NULL, 'v'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    int option;

    while ((option = getopt_long(argc, argv, "c:tvh", options, NULL)) != -1) {
        switch (option) {
        case 'c':
            out->config_path = optarg;
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
    if (optind < argc && strcmp(argv[optind], "migrate") == 0) {
        out->action = ACTION_MIGRATE;
        optind++;
    } else if (optind + 1 < argc && strcmp(argv[optind], "push") == 0 &&
               operator_push_has(argv[optind + 1])) {
        out->action = ACTION_PUSH;
        out->push_action = argv[optind + 1];
        optind += 2;
        if (optind < argc)
            out->push_registration = argv[optind++];
    }
    if (optind < argc) {
        fputs(usage, stderr);
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

static int serve(const struct config *config)
{
    struct app *app;
    bool ok;

    /* Writing to who has gone is an error to handle, and a closed terminal is no reason to stop. */
    signal(SIGPIPE, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    raise_descriptor_limit();
    if (config->migrate_on_start &&
        !migrate(config->database, config->migrations, DATABASE_WAIT_MS))
        return EXIT_FAILURE;
    app = app_create(config);
    ok = app && app_run(app);
    app_destroy(app);
    return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int act(const struct command_line *line, const struct config *config)
{
    bool ok;

    switch (line->action) {
    case ACTION_SERVE:
        return serve(config);
    case ACTION_MIGRATE:
        ok = migrate(config->database, config->migrations, DATABASE_WAIT_MS);
        return ok ? EXIT_SUCCESS : EXIT_FAILURE;
    case ACTION_PUSH:
        ok = operator_push(config->database, line->push_action, line->push_registration);
        return ok ? EXIT_SUCCESS : EXIT_FAILURE;
    case ACTION_TEST_CONFIG:
        puts("The configuration is good.");
        return EXIT_SUCCESS;
    }
    return EXIT_FAILURE;
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
    if (config_load(&config, line.config_path)) {
        log_set_level((enum log_level)config.log_level);
        status = act(&line, &config);
    }
    config_free(&config);
    return status;
}
