/* SPDX-License-Identifier: MIT */
/* app_replica.h - the connections to a replica as the settings ask for it, and what looks after it.
 */
#ifndef BANTER_BRIDGE_APP_REPLICA_H
#define BANTER_BRIDGE_APP_REPLICA_H

#include "base/compiler.h"

struct app_replica;
struct config;
struct db_pool;
struct event_base;
struct replica;

/* `config` and `primary` are borrowed. Without a replica in the settings there is nothing in it.
 * NULL: out of memory. */
struct app_replica *app_replica_create(struct event_base *base, const struct config *config,
                                       struct db_pool *primary) MUST_USE;
/* After whoever asks the replica, and after `primary`. NULL is fine. */
void app_replica_destroy(struct app_replica *a);
/* NULL: there is none. */
struct replica *app_replica_of(const struct app_replica *a);

#endif
