/* SPDX-License-Identifier: MIT */
/* drain.h - whether this node is to be emptied of its users, as an operator says by a file.
 *
 * While the file exists the node drains: the plugin tells every device that it goes away, lets
 * nobody in and ends the connections over so many seconds as the file says. A file, so that a
 * bridge that starts anew knows, too. The loop looks four times a second. */
#ifndef BANTER_BRIDGE_DRAIN_H
#define BANTER_BRIDGE_DRAIN_H

#include "base/compiler.h"

#include <stdbool.h>
#include <stdint.h>

struct drain;
struct event_base;
struct link;

/* `path` "": never. `seconds` is for files that name no number. */
struct drain *drain_create(struct event_base *base, struct link *link, const char *path,
                           unsigned seconds) MUST_USE;
void drain_destroy(struct drain *d);
/* Told on the loop thread. */
typedef void drain_changed_fn(void *owner, bool on);
void drain_on_changed(struct drain *d, drain_changed_fn *changed, void *owner);

bool drain_is_on(const struct drain *d);
/* How many connections are left in the broker; -1: not known (yet). */
int64_t drain_left(const struct drain *d);

/* A plugin is here, or has gone. */
void drain_link_changed(struct drain *d, bool up);
/* The plugin says how many are left. */
void drain_note_left(struct drain *d, uint32_t connections);

#endif
