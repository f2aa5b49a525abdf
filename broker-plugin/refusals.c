/* SPDX-License-Identifier: MIT */
/* refusals.c - see refusals.h. Nearly always empty, and then one comparison. */
#include "refusals.h"

#include "base/hash.h"

#include <stdlib.h>

enum { FIRST_CAPACITY = 4 };

void refusals_finish(struct refusals *r)
{
    free(r->items);
    *r = (struct refusals){0};
}

static struct refusal *find(const struct refusals *r, const struct uuid *conversation)
{
    for (uint32_t i = 0; i < r->count; i++) {
        if (uuid_equal(&r->items[i].conversation, conversation))
            return &r->items[i];
    }
    return NULL;
}

bool refusals_block(const struct refusals *r, const struct uuid *conversation, struct slice id)
{
    const struct refusal *refusal = find(r, conversation);

    return r->lost || (refusal && refusal->draft != hash_bytes(id.data, id.length));
}

static bool make_room(struct refusals *r)
{
    uint32_t wanted = r->capacity ? 2 * r->capacity : FIRST_CAPACITY;
    struct refusal *larger;

    if (r->count < r->capacity)
        return true;
    if (wanted > REFUSALS_MAX || !(larger = realloc(r->items, wanted * sizeof *larger)))
        return false;
    r->items = larger;
    r->capacity = wanted;
    return true;
}

bool refusals_add(struct refusals *r, const struct uuid *conversation, struct slice id)
{
    if (find(r, conversation))
        return true; /* refusals_block() let it through: it is the draft that is waited for */
    if (uuid_is_nil(conversation) || !make_room(r)) {
        r->lost = true;
        return false;
    }
    r->items[r->count++] = (struct refusal){*conversation, hash_bytes(id.data, id.length)};
    return true;
}

void refusals_clear(struct refusals *r, const struct uuid *conversation)
{
    struct refusal *refusal = find(r, conversation);

    if (refusal)
        *refusal = r->items[--r->count];
}
