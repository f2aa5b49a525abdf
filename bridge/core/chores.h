/* SPDX-License-Identifier: MIT */
/* chores.h - does what is too much for one command: erases what deleted conversations held, gives
 * all members of a channel another role, erases texts that have expired, and users. Slice by slice,
 * one at a time, with a pause after each, so that nobody waits for it; what is left is in
 * banter.chores, banter.retentions and banter.erasures, and survives every crash. */
#ifndef BANTER_BRIDGE_CHORES_H
#define BANTER_BRIDGE_CHORES_H

#include "base/compiler.h"

struct blobs;
struct chores;
struct commands;
struct db_pool;
struct event_base;

/* The modules are borrowed. Looks for work from now on. */
struct chores *chores_create(struct event_base *base, struct db_pool *pool,
                             struct commands *commands, struct blobs *blobs) MUST_USE;
/* After `commands` and `blobs`, before the pool. */
void chores_destroy(struct chores *c);

#endif
