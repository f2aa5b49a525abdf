/* SPDX-License-Identifier: MIT */
/* memory.c - memory, or the end of the program. */
#include "chat/memory.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROOM_MIN = 16 };

static void (*before_end)(void);

void memory_before_end(void (*restore)(void))
{
    before_end = restore;
}

static void *or_end(void *memory)
{
    if (memory)
        return memory;
    if (before_end)
        before_end();
    fputs("banter-cli: out of memory\n", stderr);
    _Exit(EXIT_FAILURE);
}

void *memory_new(size_t count, size_t size)
{
    return or_end(calloc(count > 0 ? count : 1, size));
}

void *memory_grow(void *array, size_t *room, size_t count, size_t size)
{
    size_t wanted = *room < ROOM_MIN ? ROOM_MIN : *room;

    if (count <= *room)
        return array;
    while (wanted < count)
        wanted *= 2;
    array = or_end(wanted < SIZE_MAX / size ? realloc(array, wanted * size) : NULL);
    *room = wanted;
    return array;
}

char *memory_copy(const char *text)
{
    return text ? or_end(strdup(text)) : NULL;
}
