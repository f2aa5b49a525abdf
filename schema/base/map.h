/* SPDX-License-Identifier: MIT */
/* map.h - a hash table of pointers to items that contain their own key.
 *
 * Open addressing; the table never owns items. Keys chosen by strangers must be hashed with
 * hash_bytes(), which is keyed. */
#ifndef BANTER_BASE_MAP_H
#define BANTER_BASE_MAP_H

#include "base/compiler.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct map_type {
    uint64_t (*hash)(const void *key);
    bool (*equal)(const void *a_key, const void *b_key);
    const void *(*key_of)(const void *item); /* borrowed from the item */
};

struct map {
    const struct map_type *type;
    void **slots;
    size_t slot_count; /* 0 or a power of two */
    size_t count;      /* items */
};

void map_init(struct map *m, const struct map_type *type);
/* Frees the table, not the items. */
void map_finish(struct map *m);
/* The item with this key, or NULL. */
void *map_find(const struct map *m, const void *key);
/* Adds `item`, whose key must not be in the table. False: out of memory, nothing changed. */
bool map_insert(struct map *m, void *item) MUST_USE;
/* Takes the item with this key out and returns it, or NULL. */
void *map_remove(struct map *m, const void *key);
/* Walks all items in no order: start with *cursor = 0, stop at NULL. Nothing may come or go
 * meanwhile: collect first what is to be removed. */
void *map_next(const struct map *m, size_t *cursor);

/* For tables whose key_of() points to a uint64_t that strangers cannot choose. */
uint64_t map_hash_u64(const void *key);
bool map_equal_u64(const void *a_key, const void *b_key);
/* For tables whose key_of() is itself the key: the address of something that is not touched. */
uint64_t map_hash_address(const void *key);
bool map_equal_address(const void *a_key, const void *b_key);

#endif
