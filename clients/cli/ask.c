/* SPDX-License-Identifier: MIT */
/* ask.c - a question to the server, and waiting for its answer. */
#include "cli.h"

#include <stdlib.h>
#include <time.h>

enum { MS_PER_SECOND = 1000, PAGE = 1000 };

void ask_done(void *owner, const struct banter_result *result)
{
    struct cli *c = owner;

    pthread_mutex_lock(&c->mutex);
    json_decref(c->answer);
    c->answer = result->json ? json_loads(result->json, 0, NULL) : NULL;
    c->error = result->error;
    c->is_done = true;
    if (result->error)
        (void)fail_by(result->error, result->reason);
    pthread_cond_broadcast(&c->changed);
    pthread_mutex_unlock(&c->mutex);
}

int ask_wait(struct cli *c, int error)
{
    struct timespec deadline;
    bool is_late = false;

    if (error)
        return fail_by(error, NULL);
    clock_gettime(CLOCK_MONOTONIC, &deadline);
    deadline.tv_sec += c->timeout_ms / MS_PER_SECOND;
    pthread_mutex_lock(&c->mutex);
    while (!c->is_done && !is_late)
        is_late = pthread_cond_timedwait(&c->changed, &c->mutex, &deadline) != 0;
    is_late = !c->is_done;
    error = c->error;
    c->is_done = false;
    pthread_mutex_unlock(&c->mutex);
    return is_late ? fail_by(BANTER_TIMEOUT, NULL) : exit_status_of(error);
}

int ask_command(struct cli *c, json_t *command)
{
    char *text = command ? json_dumps(command, JSON_COMPACT) : NULL;
    int status;

    json_decref(command);
    if (!text)
        return fail_by(BANTER_INVALID, NULL);
    status = ask_wait(c, banter_command(c->client, text, ask_done, c));
    free(text);
    return status;
}

int ask_list(struct cli *c, const struct list *list, const char *conversation)
{
    char after[NAME_SIZE] = "";

    for (;;) {
        json_t *asked = json_pack("{s:s, s:i, s:s*, s:s*}", "command", list->command, "limit", PAGE,
                                  "conversation", conversation, "after", after[0] ? after : NULL);
        int status = ask_command(c, asked);
        const json_t *items, *last;
        const char *next;

        if (status)
            return status;
        show_list(c, list);
        items = json_object_get(c->answer, list->name);
        last = json_array_get(items, json_array_size(items) - 1);
        next = json_string_value(json_object_get(last, list->key));
        if (!json_is_true(json_object_get(c->answer, "more")) || !next)
            return EXIT_OK;
        (void)snprintf(after, sizeof after, "%s", next);
    }
}
