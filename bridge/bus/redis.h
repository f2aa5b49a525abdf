/* SPDX-License-Identifier: MIT */
/* redis.h - one Redis of the bus: bus.h says what is promised, and adds up several of these. Nobody
 * else includes it. */
#ifndef BANTER_BRIDGE_BUS_REDIS_H
#define BANTER_BRIDGE_BUS_REDIS_H

#include "base/compiler.h"
#include "base/slice.h"
#include "bus/tls.h"

#include <stdbool.h>
#include <stdint.h>

struct event_base;
struct redis;

enum { REDIS_LABEL_MAX = 31 };

struct redis_config {
    const char *address; /* see bus/address.h */
    const char *label;   /* what the log calls it */
    const char *prefix;  /* of all channels, without the colon */
    struct bus_tls tls;  /* copied, but not its texts */
};

struct redis_handlers {
    /* Connected, and nothing is subscribed to. */
    void (*up)(void *owner);
    void (*down)(void *owner);
    void (*message)(void *owner, struct slice channel, struct slice payload);
    void *owner;
};

/* NULL after logging: as bus_create(). `handlers` is copied. */
struct redis *redis_create(struct event_base *base, const struct redis_config *config,
                           const struct redis_handlers *handlers) MUST_USE;
void redis_destroy(struct redis *r);

bool redis_is_up(const struct redis *r);
/* Ends a connection that is up, as if it were lost; there will be another. */
void redis_reset(struct redis *r, const char *reason);
/* These three as those of the bus. */
void redis_publish(struct redis *r, struct slice channel, struct slice payload);
void redis_subscribe(struct redis *r, struct slice channel);
void redis_unsubscribe(struct redis *r, struct slice channel);

struct redis_stats {
    uint64_t published, dropped, received;
};
void redis_get_stats(const struct redis *r, struct redis_stats *out);

#endif
