/* SPDX-License-Identifier: MIT */
/* presence.h - what users are shown of each other in passing: who is here, who was, who types.
 *
 * Everything here may be lost at any moment but who hides and when users were last seen, which
 * stand in their rows. docs/architecture.md tells how little is sent. */
#ifndef BANTER_BRIDGE_PRESENCE_H
#define BANTER_BRIDGE_PRESENCE_H

#include "base/compiler.h"
#include "base/slice.h"
#include "wire/frame.h"

#include <stdbool.h>
#include <stddef.h>

struct db_pool;
struct event_base;
struct link;
struct presence;
struct presence_row;

struct presence_config {
    unsigned grace_ms; /* absences that are shorter are not seen */
};

struct presence *presence_create(struct event_base *base, struct db_pool *pool, struct link *link,
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
/* Whether a device of the user is connected to this node. The grace time does not count: who is not
 * connected is not told of anything. */
bool presence_is_here(const struct presence *p, uint64_t uid);
/* False for a while after the start and after the link was lost, until the plugin has told who is
 * here: everybody would seem to be away. */
bool presence_is_known(const struct presence *p);
/* Users who are here, or were within the grace time. */
size_t presence_count(const struct presence *p);

#endif
