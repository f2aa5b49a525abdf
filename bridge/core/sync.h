/* SPDX-License-Identifier: MIT */
/* sync.h - bring a device up to date: every conversation of its user with its head, and the entries
 * after the device's cursors.
 *
 * The conversations come most recently active first, each as
 * {what head.h writes,"unread",
 *  "preview":the newest entry, its text cut to 100 characters, or null,"entries":[…],"more"}.
 * With a cursor: the oldest `limit` entries after it; `more`: newer ones follow, ask the history
 * with `after`. Without one (a new device): the newest `limit` entries; `more`: older ones exist,
 * ask with `before`. Entries are in rising seq order either way. A cursor beyond the head counts as
 * the head; cursors of conversations the user is not in are ignored; `limit` 0 gives no entries.
 * `unread` counts texts of others after the read cursor and stops at UNREAD_MAX; deleted ones do
 * not count.
 *
 * In the folded view the same range of the log is shown as what it comes to: edits, deletions and
 * reactions are left out, and after a cursor the messages that they concern, however old, come in
 * their place, each once, as they are now. With `more` comes `next`, the `after` or `before` to go
 * on with. `preview` is the newest entry that the view shows, or null if the newest
 * SYNC_PREVIEW_SPAN entries have none. */
#ifndef BANTER_BRIDGE_SYNC_H
#define BANTER_BRIDGE_SYNC_H

#include "base/compiler.h"
#include "base/slice.h"
#include "core/actor.h"
#include "wire/codes.h"
#include "wire/limits.h"

#include <stdbool.h>
#include <stddef.h>

struct db_pool;
struct event_base;
struct link;
struct sync;

/* One entry of the longest text, with all its characters escaped, and a head. */
/* Of all pages together, roughly; below what the broker keeps for one connection. */
enum { SYNC_TOTAL_BYTES = 8 << 20 };

enum { SYNC_OVERRUN_BYTES = 6 * TEXT_MAX_CHARACTERS + FOLDED_DATA_MAX_BYTES + 4096 };

/* `group_members_max` is told as a part of each group's description. Pages go on while little waits
 * in `link`. */
struct sync *sync_create(struct event_base *base, struct db_pool *pool, const struct link *link,
                         unsigned group_members_max) MUST_USE;
/* Requests still under way end without their callback. */
void sync_destroy(struct sync *s);

/* One page of the answer: {"page":1,"more":true,"conversations":[…]}; `more` false on the last one.
 * On an error `page` is empty, `reason` set, and no further call comes. Returning false from it
 * (the asker is gone) ends the sync. Never called from inside sync_run(). */
typedef bool sync_page_fn(void *owner, enum code code, const char *reason, struct slice page,
                          bool last);

/* `request` is {"cursors":{"<conversation>":seq,…}?,"limit":50?,"view":"raw"?} or empty, copied. As
 * many pages as it takes, each of at most `page_bytes` + SYNC_OVERRUN_BYTES; once all of them pass
 * SYNC_TOTAL_BYTES, the remaining conversations come without entries, and with `more` if they have
 * any to give, so that a device that reads slowly does not lose a page in the broker's queue. A
 * conversation whose entries pass `page_bytes` by themselves is cut there, with `more`. False: too
 * busy; no callback.
 */
bool sync_run(struct sync *s, const struct actor *actor, struct slice request, size_t page_bytes,
              sync_page_fn *page, void *owner) MUST_USE;

/* The same in exactly one page, for HTTP: once it passes `page_bytes`, the remaining conversations
 * come without entries, and with `more` if they have any to give. */
bool sync_run_whole(struct sync *s, const struct actor *actor, struct slice request,
                    size_t page_bytes, sync_page_fn *page, void *owner) MUST_USE;

#endif
