/* SPDX-License-Identifier: MIT */
/* herald.h - tells everybody what has been committed: the plugin of this node, and the other nodes
 * if there are any.
 *
 * Whoever commits something calls this, and nothing that another node has told comes here but for
 * herald_change(). On a node that is alone it is the link and nothing more. */
#ifndef BANTER_BRIDGE_HERALD_H
#define BANTER_BRIDGE_HERALD_H

#include "base/compiler.h"
#include "wire/frame.h"

#include <stdbool.h>
#include <stdint.h>

struct herald;
struct link;

/* `everywhere` false: not every node has applied it, and which have cannot be known now. */
typedef void herald_barrier_fn(void *owner, bool everywhere);

/* How the other nodes are reached. */
struct herald_others {
    void (*entry)(void *owner, const struct frame_entry *f);
    void (*member)(void *owner, const struct frame_member *f);
    void (*overtaken)(void *owner, const struct frame_member *f);
    void (*ended)(void *owner, const struct frame_ended *f);
    void (*signal)(void *owner, const struct frame_signal_out *f);
    void (*profile)(void *owner, uint64_t uid);
    void (*revoked)(void *owner, const struct uuid *login, uint64_t uid, int64_t ended_at_ms);
    void (*kick)(void *owner, const struct frame_kick *f);
    void (*unsure)(void *owner);
    /* Calls `done` exactly once, and never from inside. */
    void (*barrier)(void *owner, herald_barrier_fn *done, void *done_owner);
    /* False: what other nodes have committed may not have come here, so nobody here may be given
     * entries. */
    bool (*may_deliver)(void *owner);
    void *owner;
};

/* `link` is borrowed. */
struct herald *herald_create(struct link *link) MUST_USE;
void herald_destroy(struct herald *h);
typedef void herald_change_fn(void *owner, const struct uuid *conversation);
/* One listener, for herald_change(). */
void herald_on_change(struct herald *h, herald_change_fn *changed, void *owner);
/* From now on there are others. */
void herald_tell_others(struct herald *h, const struct herald_others *others);

/* False: an entry would be for nobody, here or elsewhere. */
bool herald_is_heard(const struct herald *h);
/* False: no entry may be given to the plugin now. It will be told of what it misses. */
bool herald_may_deliver(const struct herald *h);

void herald_entry(struct herald *h, const struct frame_entry *f);
void herald_member(struct herald *h, const struct frame_member *f);
/* The same of a change that may be older than what the plugin has been told on the word of another
 * node: what is so now is looked up. */
void herald_overtaken(struct herald *h, const struct frame_member *f);
void herald_ended(struct herald *h, const struct frame_ended *f);
void herald_signal(struct herald *h, const struct frame_signal_out *f);
/* The user's profile is another one now: tells all their devices. */
void herald_profile(struct herald *h, uint64_t uid);
/* The part of this that is for this node. */
void herald_profile_here(struct link *link, uint64_t uid);
/* The login has ended. The plugin of this node is told by who calls this. */
void herald_revoked(struct herald *h, const struct uuid *login, uint64_t uid, int64_t ended_at_ms);
/* Ends these connections of a user, wherever they are. */
void herald_kick(struct herald *h, const struct frame_kick *f);
/* Nobody can know whether a change of members was committed: all plugins look again. */
void herald_unsure(struct herald *h);
/* Somebody other than the writer, here or elsewhere, has written in this conversation or changed
 * who may: tells who listens. */
void herald_change(struct herald *h, const struct uuid *conversation);
/* Calls `done` once everything told so far has been applied by every plugin; see link_barrier(). */
void herald_barrier(struct herald *h, herald_barrier_fn *done, void *owner);

#endif
