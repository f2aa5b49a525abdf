/* SPDX-License-Identifier: MIT */
/* outlet.h - how link.c lets others of this folder write to the plugin. */
#ifndef BANTER_BRIDGE_OUTLET_H
#define BANTER_BRIDGE_OUTLET_H

struct buf;
struct link;

/* Where to append frames, or NULL: no plugin is there. */
struct buf *outlet_begin(struct link *l);
/* After appending. The frames leave at the end of the turn. */
void outlet_end(struct link *l);

#endif
