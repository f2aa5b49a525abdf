/* SPDX-License-Identifier: MIT */
/* main.c - banter-bench: loads a running Banter and says what came of it.
 *
 * An operator's tool: it needs the database and the signing key of the copy that it loads
 * (seed.h). `./banter bench` passes the addresses of the running copy. */
#include "scenario.h"

#include <curl/curl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

enum { EXIT_USAGE = 2 };

static const struct {
    const char *name;
    bool (*run)(const struct options *o);
    const char *help;
} scenarios[] = {
    {"append", scenario_append, "PostgreSQL alone, with rows like those of pairs"},
    {"broadcast", scenario_broadcast, "a channel, all members online: deliveries/s"},
    {"channel", scenario_channel, "a large channel, and what its posts do to direct messages"},
    {"connect", scenario_connect, "many users with many conversations come online and stay idle"},
    {"ejabberd", scenario_ejabberd, "the pairs on an XMPP server, for comparison"},
    {"group", scenario_group, "one group, all members online: deliveries/s"},
    {"inbox", scenario_inbox, "the sync of a user with very many conversations"},
    {"pairs", scenario_pairs, "conversations of two: durable messages/s and their latency"},
    {"push", scenario_push, "a post to a large channel whose members are away: pushes"},
    {"replay", scenario_replay, "reading a long log over HTTP"},
    {"storm", scenario_storm, "all connections are cut and come back; presence"},
};

enum { SCENARIO_COUNT = sizeof(scenarios) / sizeof(scenarios[0]) };

static void print_usage(FILE *to)
{
    fprintf(to, "usage: banter-bench SCENARIO [OPTION...]\n\n");
    for (unsigned i = 0; i < SCENARIO_COUNT; i++)
        fprintf(to, "  %-20s %s\n", scenarios[i].name, scenarios[i].help);
    fputc('\n', to);
    options_print_help(to);
}

/* A connection takes a descriptor, and a message that waits for a coarse timer is a latency of
 * ours. */
static void prepare_process(void)
{
    struct rlimit files;

    signal(SIGPIPE, SIG_IGN);
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &files);
    }
    prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
}

int main(int argc, char **argv)
{
    static struct options options;

    if (argc >= 2 && strcmp(argv[1], "--version") == 0) {
        printf("banter-bench %s\n", BANTER_VERSION);
        return EXIT_SUCCESS;
    }
    if (argc < 2 || strcmp(argv[1], "--help") == 0) {
        print_usage(argc < 2 ? stderr : stdout);
        return argc < 2 ? EXIT_USAGE : EXIT_SUCCESS;
    }
    for (unsigned i = 0; i < SCENARIO_COUNT; i++) {
        if (strcmp(argv[1], scenarios[i].name) != 0)
            continue;
        switch (options_parse(&options, argc - 1, argv + 1)) {
        case OPTIONS_HELP:
            print_usage(stdout);
            return EXIT_SUCCESS;
        case OPTIONS_WRONG:
            return EXIT_USAGE;
        case OPTIONS_OK:
            break;
        }
        prepare_process();
        curl_global_init(CURL_GLOBAL_DEFAULT);
        return scenarios[i].run(&options) ? EXIT_SUCCESS : EXIT_FAILURE;
    }
    fprintf(stderr, "banter-bench: there is no scenario '%s'; see --help\n", argv[1]);
    return EXIT_USAGE;
}
