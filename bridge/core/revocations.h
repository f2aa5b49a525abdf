/* SPDX-License-Identifier: MIT */
/* revocations.h - logins that have ended while access tokens of theirs may still be good: told to
 * the plugin, and asked about by the HTTP API.
 *
 * PostgreSQL keeps them. Whoever ends a login here says so at once; what ended otherwise (beyond
 * the most logins of a user, by another process, in a transaction whose answer was lost) is found
 * by looking every REVOCATIONS_INTERVAL_MS. */
#ifndef BANTER_BRIDGE_REVOCATIONS_H
#define BANTER_BRIDGE_REVOCATIONS_H

#include "base/compiler.h"
#include "base/slice.h"
#include "base/uuid.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct db_pool;
struct event_base;
struct herald;
struct link;
struct revocations;

enum { REVOCATIONS_INTERVAL_MS = 1000 };

/* NULL: out of descriptors or memory. */
struct revocations *revocations_create(struct event_base *base, struct db_pool *pool,
                                       struct link *link, struct herald *herald,
                                       unsigned access_token_ttl_s) MUST_USE;
/* After the pool, which still owes it an answer. */
void revocations_destroy(struct revocations *r);
/* The login has ended, and that is committed. Tells the plugin, and if this node ended it (`ours`)
 * the other nodes. */
void revocations_add(struct revocations *r, const struct uuid *login, uint64_t uid,
                     int64_t ended_at_ms, bool ours);
/* The plugin is there (again) and is told all. */
void revocations_link_up(struct revocations *r);

enum revocation_verdict {
    REVOCATION_NONE,
    REVOCATION_ENDED,
    REVOCATION_UNKNOWN, /* PostgreSQL has not answered since this process started */
};
/* Whether the login of a verified token, its `sid`, has ended. */
enum revocation_verdict revocations_judge(const struct revocations *r, struct slice login);

/* False as long as every good token would be judged REVOCATION_UNKNOWN: for /readyz. */
bool revocations_is_ready(const struct revocations *r);
/* How many are remembered. */
size_t revocations_count(const struct revocations *r);

#endif
