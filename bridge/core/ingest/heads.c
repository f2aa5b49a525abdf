/* SPDX-License-Identifier: MIT */
/* heads.c - the table of heads. An empty slot holds the nil UUID, which no conversation has. */
#include "core/ingest/heads.h"

#include "base/hash.h"
#include "base/memory.h"

#include <assert.h>
#include <stdlib.h>

void heads_init(struct heads *h)
{
    h->slots = must_calloc(HEADS_SLOTS, sizeof *h->slots);
}

void heads_finish(struct heads *h)
{
    free(h->slots);
    h->slots = NULL;
}

struct head *heads_slot(const struct heads *h, const struct uuid *conversation)
{
    return &h->slots[hash_bytes(conversation->bytes, sizeof conversation->bytes) % HEADS_SLOTS];
}

struct head *heads_find(const struct heads *h, const struct uuid *conversation)
{
    struct head *slot = heads_slot(h, conversation);

    return head_is_of(slot, conversation) ? slot : NULL;
}

void heads_forget(struct heads *h, const struct uuid *conversation)
{
    struct head *head = heads_find(h, conversation);

    if (head) {
        head->known = false;
        head->batch = 0;
    }
}

void heads_forget_all(struct heads *h)
{
    heads_finish(h);
    heads_init(h);
}

bool head_is_of(const struct head *h, const struct uuid *conversation)
{
    return uuid_equal(&h->conversation, conversation);
}

void head_claim(struct head *h, const struct uuid *conversation, uint64_t batch)
{
    if (!head_is_of(h, conversation))
        *h = (struct head){.conversation = *conversation};
    h->known = false;
    h->batch = batch;
}

bool head_has_writer(const struct head *h, uint64_t uid)
{
    assert(uid > 0);
    for (unsigned i = 0; i < HEAD_WRITERS_MAX; i++) {
        if (h->writers[i] == uid)
            return true;
    }
    return false;
}

void head_add_writer(struct head *h, uint64_t uid)
{
    if (head_has_writer(h, uid))
        return;
    h->writers[h->next_writer] = uid;
    h->next_writer = (h->next_writer + 1) % HEAD_WRITERS_MAX;
}
