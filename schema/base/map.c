/* SPDX-License-Identifier: MIT */
/* map.c - see map.h. Linear probing; removal closes the gap instead of leaving tombstones, so that
 * a table that lives for months stays as fast as a new one. At most three quarters of the slots are
 * used: probing always meets an empty one. */
#include "base/map.h"

#include "base/hash.h"

#include <assert.h>
#include <stdlib.h>

enum { FIRST_SLOTS = 16 };

void map_init(struct map *m, const struct map_type *type)
{
    *m = (struct map){.type = type};
}

void map_finish(struct map *m)
{
    free(m->slots);
    *m = (struct map){.type = m->type};
}

static size_t home_of(const struct map *m, const void *key)
{
    return (size_t)m->type->hash(key) & (m->slot_count - 1);
}

static size_t after(const struct map *m, size_t slot)
{
    return (slot + 1) & (m->slot_count - 1);
}

/* The slot that holds `key`, or the empty one where the search ended. */
static size_t probe(const struct map *m, const void *key)
{
    size_t slot = home_of(m, key);

    while (m->slots[slot] && !m->type->equal(m->type->key_of(m->slots[slot]), key))
        slot = after(m, slot);
    return slot;
}

void *map_find(const struct map *m, const void *key)
{
    return m->count > 0 ? m->slots[probe(m, key)] : NULL;
}

/* Puts an item whose key is not in the table into a table that has room. */
static void place(struct map *m, void *item)
{
    size_t slot = home_of(m, m->type->key_of(item));

    while (m->slots[slot])
        slot = after(m, slot);
    m->slots[slot] = item;
    m->count++;
}

static bool grow(struct map *m)
{
    struct map larger = {.type = m->type};

    larger.slot_count = m->slot_count ? 2 * m->slot_count : FIRST_SLOTS;
    larger.slots = calloc(larger.slot_count, sizeof *larger.slots);
    if (!larger.slots)
        return false;
    for (size_t i = 0; i < m->slot_count; i++) {
        if (m->slots[i])
            place(&larger, m->slots[i]);
    }
    assert(larger.count == m->count);
    free(m->slots);
    *m = larger;
    return true;
}

bool map_insert(struct map *m, void *item)
{
    assert(item && !map_find(m, m->type->key_of(item)));
    if ((m->count + 1) * 4 > m->slot_count * 3 && !grow(m))
        return false;
    place(m, item);
    return true;
}

/* Moves back every later item of the run that the empty slot would cut off from its home. */
static void close_gap(struct map *m, size_t gap)
{
    size_t mask = m->slot_count - 1;

    for (size_t slot = after(m, gap); m->slots[slot]; slot = after(m, slot)) {
        size_t home = home_of(m, m->type->key_of(m->slots[slot]));

        if (((slot - home) & mask) >= ((slot - gap) & mask)) {
            m->slots[gap] = m->slots[slot];
            gap = slot;
        }
    }
    m->slots[gap] = NULL;
}

void *map_remove(struct map *m, const void *key)
{
    size_t slot;
    void *item;

    if (m->count == 0)
        return NULL;
    slot = probe(m, key);
    item = m->slots[slot];
    if (item) {
        close_gap(m, slot);
        m->count--;
    }
    return item;
}

void *map_next(const struct map *m, size_t *cursor)
{
    while (*cursor < m->slot_count) {
        void *item = m->slots[(*cursor)++];

        if (item)
            return item;
    }
    return NULL;
}

uint64_t map_hash_u64(const void *key)
{
    return hash_u64(*(const uint64_t *)key);
}

bool map_equal_u64(const void *a_key, const void *b_key)
{
    return *(const uint64_t *)a_key == *(const uint64_t *)b_key;
}

uint64_t map_hash_address(const void *key)
{
    return hash_u64((uint64_t)(uintptr_t)key);
}

bool map_equal_address(const void *a_key, const void *b_key)
{
    return a_key == b_key;
}
