/* SPDX-License-Identifier: MIT */
/* driver.c - see driver.h. */
#include "driver.h"

#include "base/clock.h"
#include "base/hash.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum {
    DEVICES_EVERY_US = 20000,
    OWED_MAX = 250000, /* millionths of the rate: what was missed for longer is not made up for */
    OPEN_TRIES = 4,
    ROOM_BYTES = 2 << 20,
    MILLION = 1000000,
};

uint64_t driver_random(struct driver *d)
{
    d->random_state += UINT64_C(0x9e3779b97f4a7c15);
    return hash_u64(d->random_state);
}

/* ---------------------------------------------------------------- making it */

static bool add_devices(struct driver *d)
{
    const struct scene *s = &d->scene;

    d->devices = calloc(s->device_count + 1, sizeof(*d->devices));
    if (!d->devices)
        return false;
    for (unsigned i = 0; i < s->user_count; i++) {
        const struct scene_user *user = &s->users[i];

        for (unsigned k = 0; k < user->device_count; k++) {
            struct device *device = &d->devices[d->device_count++];

            if (!device_init(device, d, user, &user->devices[k], d->device_count - 1))
                return false;
        }
    }
    return true;
}

static unsigned count_posts(const struct driver *d, struct post *posts)
{
    unsigned count = 0;

    for (unsigned i = 0; i < d->device_count; i++) {
        struct device *device = &d->devices[i];

        for (unsigned k = 0; k < device->seat_count; k++) {
            if (!device->seat_list[k]->outbox)
                continue;
            if (posts)
                posts[count] = (struct post){device, device->seat_list[k]};
            count++;
        }
    }
    return count;
}

static bool add_posts(struct driver *d)
{
    d->post_count = count_posts(d, NULL);
    d->posts = calloc(d->post_count + 1, sizeof(*d->posts));
    return d->posts && count_posts(d, d->posts) == d->post_count;
}

static bool fail(const char *what)
{
    fprintf(stderr, "banter-chaos-driver: %s: %s\n", what, strerror(errno));
    return false;
}

bool driver_init(struct driver *d, const char *cast, const char *name, const char *log)
{
    struct conn_handlers handlers;

    memset(d, 0, sizeof(*d));
    d->events.fd = -1;
    buf_init(&d->text, ROOM_BYTES);
    buf_init(&d->payload, ROOM_BYTES);
    buf_init(&d->id, ROOM_BYTES);
    buf_init(&d->room, ROOM_BYTES);
    if (!scene_read(&d->scene, cast, name))
        return false;
    if (getrandom(&d->run, sizeof(d->run), 0) != (ssize_t)sizeof(d->run))
        return fail("no random number");
    d->random_state = hash_u64(d->scene.seed);
    d->rate = d->scene.rate;
    d->pace_us = clock_monotonic_us();
    connection_handlers(d, &handlers);
    d->set = conn_set_create(&handlers, d->scene.device_count + 1);
    if (!d->set || !add_devices(d) || !add_posts(d))
        return fail("out of memory");
    return events_open(&d->events, log) || fail(log);
}

void driver_finish(struct driver *d)
{
    for (unsigned i = 0; i < d->device_count; i++) {
        conn_close(d->set, &d->devices[i].conn);
        device_finish(&d->devices[i]);
    }
    events_close(&d->events);
    conn_set_destroy(d->set);
    free(d->devices);
    free(d->posts);
    scene_finish(&d->scene);
    buf_finish(&d->text);
    buf_finish(&d->payload);
    buf_finish(&d->id);
    buf_finish(&d->room);
}

/* ---------------------------------------------------------------- running it */

static void open_draft(struct driver *d, uint64_t now_us)
{
    for (int i = 0; i < OPEN_TRIES; i++) {
        const struct post *post = &d->posts[driver_random(d) % d->post_count];

        if (posting_open(post->seat)) {
            posting_turn(post->device, now_us);
            return;
        }
    }
    d->tally.held_back++;
}

