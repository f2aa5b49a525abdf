/* SPDX-License-Identifier: MIT */
/* presence.c - who is there: told once for each user, or whenever it changes. */
#include "cli.h"

#include <string.h>
#include <time.h>

enum { USERS_MAX = 1000, MS_PER_SECOND = 1000 };

/* What is still to be told; with the cli's mutex. `names` may have one twice. */
static struct {
    const char *const *names;
    bool told[USERS_MAX];
    size_t count, left, hidden;
    bool follows;
    bool is_over; /* what the end of the client tells is no news */
} watch;

/* True: it is to be shown. */
static bool note(const struct banter_presence *presence)
{
    bool is_news = watch.follows;

    if (watch.is_over)
        return false;
    for (size_t i = 0; i < watch.count; i++) {
        if (watch.told[i] || strcmp(watch.names[i], presence->user) != 0)
            continue;
        watch.told[i] = is_news = true;
        watch.left--;
        watch.hidden += !presence->state;
    }
    return is_news;
}

static void show(const struct cli *c, const struct banter_presence *presence)
{
    static const char *const columns[] = {"user", "state", "last_seen", NULL};
    json_t *told = json_pack("{s:s, s:s?, s:s*}", "user", presence->user, "state", presence->state,
                             "last_seen", presence->last_seen);

    if (c->json)
        show_json(told);
    else
        show_columns(told, columns);
    json_decref(told);
}

static void on_presence(void *owner, const struct banter_presence *presence)
{
    struct cli *c = owner;

    pthread_mutex_lock(&c->mutex);
    if (note(presence))
        show(c, presence);
    pthread_cond_broadcast(&c->changed);
    pthread_mutex_unlock(&c->mutex);
}

static int await_all(struct cli *c)
{
    struct timespec deadline;
    bool is_late = false;

    clock_gettime(CLOCK_MONOTONIC, &deadline);
    deadline.tv_sec += c->timeout_ms / MS_PER_SECOND;
    pthread_mutex_lock(&c->mutex);
    while (watch.left > 0 && !is_late)
        is_late = pthread_cond_timedwait(&c->changed, &c->mutex, &deadline) != 0;
    is_late = watch.left > 0;
    pthread_mutex_unlock(&c->mutex);
    if (is_late)
        return fail_by(BANTER_TIMEOUT, NULL);
    return watch.hidden > 0 ? EXIT_REFUSED : EXIT_OK;
}

static int watch_all(struct cli *c)
{
    int error = BANTER_OK;

    for (size_t i = 0; i < watch.count && !error; i++)
        error = banter_watch(c->client, watch.names[i]);
    return error ? fail_by(error, NULL) : EXIT_OK;
}

static int follow(struct cli *c, const sigset_t *signals)
{
    int status = hear_until_signal(c, signals);

    pthread_mutex_lock(&c->mutex);
    watch.is_over = true;
    pthread_mutex_unlock(&c->mutex);
    return status;
}

static int presence(struct cli *c, const struct arguments *a)
{
    struct banter_callbacks callbacks = hear_callbacks(c);
    sigset_t signals;
    int status;

    watch.names = handles_of(a, 0);
    watch.count = watch.left = (size_t)a->count;
    watch.follows = argument_given(a, "follow");
    callbacks.on_presence = on_presence;
    if (watch.follows)
        hear_hold_signals(c, &signals);
    status = profile_open_logged_in(c, &callbacks);
    if (!status)
        status = watch_all(c);
    if (status)
        return status;
    return watch.follows ? follow(c, &signals) : await_all(c);
}

static const struct option_row options[] = {
    {"follow", NULL, "go on, and show every change, until a signal", OPTION_FLAG, 0, 0},
    {0},
};

const struct command command_presence = {
    .name = "presence",
    .operands = "HANDLE...",
    .summary = "who is online, away or offline",
    .about = "Handle, state, and when they were last seen, as far as one may know: '-' for a state "
             "that one is not shown, and then the exit status is 1. To be connected makes oneself "
             "online.",
    .run = presence,
    .least = 1,
    .most = USERS_MAX,
    .options = options,
};
