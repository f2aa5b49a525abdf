/* SPDX-License-Identifier: MIT */
/* main.c - banter-cli: reads its words by the table, and hands over to a command. */
#include "cli.h"
#include "help.h"

#include <stdlib.h>
#include <string.h>

enum { TIMEOUT_DEFAULT_S = 30, MS_PER_SECOND = 1000 };

static bool copy(char *to, size_t size, const char *from)
{
    if (!from)
        return true;
    return snprintf(to, size, "%s", from) < (int)size;
}

/* What all commands share; the environment first. */
static int take_options(struct cli *c, const struct arguments *a)
{
    bool fits = copy(c->profile, sizeof c->profile, getenv("BANTER_PROFILE")) &&
                copy(c->ca, sizeof c->ca, getenv("BANTER_CA")) &&
                copy(c->server, sizeof c->server, argument_text(a, "server")) &&
                copy(c->mqtt, sizeof c->mqtt, argument_text(a, "mqtt")) &&
                copy(c->ca, sizeof c->ca, argument_text(a, "ca")) &&
                copy(c->profile, sizeof c->profile, argument_text(a, "profile"));

    c->json = argument_given(a, "json");
    c->timeout_ms = (uint32_t)argument_number(a, "timeout", TIMEOUT_DEFAULT_S) * MS_PER_SECOND;
    return fits ? EXIT_OK : fail("an option, or a setting of the environment, is too long");
}

static int run(struct cli *c, const struct arguments *a)
{
    int status = take_options(c, a);

    if (!status && !(a->command->flags & NEEDS_NOTHING))
        status = profile_find(c);
    if (!status && (a->command->flags & NEEDS_LOGIN))
        status = profile_open_logged_in(c, NULL);
    if (!status)
        status = a->command->run(c, a);
    if (status == EXIT_USAGE)
        help_usage(stderr, a->command, a->name);
    banter_destroy(c->client);
    json_decref(c->answer);
    return status;
}

int main(int argc, char **argv)
{
    static struct cli c = {.profile = "default", .mutex = PTHREAD_MUTEX_INITIALIZER};
    static struct arguments a;
    pthread_condattr_t clock;

    pthread_condattr_init(&clock);
    pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    pthread_cond_init(&c.changed, &clock);
    if (!arguments_read(&a, &program, argc, argv)) {
        (void)fail("%s", a.problem);
        help_usage(stderr, a.command, a.name);
        return EXIT_USAGE;
    }
    if (argument_given(&a, "help")) {
        help_show(stdout, a.command, a.name);
        return EXIT_OK;
    }
    if (argument_given(&a, "version")) {
        printf("%s %s\n", program.name, banter_version());
        return EXIT_OK;
    }
    return run(&c, &a);
}
