/* SPDX-License-Identifier: MIT */
/* interests.h - the conversations that somebody here is in, and so the channels of the bus that
 * this node is subscribed to.
 *
 * A conversation that nobody is in any more stays subscribed to for a while, as people come back;
 * after the bus was away the subscriptions are made again in slices. */
#ifndef BANTER_BRIDGE_CLUSTER_INTERESTS_H
#define BANTER_BRIDGE_CLUSTER_INTERESTS_H

#include "base/compiler.h"
#include "base/uuid.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bus;
struct interests;

enum {
    INTEREST_LINGER_MS = 30000,
    INTERESTS_PER_TURN = 2000, /* subscriptions made again at once */
};

/* `bus` is borrowed. */
struct interests *interests_create(struct bus *bus) MUST_USE;
void interests_destroy(struct interests *i);

void interests_set(struct interests *i, const struct uuid *conversation, bool on, uint64_t now_ms);
/* Somebody here may be in it, and the plugin knows its entries up to `seq`: for as long as one that
 * nobody is in any more stays, and the plugin will say so before that. */
void interests_expect(struct interests *i, const struct uuid *conversation, int64_t seq,
                      uint64_t now_ms);
bool interests_has(const struct interests *i, const struct uuid *conversation);
/* Nobody is here, as far as is known: the plugin will tell anew. */
void interests_link_lost(struct interests *i, uint64_t now_ms);
/* The bus has come, and knows of no subscription. */
void interests_bus_up(struct interests *i);

/* An entry of the conversation is on its way to the plugin, or known to be there. True: somebody
 * here is in it, and `seq` is higher than everything before. */
bool interests_note(struct interests *i, const struct uuid *conversation, int64_t seq);

/* Does a slice of what is due. True: there is more. */
bool interests_turn(struct interests *i, uint64_t now_ms);
/* Conversations subscribed to, or to be. */
size_t interests_count(const struct interests *i);

/* Writes "c:UUID", the channel of a conversation, and a NUL. */
enum { INTEREST_CHANNEL_LENGTH = 2 + UUID_TEXT_LENGTH };
struct slice interest_channel(const struct uuid *conversation,
                              char name[INTEREST_CHANNEL_LENGTH + 1]);

#endif
