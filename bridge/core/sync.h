/* SPDX-License-Identifier: MIT */
/* sync.h - bring a device up to date: every conversation of its user with its head, and the entries
 * after the device's cursors. */
#ifndef BANTER_BRIDGE_SYNC_H
#define BANTER_BRIDGE_SYNC_H

#include "base/compiler.h"
#include "base/slice.h"
#include "core/actor.h"
#include "wire/codes.h"

#include <stdbool.h>
#include <stddef.h>

struct db_pool;
struct sync;

struct sync *sync_create(struct db_pool *pool) MUST_USE;
void sync_destroy(struct sync *s);

/* One page of the answer: {"page":1,"more":true,"conversations":[…]}; `more` false on the last one.
 * On an error `page` is empty, `reason` set, and no further call comes. Returning false from it
 * (the asker is gone) ends the sync. Never called from inside sync_run(). */
typedef bool sync_page_fn(void *owner, enum code code, const char *reason, struct slice page,
                          bool last);

/* `request` is {"cursors":{…}?,"limit":50?}, copied. A page closes once it passes `page_bytes`;
 * over HTTP that is the ceiling of the whole answer, and what did not fit is marked `more` in its
 * conversation. False: too busy; no callback. */
bool sync_run(struct sync *s, const struct actor *actor, struct slice request, size_t page_bytes,
              sync_page_fn *page, void *owner) MUST_USE;

#endif
