/* SPDX-License-Identifier: MIT */
/* fills.h - answers FILL: the entries of a conversation after a seq, from PostgreSQL to the link. A
 * fill that cannot be read now is tried again until it can or the link is lost. */
#ifndef BANTER_BRIDGE_FILLS_H
#define BANTER_BRIDGE_FILLS_H

#include "base/compiler.h"
#include "wire/frame.h"

struct event_base;
struct fills;
struct history;
struct link;

struct fills *fills_create(struct event_base *base, struct history *history,
                           struct link *link) MUST_USE;
/* After `history`, which still owes it answers. */
void fills_destroy(struct fills *f);
void fills_start(struct fills *f, const struct frame_fill *frame);
void fills_link_lost(struct fills *f);

#endif
