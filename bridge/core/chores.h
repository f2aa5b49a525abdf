/* SPDX-License-Identifier: MIT */
/* chores.h - does what is too much for one command: erases what deleted conversations held, gives
 * all members of a channel another role. Slice by slice, one at a time, with a pause after each, so
 * that nobody waits for it; what is left is in banter.chores and survives every crash. */
#ifndef BANTER_BRIDGE_CHORES_H
#define BANTER_BRIDGE_CHORES_H

#include "base/compiler.h"

struct chores;
struct commands;
struct db_pool;
struct event_base;

/* Both modules are borrowed. Looks for work from now on. */
struct chores *chores_create(struct event_base *base, struct db_pool *pool,
                             struct commands *commands) MUST_USE;
/* After `commands`, before the pool. */
void chores_destroy(struct chores *c);

#endif
