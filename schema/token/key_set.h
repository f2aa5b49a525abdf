/* SPDX-License-Identifier: MIT */
/* key_set.h - what is inside struct jwt_keys; for the files of this directory only. */
#ifndef BANTER_TOKEN_KEY_SET_H
#define BANTER_TOKEN_KEY_SET_H

#include "token/jwt.h"

#include <openssl/evp.h>
#include <stddef.h>

enum { ED25519_KEY_BYTES = 32, ED25519_SIGNATURE_BYTES = 64 };

struct jwt_key {
    char kid[JWT_KID_MAX_LENGTH + 1];
    EVP_PKEY *key; /* owned; Ed25519, public */
};

struct jwt_keys {
    size_t count; /* 1..JWT_KEYS_MAX */
    struct jwt_key keys[JWT_KEYS_MAX];
};

/* 1..JWT_KID_MAX_LENGTH characters of [A-Za-z0-9._-]. */
bool jwt_kid_is_valid(struct slice kid);
/* The key with this kid, or NULL. */
const struct jwt_key *jwt_keys_find(const struct jwt_keys *keys, struct slice kid);

/* Appends one JWK object; `x` is the public key in base64url. */
void jwk_write(struct buf *out, const char *kid, const char *x);

#endif
