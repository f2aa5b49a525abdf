/* SPDX-License-Identifier: MIT */
/* bus.h - small messages between nodes, over one Redis (or Valkey) or several: a hint that
 * something has happened, never the only place where it is known.
 *
 * Nothing here is reliable: a message may be lost, late, repeated or forged, and the bus be away
 * for any time. It reconnects by itself (back-off with jitter), holds a bounded number of bytes,
 * and probes itself: what does not come round in time is a loss of the connection. Everything runs
 * on the loop thread and never waits. Without an address it is never up, and all else works. */
#ifndef BANTER_BRIDGE_BUS_H
#define BANTER_BRIDGE_BUS_H

#include "base/compiler.h"
#include "base/slice.h"
#include "bus/tls.h"

#include <stdbool.h>
#include <stdint.h>

struct bus;
struct event_base;

enum {
    BUS_MESSAGE_MAX = 1 << 20, /* longer ones are not published */
    BUS_REDIS_MAX = 32,
};

struct bus_config {
    const char *address; /* see bus/address.h; several, the same for all nodes, with spaces between
                            them; empty: there is no bus */
    const char *prefix;  /* of all channels: installations that share a Redis have different ones */
    struct bus_tls tls;  /* copied, but not its texts; all empty: no TLS */
};

struct bus_handlers {
    /* Connected to every Redis, and nothing is subscribed to. */
    void (*up)(void *owner);
    void (*down)(void *owner);
    /* `channel` is without the prefix. Both are borrowed, and whoever sent them may be lying. */
    void (*message)(void *owner, struct slice channel, struct slice payload);
    void *owner;
};

/* NULL: the address cannot be understood, TLS not be had with these files, or out of descriptors;
 * logged. `handlers` is copied. */
struct bus *bus_create(struct event_base *base, const struct bus_config *config,
                       const struct bus_handlers *handlers) MUST_USE;
void bus_destroy(struct bus *b);

bool bus_is_up(const struct bus *b);
/* Does nothing when the bus is not up, or when too much waits: that is counted as dropped. */
void bus_publish(struct bus *b, struct slice channel, struct slice payload);
/* Do nothing when the bus is not up. */
void bus_subscribe(struct bus *b, struct slice channel);
void bus_unsubscribe(struct bus *b, struct slice channel);

/* Summed over all Redis, except for the losses. */
struct bus_stats {
    uint64_t published;
    uint64_t dropped;  /* too much waited, or too long */
    uint64_t received; /* messages handed over */
    uint64_t losses;   /* of a bus that was up */
};
void bus_get_stats(const struct bus *b, struct bus_stats *out);

#endif
