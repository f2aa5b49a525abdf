/* SPDX-License-Identifier: MIT */
/* keys.h - the signing keys of access tokens, in a directory: `*.pem` (mode 0600), the newest
 * signs, all of them verify. */
#ifndef BANTER_BRIDGE_KEYS_H
#define BANTER_BRIDGE_KEYS_H

#include "base/compiler.h"
#include "base/slice.h"
#include "token/jwt.h"

struct keys;

/* Reads the directory, makes a first key if it holds none, and writes `jwks.json` (public keys,
 * mode 0644, replaced atomically) into it, which the plugin reads. NULL after logging why. `issuer`
 * and `audience` are copied. */
struct keys *keys_open(const char *directory, const char *issuer, const char *audience) MUST_USE;
void keys_close(struct keys *k);
/* The JWKS document, borrowed. */
struct slice keys_jwks(const struct keys *k);
bool keys_sign(const struct keys *k, const struct jwt_claims *claims, struct buf *out) MUST_USE;
enum jwt_status keys_verify(const struct keys *k, struct slice token,
                            struct jwt_claims *out) MUST_USE;

#endif
