/* SPDX-License-Identifier: MIT */
/* memberships.h - what another node says of a membership is a hint to look it up, and no more: so
 * it does not matter in which order such hints come from several nodes.
 *
 * Many per query, one query at a time, tried again until it succeeds. When too many wait, which is
 * so only while PostgreSQL is away, the plugin begins anew instead, and none of them is needed.
 * What PostgreSQL says goes to the link as MEMBER frames, each with the conversation's HEAD behind
 * it. */
#ifndef BANTER_BRIDGE_CLUSTER_MEMBERSHIPS_H
#define BANTER_BRIDGE_CLUSTER_MEMBERSHIPS_H

#include "base/compiler.h"
#include "base/uuid.h"

#include <stdbool.h>
#include <stdint.h>

struct db_pool;
struct event_base;
struct link;
struct memberships;

enum { MEMBERSHIPS_MAX = 16384 }; /* that wait */

/* Not called from inside the functions below. */
struct memberships_hooks {
    /* What PostgreSQL says of somebody in the conversation is about to be written to the link. */
    void (*telling)(void *owner, const struct uuid *conversation);
    /* All that were asked for up to `ticket` have been written. */
    void (*told)(void *owner, uint64_t ticket);
    void *owner;
};

struct memberships *memberships_create(struct event_base *base, struct db_pool *pool,
                                       struct link *link,
                                       const struct memberships_hooks *hooks) MUST_USE;
/* After the pool, which still owes it an answer. */
void memberships_destroy(struct memberships *m);

/* Looks it up from now on. `since` as in frame_member, for a membership that is new to the plugin.
 * Returns its ticket; they rise from 1. */
uint64_t memberships_look_up(struct memberships *m, const struct uuid *conversation, uint64_t uid,
                             int64_t since);
/* This node has changed memberships of the conversation, and has told the plugin: an answer that is
 * under way may be older, and is asked for again. */
void memberships_changed(struct memberships *m, const struct uuid *conversation);
/* True when one of the conversation is being looked up: the entry `seq` must not overtake the
 * answer. The plugin is told of it afterwards, as of every head, and fetches it. */
bool memberships_hold(struct memberships *m, const struct uuid *conversation, int64_t seq) MUST_USE;

#endif
