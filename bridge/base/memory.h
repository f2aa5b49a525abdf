/* SPDX-License-Identifier: MIT */
/* memory.h - allocation in the bridge: running out ends the process with a message, because the
 * bridge may be killed at any moment anyway. Sizes that come from outside are checked against a
 * limit first. */
#ifndef BANTER_BRIDGE_MEMORY_H
#define BANTER_BRIDGE_MEMORY_H

#include "base/slice.h"

#include <stddef.h>

struct map;

/* Never NULL. Freed with free(). */
void *must_malloc(size_t size);
/* Zeroed. Never NULL. Freed with free(). */
void *must_calloc(size_t count, size_t size);
/* As realloc(3). Never NULL. */
void *must_realloc(void *memory, size_t size);
/* A NUL-terminated copy. Never NULL. */
char *must_strndup(struct slice s);
/* Adds `item`, whose key must not be in the table. */
void must_insert(struct map *m, void *item);

#endif
