/* SPDX-License-Identifier: MIT */
/* registry.h - which nodes are there, and what each says of itself, where it is kept outside of
 * PostgreSQL: in Redis or in Apache ZooKeeper.
 *
 * An entry is a name and some bytes. It goes when its node goes, without anybody's help, some
 * seconds later if the node dies. Nothing here is to be believed: whoever can write to the registry
 * may have written it, so values are sealed by who asks for them. All calls are for the loop
 * thread, and none but registry_destroy() waits; a registry that is away comes back by itself. */
#ifndef BANTER_BRIDGE_BUS_REGISTRY_H
#define BANTER_BRIDGE_BUS_REGISTRY_H

#include "base/compiler.h"
#include "base/slice.h"
#include "bus/tls.h"

#include <stdbool.h>
#include <stdint.h>

struct event_base;
struct registry;

enum {
    REGISTRY_NAME_MAX = 64,
    REGISTRY_VALUE_MAX = 8192,
    REGISTRY_ENTRIES_MAX = 1000,
    REGISTRY_SAY_MS = 1000, /* entries are written and read this often */
};

struct registry_config {
    const char *address; /* "redis", or see zookeeper_address.h */
    const char *redis;   /* see bus/address.h; empty: there is none */
    const char *prefix;  /* see bus.h; for Redis */
    struct bus_tls redis_tls;
    const char *name; /* of this node: letters, digits and any of -_.~ */
};

/* NULL: the address cannot be understood, or this program was built without what it names; logged.
 * Strings are copied. */
struct registry *registry_create(struct event_base *base,
                                 const struct registry_config *config) MUST_USE;
/* Takes the own entry out of ZooKeeper, for which it may wait some seconds; one in Redis that
 * registry_say() has not emptied is forgotten some seconds later. */
void registry_destroy(struct registry *r);

/* Sets the own entry, copied; empty: this node is leaving. One that is longer than
 * REGISTRY_VALUE_MAX changes nothing. */
void registry_say(struct registry *r, struct slice value);
/* False: what registry_each() tells is not the state of now. */
bool registry_is_up(const struct registry *r);
typedef void registry_tell_fn(void *owner, struct slice name, struct slice value);
/* All entries but the own one, as they were read last. */
void registry_each(const struct registry *r, registry_tell_fn *tell, void *owner);

struct registry_stats {
    uint64_t entries; /* of others */
    uint64_t losses;  /* of a registry that was up */
};
void registry_get_stats(const struct registry *r, struct registry_stats *out);

#endif
