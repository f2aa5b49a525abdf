/* SPDX-License-Identifier: MIT */
/* jws.h - signing tokens for push services: JWS compact serialization (RFC 7515) with RS256 or
 * ES256 (RFC 7518). Our own access tokens are token/jwt.h's. */
#ifndef BANTER_PUSH_JWS_H
#define BANTER_PUSH_JWS_H

#include "base/compiler.h"
#include "base/slice.h"

#include <stdbool.h>

struct buf;

enum jws_algorithm { JWS_RS256, JWS_ES256 };

enum { JWS_POINT_LENGTH = 65 }; /* an uncompressed point of P-256 */

/* A private key with its algorithm. */
struct jws_key;
/* From PEM. NULL: not a private key for this algorithm (RSA of 2048 bits or more; EC P-256). */
struct jws_key *jws_key_from_pem(struct slice pem, enum jws_algorithm algorithm) MUST_USE;
/* The same from a file; NULL after logging why, with `what` it is. */
struct jws_key *jws_key_from_file(const char *path, enum jws_algorithm algorithm,
                                  const char *what) MUST_USE;
void jws_key_destroy(struct jws_key *key);
/* ES256 only: the public key as an uncompressed point. */
bool jws_key_point(const struct jws_key *key, unsigned char point[JWS_POINT_LENGTH]) MUST_USE;

/* Appends the token. `header` and `claims` are JSON objects; `header` names the key's algorithm.
 * False when signing or memory failed. */
bool jws_sign(const struct jws_key *key, struct slice header, struct slice claims,
              struct buf *out) MUST_USE;

#endif
