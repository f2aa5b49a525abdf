/* SPDX-License-Identifier: MIT */
/* asides.c - conversations that are set aside; see asides.h. */
#include "core/ingest/asides.h"

#include "base/memory.h"

#include <assert.h>
#include <stdlib.h>

void asides_init(struct asides *a)
{
    STAILQ_INIT(&a->list);
    a->count = 0;
}

bool asides_add(struct asides *a, const struct uuid *conversation)
{
    struct aside *aside;

    if (a->count == ASIDES_MAX)
        return false;
    aside = must_calloc(1, sizeof *aside);
    aside->conversation = *conversation;
    STAILQ_INIT(&aside->drafts);
    STAILQ_INSERT_TAIL(&a->list, aside, next);
    a->count++;
    return true;
}

struct aside *asides_find(const struct asides *a, const struct submission *s)
{
    struct aside *aside;

    STAILQ_FOREACH(aside, &a->list, next)
    {
        if (uuid_equal(&aside->conversation, &s->conversation))
            return aside;
    }
    return NULL;
}

void asides_rotate(struct asides *a)
{
    struct aside *first = STAILQ_FIRST(&a->list);

    assert(first);
    STAILQ_REMOVE_HEAD(&a->list, next);
    STAILQ_INSERT_TAIL(&a->list, first, next);
}

void asides_release(struct asides *a, struct submission_list *queue)
{
    struct aside *first = STAILQ_FIRST(&a->list);

    assert(first);
    STAILQ_REMOVE_HEAD(&a->list, next);
    a->count--;
    STAILQ_CONCAT(&first->drafts, queue);
    STAILQ_CONCAT(queue, &first->drafts);
    free(first);
}
