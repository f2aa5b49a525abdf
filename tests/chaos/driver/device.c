/* SPDX-License-Identifier: MIT */
/* device.c - see device.h. */
#include "device.h"

#include "base/hash.h"
#include "draft_text.h"
#include "driver.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t hash_conversation(const void *key)
{
    return hash_bytes(key, sizeof(struct uuid));
}

static bool equal_conversations(const void *a, const void *b)
{
    return uuid_equal(a, b);
}

static const void *conversation_of(const void *item)
{
    return &((const struct seat *)item)->conversation;
}

static const struct map_type seats_type = {hash_conversation, equal_conversations, conversation_of};

static struct seat *find_seat(const struct device *d, const struct uuid *conversation)
{
    return map_find(&d->seats, conversation);
}

static bool list_seat(struct device *d, struct seat *seat)
{
    struct seat **larger = realloc(d->seat_list, (d->seat_count + 1) * sizeof(*d->seat_list));

    if (!larger)
        return false;
    d->seat_list = larger;
    if (!map_insert(&d->seats, seat))
        return false;
    d->seat_list[d->seat_count++] = seat;
    return true;
}

static struct seat *take_seat(struct device *d, const struct uuid *conversation)
{
    struct seat *seat = calloc(1, sizeof(*seat));

    if (!seat)
        return NULL;
    seat->conversation = *conversation;
    uuid_format(conversation, seat->id_text);
    snprintf(seat->topic, sizeof(seat->topic), "send/%s", seat->id_text);
    seat->member = true;
    window_init(&seat->window);
    seat->text_seed = d->driver->scene.seed ^ draft_text_hash(device_slice(d)) ^
                      hash_u64(draft_text_hash(slice_str(seat->id_text)));
    if (!list_seat(d, seat)) {
        free(seat);
        return NULL;
    }
    return seat;
}

struct seat *device_seat(struct device *d, const struct uuid *conversation)
{
    struct seat *seat = find_seat(d, conversation);

    return seat ? seat : take_seat(d, conversation);
}

static bool give_outbox(struct seat *seat)
{
    seat->outbox = malloc(sizeof(*seat->outbox));
    if (seat->outbox)
        outbox_init(seat->outbox);
    return seat->outbox != NULL;
}

static bool sit_down(struct device *d)
{
    const struct scene *s = &d->driver->scene;

    for (unsigned i = 0; i < s->conversation_count; i++) {
        const struct scene_conversation *conversation = &s->conversations[i];
        struct seat *seat;

        if (!scene_names(conversation->members, d->handle))
            continue;
        seat = device_seat(d, &conversation->id);
        if (!seat)
            return false;
        if (d->manner != MANNER_MUTE && !seat->outbox &&
            scene_names(conversation->posters, d->handle) && !give_outbox(seat))
            return false;
    }
    return true;
}

bool device_init(struct device *d, struct driver *driver, const struct scene_user *user,
                 const struct scene_device *device, unsigned index)
{
    memset(d, 0, sizeof(*d));
    conn_init(&d->conn);
    map_init(&d->seats, &seats_type);
    d->driver = driver;
    d->handle = user->handle;
    d->device_name = device->name;
    d->token = user->token;
    d->manner = device->manner;
    d->mqtt_5 = index % 2 == 1;
    d->address = index % driver->scene.address_count;
    snprintf(d->name, sizeof(d->name), "%.*s/%.*s", (int)d->handle.length, d->handle.data,
             (int)d->device_name.length, d->device_name.data);
    return sit_down(d);
}

void device_finish(struct device *d)
{
    for (unsigned i = 0; i < d->seat_count; i++) {
        free(d->seat_list[i]->outbox);
        free(d->seat_list[i]);
    }
    free(d->seat_list);
    map_finish(&d->seats);
}

void device_violation(struct device *d, const char *what, struct slice detail)
{
    enum { DETAIL_MAX = 300 };
    struct events *e = &d->driver->events;

    d->driver->tally.violations++;
    events_begin(e, device_slice(d), 'E');
    events_text(e, slice_str(what));
    if (detail.length > DETAIL_MAX)
        detail.length = DETAIL_MAX;
    events_text(e, detail);
    events_end(e);
    connection_doom(d, "violation");
}
