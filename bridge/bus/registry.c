/* SPDX-License-Identifier: MIT */
/* registry.c - see registry.h: chooses the kind by the address, and keeps entries. */
#include "bus/registry.h"

#include "base/log.h"
#include "base/memory.h"
#include "bus/registry_type.h"

#include <stdlib.h>
#include <string.h>

static struct registry_entry *find(struct registry_entries *e, struct slice name)
{
    for (size_t i = 0; i < e->count; i++) {
        if (slice_equal(slice_str(e->list[i].name), name))
            return &e->list[i];
    }
    return NULL;
}

static void remove_at(struct registry_entries *e, size_t index)
{
    free(e->list[index].value);
    e->list[index] = e->list[--e->count];
}

/* NULL: there is no room for one more. */
static struct registry_entry *add(struct registry_entries *e, struct slice name)
{
    struct registry_entry *entry;

    if (e->count >= REGISTRY_ENTRIES_MAX)
        return NULL;
    e->list = must_realloc(e->list, (e->count + 1) * sizeof *e->list);
    entry = &e->list[e->count++];
    *entry = (struct registry_entry){.length = 0};
    memcpy(entry->name, name.data, name.length);
    return entry;
}

void registry_entries_put(struct registry_entries *e, struct slice name, struct slice value,
                          uint64_t now_ms)
{
    struct registry_entry *entry;

    if (name.length == 0 || name.length > REGISTRY_NAME_MAX || value.length > REGISTRY_VALUE_MAX ||
        memchr(name.data, '\0', name.length))
        return;
    entry = find(e, name);
    if (value.length == 0) {
        if (entry)
            remove_at(e, (size_t)(entry - e->list));
        return;
    }
    if (!entry && !(entry = add(e, name)))
        return;
    free(entry->value);
    entry->value = must_malloc(value.length);
    memcpy(entry->value, value.data, value.length);
    entry->length = value.length;
    entry->heard_ms = now_ms;
}

void registry_entries_forget(struct registry_entries *e, uint64_t since_ms)
{
    for (size_t i = 0; i < e->count;) {
        if (e->list[i].heard_ms < since_ms)
            remove_at(e, i);
        else
            i++;
    }
}

void registry_entries_finish(struct registry_entries *e)
{
    while (e->count > 0)
        remove_at(e, e->count - 1);
    free(e->list);
    *e = (struct registry_entries){.count = 0};
}

void registry_set_up(struct registry *r, bool up, const char *where)
{
    if (r->up == up)
        return;
    r->up = up;
    r->losses += !up;
    if (up)
        log_info("registry", "in use: %s", where);
    else
        log_warning("registry", "not there: %s", where);
}

struct registry *registry_create(struct event_base *base, const struct registry_config *config)
{
    static const char zookeeper[] = "zookeeper://";
    const struct registry_type *type = NULL;
    struct registry *r;

    if (strcmp(config->address, "redis") == 0)
        type = &registry_in_redis;
    else if (strncmp(config->address, zookeeper, sizeof zookeeper - 1) == 0)
        type = &registry_in_zookeeper;
    if (!type) {
        log_error("registry", "it is \"redis\", or begins with %s", zookeeper);
        return NULL;
    }
    if (strlen(config->name) > REGISTRY_NAME_MAX) {
        log_error("registry", "the node's name is too long");
        return NULL;
    }
    r = type->create(base, config);
    if (!r)
        return NULL;
    r->type = type;
    memcpy(r->name, config->name, strlen(config->name) + 1);
    return r;
}

void registry_destroy(struct registry *r)
{
    if (!r)
        return;
    registry_entries_finish(&r->entries);
    r->type->destroy(r);
}

void registry_say(struct registry *r, struct slice value)
{
    if (value.length > REGISTRY_VALUE_MAX)
        return;
    if (value.length > 0)
        memcpy(r->value, value.data, value.length);
    r->length = value.length;
    r->type->said(r);
}

bool registry_is_up(const struct registry *r)
{
    return r->up;
}

void registry_each(const struct registry *r, registry_tell_fn *tell, void *owner)
{
    for (size_t i = 0; i < r->entries.count; i++) {
        const struct registry_entry *entry = &r->entries.list[i];

        if (strcmp(entry->name, r->name) != 0)
            tell(owner, slice_str(entry->name), slice_of(entry->value, entry->length));
    }
}

static void count_one(void *owner, struct slice name, struct slice value)
{
    struct registry_stats *stats = owner;
    (void)name;
    (void)value;

    stats->entries++;
}

void registry_get_stats(const struct registry *r, struct registry_stats *out)
{
    *out = (struct registry_stats){.losses = r->losses};
    registry_each(r, count_one, out);
}
