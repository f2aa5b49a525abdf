/* SPDX-License-Identifier: MIT */
/* bus.c - the bus over one Redis or several, each of which has the channels that fall to it by a
 * hash of their names: one has a single thread.
 *
 * Rule: it is up while all of them are. When one is lost all are, so that what is subscribed to is
 * either everything or nothing. */
#include "bus/bus.h"

#include "base/hash.h"
#include "base/log.h"
#include "base/memory.h"
#include "bus/address.h"
#include "bus/redis.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The same for all nodes: they must agree on where a channel is. */
static const uint8_t hash_key[16] = "banter channels";

struct bus {
    struct bus_handlers handlers;
    struct redis *parts[BUS_REDIS_MAX];
    unsigned count;
    bool up;
    uint64_t losses;
};

static void on_up(void *owner)
{
    struct bus *b = owner;

    for (unsigned i = 0; i < b->count; i++) {
        if (!redis_is_up(b->parts[i]))
            return;
    }
    b->up = true;
    b->handlers.up(b->handlers.owner);
}

static void on_down(void *owner)
{
    struct bus *b = owner;

    if (!b->up)
        return;
    b->up = false;
    b->losses++;
    for (unsigned i = 0; i < b->count; i++)
        redis_reset(b->parts[i], "another one is away");
    b->handlers.down(b->handlers.owner);
}

/* A Redis that is up alone hears nothing but its own probes, or what was on its way. */
static void on_message(void *owner, struct slice channel, struct slice payload)
{
    struct bus *b = owner;

    if (b->up)
        b->handlers.message(b->handlers.owner, channel, payload);
}

/* False after logging. `address` is one of `of`. */
static bool add_part(struct bus *b, struct event_base *base, const struct bus_config *config,
                     const char *address, unsigned of)
{
    const struct redis_handlers handlers = {
        .up = on_up, .down = on_down, .message = on_message, .owner = b};
    char label[REDIS_LABEL_MAX + 1] = "Redis";
    struct redis *part;

    if (of > 1)
        (void)snprintf(label, sizeof label, "Redis %u of %u", b->count + 1, of);
    part = redis_create(
        base,
        &(struct redis_config){
            .address = address, .label = label, .prefix = config->prefix, .tls = config->tls},
        &handlers);
    if (part)
        b->parts[b->count++] = part;
    return part != NULL;
}

static unsigned count_words(const char *text)
{
    unsigned count = 0;

    while (*(text += strspn(text, " ")) != '\0') {
        text += strcspn(text, " ");
        count++;
    }
    return count;
}

static bool add_parts(struct bus *b, struct event_base *base, const struct bus_config *config)
{
    const unsigned of = count_words(config->address);
    char *addresses = must_strndup(slice_str(config->address));
    char *rest = addresses, *address;
    bool ok = of <= BUS_REDIS_MAX;

    if (!ok)
        log_error("bus", "redis names %u, and may name %d", of, BUS_REDIS_MAX);
    while (ok && (address = strtok_r(rest, " ", &rest)))
        ok = add_part(b, base, config, address, of);
    explicit_bzero(addresses, strlen(config->address));
    free(addresses);
    return ok;
}

struct bus *bus_create(struct event_base *base, const struct bus_config *config,
                       const struct bus_handlers *handlers)
{
    struct bus *b = must_calloc(1, sizeof *b);

    b->handlers = *handlers;
    if (add_parts(b, base, config))
        return b;
    bus_destroy(b);
    return NULL;
}

void bus_destroy(struct bus *b)
{
    if (!b)
        return;
    b->up = false;
    for (unsigned i = 0; i < b->count; i++)
        redis_destroy(b->parts[i]);
    free(b);
}

bool bus_is_up(const struct bus *b)
{
    return b->up;
}

static struct redis *part_of(const struct bus *b, struct slice channel)
{
    return b->parts[siphash24(hash_key, channel.data, channel.length) % b->count];
}

void bus_publish(struct bus *b, struct slice channel, struct slice payload)
{
    if (b->up)
        redis_publish(part_of(b, channel), channel, payload);
}

void bus_subscribe(struct bus *b, struct slice channel)
{
    if (b->up)
        redis_subscribe(part_of(b, channel), channel);
}

void bus_unsubscribe(struct bus *b, struct slice channel)
{
    if (b->up)
        redis_unsubscribe(part_of(b, channel), channel);
}

void bus_get_stats(const struct bus *b, struct bus_stats *out)
{
    struct redis_stats part;

    *out = (struct bus_stats){.losses = b->losses};
    for (unsigned i = 0; i < b->count; i++) {
        redis_get_stats(b->parts[i], &part);
        out->published += part.published;
        out->dropped += part.dropped;
        out->received += part.received;
    }
}
