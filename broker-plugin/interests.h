/* SPDX-License-Identifier: MIT */
/* interests.h - tells the bridge which conversations somebody here is in, if it wants to know: the
 * bridge of a node that is not alone hears of those, and of no others, from the other nodes.
 *
 * Told once when a conversation gets its first member, again with each new connection of the link,
 * and when it is freed. */
#ifndef BANTER_PLUGIN_INTERESTS_H
#define BANTER_PLUGIN_INTERESTS_H

#include <stdbool.h>

struct conversation;
struct core;

/* After members_init(). */
void interests_init(struct core *c);
/* A connection of the link has begun: everybody is attached anew, and so all is told anew. */
void interests_link_up(struct core *c, bool wanted);
/* Somebody here is in the conversation. */
void interests_note(struct core *c, struct conversation *conversation);

#endif
