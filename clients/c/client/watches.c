/* SPDX-License-Identifier: MIT */
/* watches.c - see watches.h. */
#include "client/watches.h"

#include "client/json.h"
#include "wire/limits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    WATCHES_MAX = 1000,
    NO_TOKEN = -1,
    FILTER_SIZE = HANDLE_MAX_LENGTH + sizeof "presence/",
};

struct watch {
    struct watch *next;
    char handle[HANDLE_MAX_LENGTH + 1];
    bool is_subscribed; /* or about to be: the state may come before the acknowledgement */
    int token;
};

static void filter_of(const struct watch *one, char filter[FILTER_SIZE])
{
    (void)snprintf(filter, FILTER_SIZE, "presence/%s", one->handle);
}

static struct watch *find(const struct watches *w, const char *handle)
{
    struct watch *one = w->first;

    while (one && strcmp(one->handle, handle) != 0)
        one = one->next;
    return one;
}

static void subscribe(struct watches *w, struct watch *one)
{
    char filter[FILTER_SIZE];

    if (!w->is_up || one->is_subscribed)
        return;
    filter_of(one, filter);
    one->is_subscribed =
        w->transport.subscribe(w->transport.self, filter, &one->token) == BANTER_OK;
}

void watches_finish(struct watches *w)
{
    struct watch *one;

    while ((one = w->first) != NULL) {
        w->first = one->next;
        free(one);
    }
    w->count = 0;
}

void watches_retry(struct watches *w)
{
    for (struct watch *one = w->first; one; one = one->next)
        subscribe(w, one);
}

void watches_up(struct watches *w)
{
    w->is_up = true;
    watches_retry(w);
}

static void unknown(struct watches *w, struct watch *one)
{
    const struct banter_presence presence = {.user = one->handle};

    one->is_subscribed = false;
    one->token = NO_TOKEN;
    w->tell(w->owner, &presence);
}

void watches_down(struct watches *w)
{
    w->is_up = false;
    for (struct watch *one = w->first; one; one = one->next)
        if (one->is_subscribed)
            unknown(w, one);
}

int watches_add(struct watches *w, const char *handle)
{
    struct watch *one = find(w, handle);

    if (!one) {
        if (w->count >= WATCHES_MAX)
            return BANTER_FULL;
        one = calloc(1, sizeof *one);
        if (!one)
            return BANTER_NO_MEMORY;
        (void)snprintf(one->handle, sizeof one->handle, "%s", handle);
        one->token = NO_TOKEN;
        one->next = w->first;
        w->first = one;
        w->count++;
    }
    subscribe(w, one);
    return BANTER_OK;
}

void watches_remove(struct watches *w, const char *handle)
{
    struct watch **at = &w->first, *one;
    char filter[FILTER_SIZE];

    while (*at && strcmp((*at)->handle, handle) != 0)
        at = &(*at)->next;
    one = *at;
    if (!one)
        return;
    *at = one->next;
    w->count--;
    filter_of(one, filter);
    if (w->is_up && one->is_subscribed &&
        w->transport.unsubscribe(w->transport.self, filter) != BANTER_OK)
        w->is_up = false; /* it is not; the next connection has not this one */
    free(one);
}

void watches_refused(struct watches *w, const char *handle)
{
    struct watch *one = find(w, handle);

    if (one && one->is_subscribed)
        unknown(w, one);
}

void watches_acknowledged(struct watches *w, int token, int code)
{
    for (struct watch *one = w->first; one; one = one->next) {
        if (!one->is_subscribed || one->token != token)
            continue;
        one->token = NO_TOKEN;
        if (code >= REASON_REFUSED || code < 0)
            unknown(w, one);
        return;
    }
}

void watches_message(struct watches *w, const char *handle, const char *payload, size_t length)
{
    struct watch *one = find(w, handle);
    int error;
    json_t *told = one && one->is_subscribed ? json_read(payload, length, &error) : NULL;
    const struct banter_presence presence = {
        .user = handle,
        .state = json_text_of(told, "state"),
        .last_seen = json_text_of(told, "last_seen"),
    };

    if (presence.state)
        w->tell(w->owner, &presence);
    json_decref(told);
}
