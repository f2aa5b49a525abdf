/* SPDX-License-Identifier: MIT */
/* jwt_forge.h - makes tokens that the real signer would never make. Independent of it: signs with
 * OpenSSL directly and takes its JSON as text. Failures abort. Used by the fuzz targets too. */
#ifndef BANTER_TESTS_JWT_FORGE_H
#define BANTER_TESTS_JWT_FORGE_H

#include "base/buf.h"
#include "base/slice.h"

#include <stddef.h>

enum { FORGE_CEILING = 64 * 1024 };

/* The key of RFC 8037 appendix A.1, in PKCS #8, its public part, and its thumbprint (A.3), which is
 * its kid here. */
extern const char forge_pem[];
#define FORGE_X "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
#define FORGE_KID "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"

/* One member of a JSON object; `json` is its value as JSON text, NULL: the member is left out. */
struct forge_member {
    const char *name;
    const char *json;
};

/* Appends the object made of `members` with `change` applied: it replaces the member of its name or
 * is added at the end. NULL: no change. */
void forge_object(struct buf *out, const struct forge_member *members, size_t count,
                  const struct forge_member *change);

/* Appends header.payload.signature, signed by the key above. */
void forge_token(struct buf *out, struct slice header, struct slice payload);
/* Appends only `.signature` of the bytes in *out. */
void forge_sign(struct buf *out);

#endif
