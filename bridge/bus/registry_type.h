/* SPDX-License-Identifier: MIT */
/* registry_type.h - what the kinds of registry share; for them and for registry.c alone. */
#ifndef BANTER_BRIDGE_BUS_REGISTRY_TYPE_H
#define BANTER_BRIDGE_BUS_REGISTRY_TYPE_H

#include "bus/registry.h"

#include <stddef.h>
#include <stdint.h>

struct registry_entry {
    char name[REGISTRY_NAME_MAX + 1];
    char *value; /* owned */
    size_t length;
    uint64_t heard_ms;
};

/* Zeroed: none. */
struct registry_entries {
    struct registry_entry *list;
    size_t count;
};

/* Adds or replaces; an empty value removes. What is too long or too much is left out. */
void registry_entries_put(struct registry_entries *e, struct slice name, struct slice value,
                          uint64_t now_ms);
/* Removes those that were not put since. */
void registry_entries_forget(struct registry_entries *e, uint64_t since_ms);
void registry_entries_finish(struct registry_entries *e);

/* First member of each kind. */
struct registry {
    const struct registry_type *type;
    char name[REGISTRY_NAME_MAX + 1]; /* the own one */
    char value[REGISTRY_VALUE_MAX];   /* likewise; length 0: none */
    size_t length;
    bool up;
    struct registry_entries entries; /* of others */
    uint64_t losses;
};

struct registry_type {
    /* NULL after logging why. */
    struct registry *(*create)(struct event_base *base, const struct registry_config *config);
    void (*destroy)(struct registry *r);
    /* The own entry has changed. */
    void (*said)(struct registry *r);
};

extern const struct registry_type registry_in_redis;
extern const struct registry_type registry_in_zookeeper;

/* For logging and counting: tells when it comes and goes. */
void registry_set_up(struct registry *r, bool up, const char *where);

#endif
