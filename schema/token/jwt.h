/* SPDX-License-Identifier: MIT */
/* jwt.h - access tokens: JWT (RFC 7519) signed with Ed25519 (RFC 8037), and the keys for them.
 *
 * One algorithm, EdDSA; the token's `alg` must say so but never chooses anything. A key is found by
 * `kid` in a fixed set. Strict: canonical base64url without padding, exactly three parts, no
 * duplicate members, no `crit`, `jku`, `jwk`, `x5u`. Verifying allocates (jansson) and never does
 * I/O. */
#ifndef BANTER_TOKEN_JWT_H
#define BANTER_TOKEN_JWT_H

#include "base/compiler.h"
#include "base/slice.h"
#include "wire/limits.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;

enum {
    JWT_KID_MAX_LENGTH = 64,
    JWT_KEYS_MAX = 16,
    JWT_LEEWAY_S = 30, /* clock skew allowed on nbf and exp */
    JWT_ISSUER_MAX_LENGTH = 128,
};

struct jwt_claims {
    uint64_t uid;                       /* "uid", > 0 */
    char handle[HANDLE_MAX_LENGTH + 1]; /* "sub" */
    char device[DEVICE_MAX_LENGTH + 1]; /* "device": the only device it may connect as, or empty */
    bool is_admin;      /* "role":"admin", for clients to see; jwt_verify() does not read it */
    char session[37];   /* "sid": login session, a UUID in text */
    int64_t issued_at;  /* "iat", Unix seconds */
    int64_t not_before; /* "nbf" */
    int64_t expires_at; /* "exp" */
    char kid[JWT_KID_MAX_LENGTH + 1]; /* of the key; set by jwt_verify(), not read by jwt_sign() */
};

enum jwt_status {
    JWT_OK = 0,
    JWT_MALFORMED,     /* not a token of ours in form */
    JWT_UNKNOWN_KEY,   /* kid not in the set */
    JWT_BAD_SIGNATURE, /* or no memory to look at it */
    JWT_FOREIGN,       /* iss or aud are not ours */
    JWT_NOT_YET,
    JWT_EXPIRED,
    JWT_NO_MEMORY, /* told only with json_watch_memory() */
};
/* One sentence for logs: never contains the token. Static storage. */
const char *jwt_status_text(enum jwt_status status);

/* A set of public keys, from a JWKS document (RFC 7517): keys with kty OKP, crv Ed25519. */
struct jwt_keys;
/* NULL when the document is malformed, has no usable key, two equal kids or more than JWT_KEYS_MAX;
 * *reason (static storage) says why. Keys of other types are an error too: this file is ours. */
struct jwt_keys *jwt_keys_parse(struct slice jwks_json, const char **reason) MUST_USE;
void jwt_keys_destroy(struct jwt_keys *keys);
/* At least one. */
size_t jwt_keys_count(const struct jwt_keys *keys);
/* The kid of the key at this place, which is below the count. Valid as long as the set. */
const char *jwt_keys_kid(const struct jwt_keys *keys, size_t index);
bool jwt_keys_have(const struct jwt_keys *keys, struct slice kid);
/* Appends the key with this kid as one JWK object. False: there is none, or
 * no memory. */
bool jwt_keys_write_jwk(const struct jwt_keys *keys, struct slice kid, struct buf *out) MUST_USE;

/* `now` in Unix seconds. *out is filled only on JWT_OK. iss must equal `issuer`, aud must equal
 * `audience` (a string). */
enum jwt_status jwt_verify(const struct jwt_keys *keys, struct slice token, const char *issuer,
                           const char *audience, int64_t now, struct jwt_claims *out) MUST_USE;

/* A private key. */
struct jwt_signer;
struct jwt_signer *jwt_signer_generate(void) MUST_USE;
/* PEM, PKCS #8. NULL: not an Ed25519 key. */
struct jwt_signer *jwt_signer_from_pem(struct slice pem) MUST_USE;
bool jwt_signer_to_pem(const struct jwt_signer *signer, struct buf *out) MUST_USE;
void jwt_signer_destroy(struct jwt_signer *signer);
/* RFC 7638 thumbprint of the public key, base64url. Valid as long as the signer. */
const char *jwt_signer_kid(const struct jwt_signer *signer);
/* Appends the public key as one JWK object. */
void jwt_signer_write_jwk(const struct jwt_signer *signer, struct buf *out);
/* Appends the compact token. False when signing or memory failed. */
bool jwt_sign(const struct jwt_signer *signer, const struct jwt_claims *claims, const char *issuer,
              const char *audience, struct buf *out) MUST_USE;

/* base64url without padding (RFC 4648 section 5). Decoding accepts the canonical form only. */
void base64url_encode(struct buf *out, struct slice bytes);
bool base64url_decode(struct buf *out, struct slice text) MUST_USE;

#endif
