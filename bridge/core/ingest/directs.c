/* SPDX-License-Identifier: MIT */
/* directs.c - the table of known direct conversations. An empty slot holds the nil UUID, which no
 * conversation has. */
#include "core/ingest/directs.h"

#include "base/hash.h"
#include "base/memory.h"

#include <stdlib.h>

void directs_init(struct directs *d)
{
    d->slots = must_calloc(DIRECTS_SLOTS, sizeof *d->slots);
}

void directs_finish(struct directs *d)
{
    free(d->slots);
    d->slots = NULL;
}

static struct uuid *slot_of(const struct directs *d, const struct uuid *conversation)
{
    return &d->slots[hash_bytes(conversation->bytes, sizeof conversation->bytes) % DIRECTS_SLOTS];
}

bool directs_is_known(const struct directs *d, const struct uuid *conversation)
{
    return uuid_equal(slot_of(d, conversation), conversation);
}

void directs_remember(struct directs *d, const struct uuid *conversation)
{
    *slot_of(d, conversation) = *conversation;
}
