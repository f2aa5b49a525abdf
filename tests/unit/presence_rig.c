/* SPDX-License-Identifier: MIT */
/* presence_rig.c - see presence_rig.h. */
#include "unit/presence_rig.h"

#include <stdio.h>

struct roster *roster;
uint64_t now_ms;
char told[4096];
char written[4096];
unsigned unknown_count;

struct roster_time at(uint64_t ms)
{
    now_ms = ms;
    return (struct roster_time){ms, (int64_t)ms + 1000000, false};
}

struct roster_time later(uint64_t ms)
{
    return at(now_ms + ms);
}

void rig_note(char *log, size_t capacity, const char *text)
{
    size_t length = strlen(log);

    snprintf(log + length, capacity - length, "%s; ", text);
}

void on_shown(void *owner, const struct roster_view *view)
{
    static const char *const names[] = {"unknown", "offline", "away", "online"};
    char text[128];

    (void)owner;
    snprintf(text, sizeof text, "%.*s %s%s", (int)view->handle.length, view->handle.data,
             names[view->shown], view->discreet ? " discreetly" : "");
    rig_note(told, sizeof told, text);
}

void on_unknown(void *owner, uint64_t uid)
{
    (void)owner;
    (void)uid;
    unknown_count++;
}

void on_seen(void *owner, uint64_t uid, int64_t at_ms)
{
    char text[64];

    (void)owner;
    snprintf(text, sizeof text, "%d seen %d", (int)uid, (int)(at_ms - 1000000));
    rig_note(written, sizeof written, text);
}

void on_hidden(void *owner, uint64_t uid, bool hidden, int64_t at_ms)
{
    char text[64];

    (void)owner;
    snprintf(text, sizeof text, "%d %s %d", (int)uid, hidden ? "hides" : "shows",
             (int)(at_ms - 1000000));
    rig_note(written, sizeof written, text);
}

void forget(void)
{
    told[0] = '\0';
    written[0] = '\0';
}
