/* SPDX-License-Identifier: MIT */
/* seed.h - puts the users and conversations of a run straight into PostgreSQL and signs their
 * access tokens with the node's own key.
 *
 * Signing up costs a tenth of a second of Argon2 per user, which would make every run wait for
 * minutes. This needs the operator's rights: the database and DATA/keys. */
#ifndef BANTER_BENCH_SEED_H
#define BANTER_BENCH_SEED_H

#include "base/compiler.h"
#include "cast.h"

#include <libpq-fe.h>
#include <stdbool.h>

struct token_source {
    const char *keys_dir;
    const char *issuer;
    const char *audience;
};

/* Each prints why to stderr when it fails. */
PGconn *seed_connect(const char *dsn) MUST_USE;
/* Creates what is missing of users, conversations and members; fills in uids and last_seq. */
bool seed_cast(PGconn *db, struct cast *c) MUST_USE;
/* Signs a token for every player. */
bool seed_tokens(const struct token_source *source, struct cast *c) MUST_USE;
/* Makes the only conversation of `c` a channel with `members` members, those of the cast included:
 * public, so that who knows its id may join. */
bool seed_channel(PGconn *db, const struct cast *c, unsigned members) MUST_USE;
/* Fills every conversation of `c` with texts of `text_bytes` from its first player until it has
 * `count` messages. */
bool seed_history(PGconn *db, struct cast *c, unsigned count, unsigned text_bytes) MUST_USE;

#endif