static void keep_pace(struct driver *d, uint64_t now_us)
{
    uint64_t owed_max = d->rate * OWED_MAX + MILLION;

    d->owed += (now_us - d->pace_us) * d->rate;
    d->pace_us = now_us;
    if (d->owed > owed_max)
        d->owed = owed_max;
    if (d->stopped || d->post_count == 0)
        d->owed = 0;
    for (; d->owed >= MILLION; d->owed -= MILLION)
        open_draft(d, now_us);
}

static void turn_device(struct device *device, uint64_t now_us)
{
    connection_turn(device, now_us);
    syncing_turn(device, now_us);
    posting_turn(device, now_us);
}

bool driver_turn(struct driver *d, uint64_t timeout_us)
{
    uint64_t now_us = clock_monotonic_us();

    if (now_us >= d->devices_us) {
        d->devices_us = now_us + DEVICES_EVERY_US;
        for (unsigned i = 0; i < d->device_count; i++)
            turn_device(&d->devices[i], now_us);
    }
    keep_pace(d, now_us);
    if (!conn_set_turn(d->set, timeout_us))
        return fail("epoll");
    events_turn(&d->events, clock_monotonic_us());
    return !d->events.failed || fail("the log");
}

void driver_storm(struct driver *d)
{
    uint64_t now_us = clock_monotonic_us();

    for (unsigned i = 0; i < d->device_count; i++)
        connection_cut(&d->devices[i], "storm", now_us);
}

void driver_begin_finish(struct driver *d)
{
    uint64_t now_us = clock_monotonic_us();

    d->stopped = d->finishing = true;
    for (unsigned i = 0; i < d->device_count; i++)
        syncing_wish(&d->devices[i], now_us, 1, true);
}

bool driver_is_done(const struct driver *d)
{
    for (unsigned i = 0; i < d->device_count; i++) {
        if (!d->devices[i].finished)
            return false;
    }
    return d->finishing;
}

/* ---------------------------------------------------------------- telling of it */

struct census {
    unsigned open, connected, ready, behind, finished;
    uint64_t oldest_us; /* 0: nothing is open */
};

static void count_device(const struct device *d, struct census *c)
{
    c->open += posting_open_count(d);
    c->connected += d->connected;
    c->ready += d->ready;
    c->behind += syncing_is_behind(d);
    c->finished += d->finished;
    for (unsigned i = 0; i < d->seat_count; i++) {
        const struct outbox *o = d->seat_list[i]->outbox;
        uint64_t oldest_us = o ? outbox_oldest_us(o) : 0;

        if (oldest_us > 0 && d->manner != MANNER_SLOW &&
            (c->oldest_us == 0 || oldest_us < c->oldest_us))
            c->oldest_us = oldest_us;
    }
}

void driver_write_status(struct driver *d, struct buf *out)
{
    struct census c = {0};
    uint64_t now_us = clock_monotonic_us();
    struct tally *t = &d->tally;

    for (unsigned i = 0; i < d->device_count; i++)
        count_device(&d->devices[i], &c);

    const struct {
        const char *name;
        uint64_t value;
    } members[] = {
        {"sent", t->sent},
        {"receipted", t->receipted},
        {"open", c.open},
        {"connected", c.connected},
        {"delivered", t->delivered},
        {"max_receipt_ms", t->worst_us / 1000},
        {"oldest_open_ms", c.oldest_us > 0 ? (now_us - c.oldest_us) / 1000 : 0},
        {"devices", d->device_count},
        {"ready", c.ready},
        {"behind", c.behind},
        {"finished", c.finished},
        {"resent", t->resent},
        {"refused", t->refused},
        {"replayed", t->replayed},
        {"gaps", t->gaps},
        {"syncs", t->syncs},
        {"reconnects", t->reconnects},
        {"held_back", t->held_back},
        {"violations", t->violations},
    };

    buf_char(out, '{');
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        buf_json_key(out, members[i].name);
        buf_u64(out, members[i].value);
    }
    buf_str(out, "}\n");
    t->worst_us = 0;
}
