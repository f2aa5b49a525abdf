/* SPDX-License-Identifier: MIT */
/* refusals.h - per connection: the conversations in which a draft was refused for now.
 *
 * Until that draft comes again the connection's later drafts there are refused too, so that a
 * resend keeps the sender's order (docs/architecture.md, "Order and refusals"). */
#ifndef BANTER_PLUGIN_REFUSALS_H
#define BANTER_PLUGIN_REFUSALS_H

#include "base/compiler.h"
#include "base/slice.h"
#include "base/uuid.h"

#include <stdbool.h>
#include <stdint.h>

enum { REFUSALS_MAX = 1024 };

struct refusal {
    struct uuid conversation;
    uint64_t draft; /* keyed hash of the draft's id */
};

struct refusals {
    struct refusal *items; /* owned; NULL as long as nothing was refused */
    uint32_t count;
    uint32_t capacity;
    bool lost; /* one could not be remembered: nothing more may be accepted */
};

void refusals_finish(struct refusals *r);
/* True when an earlier draft than this one has to come first. */
bool refusals_block(const struct refusals *r, const struct uuid *conversation, struct slice id);
/* Whether a draft has to be looked at before it is accepted. */
static inline bool refusals_any(const struct refusals *r)
{
    return r->count > 0 || r->lost;
}

/* The draft was refused for now. `conversation` nil: there was no memory to find out which it is.
 * False: it cannot be remembered, so the order can no longer be kept on this connection, and
 * refusals_block() is true from now on. */
bool refusals_add(struct refusals *r, const struct uuid *conversation, struct slice id) MUST_USE;
/* A draft was accepted in the conversation. */
void refusals_clear(struct refusals *r, const struct uuid *conversation);

#endif
