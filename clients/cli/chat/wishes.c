/* SPDX-License-Identifier: MIT */
/* wishes.c - a queue of wishes. It is emptied whenever something was added, so it needs no bound.
 */
#include "chat/wishes.h"

#include "chat/memory.h"

#include <stdlib.h>

void wishes_add(struct wishes *w, const struct wish *wish)
{
    struct wish *added;

    w->list = memory_grow(w->list, &w->space, w->count + 1, sizeof *w->list);
    added = &w->list[w->count++];
    *added = *wish;
    added->text = memory_copy(wish->text);
    added->more = memory_copy(wish->more);
}

bool wishes_take(struct wishes *w, struct wish *out)
{
    if (w->next == w->count) {
        w->next = w->count = 0;
        return false;
    }
    *out = w->list[w->next++];
    return true;
}

void wish_finish(struct wish *wish)
{
    free(wish->text);
    free(wish->more);
}

void wishes_finish(struct wishes *w)
{
    struct wish wish;

    while (wishes_take(w, &wish))
        wish_finish(&wish);
    free(w->list);
    *w = (struct wishes){0};
}
