/* SPDX-License-Identifier: MIT */
/* registry_redis.c - entries that nobody stores: each node publishes its own once a second, and
 * remembers those of the others for some seconds. So Redis need not keep anything, as ever. */
#include "base/clock.h"
#include "base/memory.h"
#include "bus/bus.h"
#include "bus/registry_type.h"

#include <event2/event.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum {
    FORGET_MS = 5 * REGISTRY_SAY_MS,
    LISTEN_MS = 2 * REGISTRY_SAY_MS, /* from when it is connected until everybody has been heard */
};

#define CHANNEL "registry"
static const char where[] = "Redis";

struct redis_registry {
    struct registry base;
    struct bus *bus;
    struct event *timer;
    uint64_t connected_ms;
};

/* The length of the name in one byte, the name, the value. */
static void publish(struct redis_registry *r)
{
    char message[1 + REGISTRY_NAME_MAX + REGISTRY_VALUE_MAX];
    size_t name_length = strlen(r->base.name);

    message[0] = (char)name_length;
    memcpy(message + 1, r->base.name, name_length);
    memcpy(message + 1 + name_length, r->base.value, r->base.length);
    bus_publish(r->bus, slice_str(CHANNEL), slice_of(message, 1 + name_length + r->base.length));
}

static void on_up(void *owner)
{
    struct redis_registry *r = owner;

    r->connected_ms = clock_monotonic_ms();
    bus_subscribe(r->bus, slice_str(CHANNEL));
}

static void on_down(void *owner)
{
    struct redis_registry *r = owner;

    registry_set_up(&r->base, false, where);
}

static void on_message(void *owner, struct slice channel, struct slice payload)
{
    struct redis_registry *r = owner;
    size_t name_length = payload.length > 0 ? (unsigned char)payload.data[0] : 0;
    (void)channel;

    if (payload.length > name_length)
        registry_entries_put(
            &r->base.entries, slice_of(payload.data + 1, name_length),
            slice_of(payload.data + 1 + name_length, payload.length - 1 - name_length),
            clock_monotonic_ms());
}

static void on_timer(evutil_socket_t fd, short what, void *argument)
{
    struct redis_registry *r = argument;
    uint64_t now_ms = clock_monotonic_ms();
    (void)fd;
    (void)what;

    if (now_ms > FORGET_MS)
        registry_entries_forget(&r->base.entries, now_ms - FORGET_MS);
    if (bus_is_up(r->bus) && now_ms - r->connected_ms >= LISTEN_MS)
        registry_set_up(&r->base, true, where);
    if (r->base.length > 0)
        publish(r);
}

static void destroy(struct registry *registry)
{
    struct redis_registry *r = (struct redis_registry *)registry;

    if (r->timer)
        event_free(r->timer);
    bus_destroy(r->bus);
    free(r);
}

static struct registry *create(struct event_base *base, const struct registry_config *config)
{
    const struct timeval interval = {.tv_sec = REGISTRY_SAY_MS / 1000};
    const struct bus_config bus_config = {
        .address = config->redis, .prefix = config->prefix, .tls = config->redis_tls};
    struct redis_registry *r = must_calloc(1, sizeof *r);
    const struct bus_handlers handlers = {
        .up = on_up, .down = on_down, .message = on_message, .owner = r};

    r->bus = bus_create(base, &bus_config, &handlers);
    r->timer = event_new(base, -1, EV_PERSIST, on_timer, r);
    if (r->bus && r->timer && event_add(r->timer, &interval) == 0)
        return &r->base;
    destroy(&r->base);
    return NULL;
}

/* Who leaves says so at once. */
static void said(struct registry *registry)
{
    if (registry->length == 0)
        publish((struct redis_registry *)registry);
}

const struct registry_type registry_in_redis = {
    .create = create,
    .destroy = destroy,
    .said = said,
};
