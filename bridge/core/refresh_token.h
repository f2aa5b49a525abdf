/* SPDX-License-Identifier: MIT */
/* refresh_token.h - what a refresh token holds: which login session, its place in the chain, and a
 * secret. Opaque to clients; only a hash of the secret is stored. */
#ifndef BANTER_BRIDGE_REFRESH_TOKEN_H
#define BANTER_BRIDGE_REFRESH_TOKEN_H

#include "base/compiler.h"
#include "base/slice.h"
#include "base/uuid.h"

#include <stdbool.h>
#include <stdint.h>

struct buf;

enum { REFRESH_SECRET_BYTES = 32, REFRESH_HASH_BYTES = 32 };

struct refresh_token {
    struct uuid session;
    uint32_t generation; /* 1 for the first of a session */
    uint8_t secret[REFRESH_SECRET_BYTES];
};

/* The first token of a new session. Ends the process if the system has no random bytes. */
void refresh_token_begin(struct refresh_token *t);
/* A new secret for the next token of the same session; the generation is set by who stores it. */
void refresh_token_renew(struct refresh_token *t);
/* Appends the token as clients see it. */
void refresh_token_write(const struct refresh_token *t, struct buf *out);
/* False: this was never a token of ours. */
bool refresh_token_read(struct refresh_token *t, struct slice text) MUST_USE;
/* SHA-256 of the secret, which needs no salt and no stretching: it is random. */
void refresh_token_hash(const struct refresh_token *t, uint8_t hash[REFRESH_HASH_BYTES]);

#endif
