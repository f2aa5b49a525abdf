/* SPDX-License-Identifier: MIT */
/* fills.h - answers FILL: the entries of a conversation after a seq, from PostgreSQL to the link. A
 * fill that cannot be read now is tried again until it can or the link is lost.
 *
 * A page that may hold the entry of a change of members whose outcome is still on its way to us is
 * thrown away and read again: the plugin is to hear of a removal before anything that follows it.
 */
#ifndef BANTER_BRIDGE_FILLS_H
#define BANTER_BRIDGE_FILLS_H

#include "base/compiler.h"
#include "wire/frame.h"

struct commands;
struct event_base;
struct fills;
struct herald;
struct history;
struct link;

struct fills *fills_create(struct event_base *base, struct history *history,
                           const struct commands *commands, struct link *link,
                           const struct herald *herald) MUST_USE;
/* After `history`, which still owes it answers. */
void fills_destroy(struct fills *f);
void fills_start(struct fills *f, const struct frame_fill *frame);
void fills_link_lost(struct fills *f);

#endif
