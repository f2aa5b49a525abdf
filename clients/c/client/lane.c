/* SPDX-License-Identifier: MIT */
/* lane.c - see lane.h. */
#include "client/lane.h"

#include "client/errors.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_CAPACITY = 8 };

struct lane *lane_create(const char *target)
{
    struct lane *l = calloc(1, sizeof *l);
    size_t length = strlen(target);

    if (!l)
        return NULL;
    assert(length < sizeof l->target);
    memcpy(l->target, target, length + 1);
    return l;
}

void lane_destroy(struct lane *l)
{
    if (!l)
        return;
    free(l->line);
    free(l);
}

bool lane_make_room(struct lane *l, size_t more)
{
    size_t capacity = l->capacity > 0 ? l->capacity : FIRST_CAPACITY;
    struct letter **line;

    if (l->capacity - l->count >= more)
        return true;
    while (capacity - l->count < more)
        capacity *= 2;
    line = realloc(l->line, capacity * sizeof *line);
    if (!line)
        return false;
    l->line = line;
    l->capacity = capacity;
    return true;
}

bool lane_add(struct lane *l, struct letter *letter)
{
    size_t place = l->count;

    if (!lane_make_room(l, 1))
        return false;
    while (place > l->flying && l->line[place - 1]->number > letter->number)
        place--;
    memmove(&l->line[place + 1], &l->line[place], (l->count - place) * sizeof *l->line);
    l->line[place] = letter;
    l->count++;
    letter->lane = l;
    return true;
}

static size_t place_of(const struct lane *l, const struct letter *letter)
{
    size_t place = 0;

    while (place < l->count && l->line[place] != letter)
        place++;
    assert(place < l->count);
    return place;
}

void lane_remove(struct lane *l, const struct letter *letter)
{
    size_t place = place_of(l, letter);

    l->count--;
    memmove(&l->line[place], &l->line[place + 1], (l->count - place) * sizeof *l->line);
    if (place < l->flying)
        l->flying--;
}

bool lane_is_flying(const struct lane *l, const struct letter *letter)
{
    return place_of(l, letter) < l->flying;
}

struct letter *lane_next(const struct lane *l)
{
    return l->flying < l->count ? l->line[l->flying] : NULL;
}

void lane_send(struct lane *l, uint64_t now)
{
    assert(l->flying < l->count);
    l->line[l->flying++]->flown_at = now;
}

void lane_rewind(struct lane *l)
{
    l->flying = 0;
}

enum lane_outcome lane_refuse(const struct lane *l, const struct letter *letter, int error)
{
    /* A token that has ended concerns the connection, not the draft. */
    if (!error_is_passing(error) && error != BANTER_UNAUTHORIZED)
        return LANE_FINAL;
    return lane_is_flying(l, letter) ? LANE_REWIND : LANE_HAPPENED;
}

uint64_t lane_flying_since(const struct lane *l)
{
    return l->flying > 0 ? l->line[0]->flown_at : NEVER;
}

bool lane_is_to_handle(const struct lane *l)
{
    return l->target[0] == '@';
}
