/* SPDX-License-Identifier: MIT */
/* memory.c - allocation that ends the process instead of failing: see memory.h for why. */
#include "base/memory.h"

#include "base/log.h"
#include "base/map.h"

#include <stdlib.h>

static void *or_abort(void *memory, size_t size)
{
    if (memory || size == 0)
        return memory;
    log_error("memory", "out of memory: %zu bytes wanted", size);
    abort();
}

void *must_malloc(size_t size)
{
    return or_abort(malloc(size ? size : 1), size ? size : 1);
}

void *must_calloc(size_t count, size_t size)
{
    /* calloc(0, …) may give NULL, which callers are promised not to see. */
    return or_abort(calloc(count ? count : 1, size ? size : 1), 1);
}

void *must_realloc(void *memory, size_t size)
{
    return or_abort(realloc(memory, size ? size : 1), 1);
}

char *must_strndup(struct slice s)
{
    char *copy = must_calloc(s.length + 1, 1);
    if (s.length > 0)
        memcpy(copy, s.data, s.length);
    return copy;
}

void must_insert(struct map *m, void *item)
{
    if (!map_insert(m, item))
        or_abort(NULL, (m->count + 1) * sizeof item);
}
