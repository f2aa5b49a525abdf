/* SPDX-License-Identifier: MIT */
/* asides.h - conversations that are set aside: something else holds a lock that their drafts need,
 * so these wait here, in order, and all other conversations go on.
 *
 * Rule: while a conversation is here, each of its drafts that reaches the front of the queue comes
 * here too. So none of them overtakes another. */
#ifndef BANTER_BRIDGE_INGEST_ASIDES_H
#define BANTER_BRIDGE_INGEST_ASIDES_H

#include "base/compiler.h"
#include "base/uuid.h"
#include "core/ingest/submission.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/queue.h>

/* Each draft that is sent is looked up among them. */
enum { ASIDES_MAX = 64 };

struct aside {
    STAILQ_ENTRY(aside) next;
    struct uuid conversation;
    struct submission_list drafts; /* the first is the one that could not be stored */
};

struct asides {
    STAILQ_HEAD(, aside) list; /* the first is tried next */
    size_t count;
};

void asides_init(struct asides *a);
/* False: there are too many already. */
bool asides_add(struct asides *a, const struct uuid *conversation) MUST_USE;
/* Where the draft has to wait, or NULL. */
struct aside *asides_find(const struct asides *a, const struct submission *s);
/* The first becomes the last. */
void asides_rotate(struct asides *a);
/* Puts the drafts of the first back to the front of the queue, and forgets it. */
void asides_release(struct asides *a, struct submission_list *queue);

#endif
