/* SPDX-License-Identifier: MIT */
/* drain.c - see drain.h. */
#include "core/drain.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/memory.h"
#include "link/link.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <sys/stat.h>

enum {
    LOOK_MS = 250,
    FILE_MAX_BYTES = 64,
    SECONDS_MAX = 86400,
};

struct drain {
    struct link *link;
    char *path;
    unsigned seconds; /* by default */
    struct event *timer;
    drain_changed_fn *changed;
    void *owner;
    bool on;
    struct timespec written; /* on: when the file was */
    uint64_t deadline_ms;    /* on: when the connections are to have ended */
    int64_t left;
};

static unsigned read_seconds(const struct drain *d)
{
    unsigned long seconds = d->seconds;
    struct buf text;
    char *end;

    buf_init(&text, FILE_MAX_BYTES);
    if (file_read(d->path, &text) && text.length > 1) {
        unsigned long number = strtoul(text.data, &end, 10);

        if (end != text.data && number <= SECONDS_MAX)
            seconds = number;
    }
    buf_finish(&text);
    return (unsigned)seconds;
}

static void tell_plugin(struct drain *d)
{
    uint64_t now_ms = clock_monotonic_ms();
    uint64_t within_ms = d->deadline_ms > now_ms ? d->deadline_ms - now_ms : 0;

    link_drain(d->link, &(struct frame_drain){.on = d->on, .within_ms = (uint32_t)within_ms});
}

static void turn_on(struct drain *d)
{
    unsigned seconds = read_seconds(d);

    log_info("drain", "draining: connections end within %u s", seconds);
    d->on = true;
    d->deadline_ms = clock_monotonic_ms() + (uint64_t)seconds * 1000;
}

static void turn_off(struct drain *d)
{
    log_info("drain", "draining is over");
    d->on = false;
    d->deadline_ms = 0;
}

static void look(struct drain *d)
{
    struct stat file;
    bool exists = stat(d->path, &file) == 0;

    if (!exists && errno != ENOENT)
        return; /* nobody has said anything */
    if (exists == d->on && (!exists || (file.st_mtim.tv_sec == d->written.tv_sec &&
                                        file.st_mtim.tv_nsec == d->written.tv_nsec)))
        return;
    d->left = -1;
    if (exists) {
        d->written = file.st_mtim;
        turn_on(d);
    } else {
        turn_off(d);
    }
    tell_plugin(d);
    if (d->changed)
        d->changed(d->owner, d->on);
}

static void on_timer(evutil_socket_t fd, short what, void *argument)
{
    (void)fd;
    (void)what;
    look(argument);
}

struct drain *drain_create(struct event_base *base, struct link *link, const char *path,
                           unsigned seconds)
{
    const struct timeval interval = {.tv_usec = LOOK_MS * 1000};
    struct drain *d = must_calloc(1, sizeof *d);

    d->link = link;
    d->path = must_strndup(slice_str(path));
    d->seconds = seconds;
    d->left = -1;
    d->timer = event_new(base, -1, EV_PERSIST, on_timer, d);
    if (d->timer && (path[0] == '\0' || event_add(d->timer, &interval) == 0))
        return d;
    drain_destroy(d);
    return NULL;
}

void drain_destroy(struct drain *d)
{
    if (!d)
        return;
    if (d->timer)
        event_free(d->timer);
    free(d->path);
    free(d);
}

void drain_on_changed(struct drain *d, drain_changed_fn *changed, void *owner)
{
    d->changed = changed;
    d->owner = owner;
    if (d->path[0] != '\0')
        look(d); /* the file of before the start counts from the start */
}

bool drain_is_on(const struct drain *d)
{
    return d->on;
}

int64_t drain_left(const struct drain *d)
{
    return d->left;
}

void drain_link_changed(struct drain *d, bool up)
{
    d->left = -1;
    if (up && d->on)
        tell_plugin(d);
}

void drain_note_left(struct drain *d, uint32_t connections)
{
    d->left = connections;
}
