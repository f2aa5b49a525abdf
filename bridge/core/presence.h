/* SPDX-License-Identifier: MIT */
/* presence.h - what users are shown of each other in passing: who is here, who was, who types.
 *
 * Everything here may be lost at any moment but who hides and when users were last seen, which
 * stand in their rows. docs/architecture.md tells how little is sent. */
#ifndef BANTER_BRIDGE_PRESENCE_H
#define BANTER_BRIDGE_PRESENCE_H

#include "base/compiler.h"
#include "base/slice.h"
#include "core/presence/roster.h"
#include "wire/frame.h"

#include <stdbool.h>
#include <stddef.h>

struct db_pool;
struct event_base;
struct herald;
struct link;
struct presence;
struct presence_row;

struct presence_config {
    unsigned grace_ms; /* absences that are shorter are not seen */
};

struct presence *presence_create(struct event_base *base, struct db_pool *pool, struct link *link,
                                 struct herald *herald,
                                 const struct presence_config *config) MUST_USE;
/* After the pool, which still owes it answers. */
void presence_destroy(struct presence *p);

void presence_session(struct presence *p, const struct frame_session *f);
void presence_watch(struct presence *p, const struct frame_watch *f);
/* SIGNAL_TYPING. */
void presence_typing(struct presence *p, const struct frame_signal *f);
/* The user has changed what stands in their row, which is `row` now. */
void presence_row_changed(struct presence *p, uint64_t uid, struct slice handle,
                          const struct presence_row *row);
/* The plugin is there (again), and tells who is here. */
void presence_link_up(struct presence *p);
void presence_link_lost(struct presence *p);

/* Writes when everybody who is here was seen: before a stop. */
void presence_close(struct presence *p);
/* True when nothing waits to be written. */
bool presence_is_idle(const struct presence *p);
/* Whether a device of the user is connected, to whichever node. The grace time does not count: who
 * is not connected is not told of anything. */
bool presence_is_here(const struct presence *p, uint64_t uid);
/* The same of this node alone. */
bool presence_is_here_own(const struct presence *p, uint64_t uid);
/* Or was within the grace time. */
bool presence_was_here_own(const struct presence *p, uint64_t uid);
/* And of the other nodes alone. */
bool presence_is_elsewhere(const struct presence *p, uint64_t uid);
/* False for a while after the start and after the link was lost, until the plugin and the other
 * nodes have told who is here: everybody would seem to be away. */
bool presence_is_known(const struct presence *p);
/* Users who are here, on whichever node, or were within the grace time. */
size_t presence_count(const struct presence *p);
/* Devices connected to this node. */
size_t presence_devices(const struct presence *p);
/* The name of each of them that is this user's. */
void presence_each_device(const struct presence *p, uint64_t uid,
                          void (*see)(void *owner, struct slice device), void *owner);

/* With several nodes: what they are to be told. None may call back. */
struct presence_others {
    void (*part)(void *owner, const struct roster_part *part); /* as in roster_hooks */
    void (*met)(void *owner, uint64_t uid, struct slice device, uint64_t epoch);
    /* The user has changed what stands in their row. */
    void (*row)(void *owner, uint64_t uid, struct slice handle, const struct presence_row *row);
    void *owner;
};
void presence_tell_others(struct presence *p, const struct presence_others *others);
/* What they tell. Nodes have numbers from 1. */
void presence_elsewhere(struct presence *p, unsigned node, const struct roster_part *part);
void presence_row_elsewhere(struct presence *p, uint64_t uid, struct slice handle,
                            const struct presence_row *row);
/* The device is connected to that node since `epoch`. True: it is connected here too, and has been
 * for longer; if both say the same, the one of the `lesser` node. */
bool presence_is_overtaken(struct presence *p, uint64_t uid, struct slice device, uint64_t epoch,
                           bool lesser);
void presence_node_lost(struct presence *p, unsigned node);
void presence_roll_begin(struct presence *p, unsigned node);
void presence_roll_end(struct presence *p, unsigned node);
/* The users of this node; the caller frees them. */
uint64_t *presence_users(const struct presence *p, size_t *count) MUST_USE;
/* What this node makes of the user. False: nothing. */
bool presence_part(const struct presence *p, uint64_t uid, struct roster_part *out);
/* Whether all other nodes have told who is there. */
void presence_set_complete(struct presence *p, bool complete);

#endif
