/* SPDX-License-Identifier: MIT */
/* members.h - which conversations a user is in: answers ATTACH, many users per query. */
#ifndef BANTER_BRIDGE_MEMBERS_H
#define BANTER_BRIDGE_MEMBERS_H

#include "base/compiler.h"

#include <stdint.h>

struct db_pool;
struct event_base;
struct link;
struct members;
struct uuid;

struct members *members_create(struct event_base *base, struct db_pool *pool,
                               struct link *link) MUST_USE;
/* After the pool, which still owes it answers. */
void members_destroy(struct members *m);

/* Whoever has to know what the plugin is told: a query is sent; in its answer, a conversation that
 * somebody here is in; all of the answer has been written to the link, or there is none. */
struct members_hooks {
    void (*asked)(void *owner);
    void (*attached)(void *owner, const struct uuid *conversation, int64_t last_seq);
    void (*answered)(void *owner);
    void *owner;
};
void members_set_hooks(struct members *m, const struct members_hooks *hooks);

/* Queues the user for the next query; the answer goes to the link as ATTACHED frames, or KICK for
 * an unknown or disabled user. Retries by itself while PostgreSQL is away, until the link is lost.
 */
void members_attach(struct members *m, uint64_t uid);
/* Forgets everything queued and under way: the link was lost, the plugin will ask again. */
void members_link_lost(struct members *m);

#endif
