/* SPDX-License-Identifier: MIT */
/* encryption.h - Web Push message encryption (RFC 8291): ECDH with the browser's key and
 * AES-128-GCM in one record of the content coding aes128gcm (RFC 8188). Pure but for the random
 * numbers. */
#ifndef BANTER_PUSH_ENCRYPTION_H
#define BANTER_PUSH_ENCRYPTION_H

#include "base/compiler.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>

struct buf;

enum {
    ENCRYPTION_POINT_LENGTH = 65, /* an uncompressed point of P-256 */
    ENCRYPTION_AUTH_LENGTH = 16,
    ENCRYPTION_SALT_LENGTH = 16,
    ENCRYPTION_SCALAR_LENGTH = 32,
    /* Header of 86 bytes, delimiter of the padding, tag. */
    ENCRYPTION_OVERHEAD_BYTES = 16 + 4 + 1 + 65 + 1 + 16,
};

/* What a browser has registered. */
struct encryption_receiver {
    uint8_t point[ENCRYPTION_POINT_LENGTH];
    uint8_t auth[ENCRYPTION_AUTH_LENGTH];
};

/* Both in base64url, with or without padding. False: not of this form, or not a point of the curve.
 */
bool encryption_receiver_parse(struct encryption_receiver *out, struct slice p256dh,
                               struct slice auth) MUST_USE;

/* Appends the encrypted body, under a key and a salt drawn for it alone. */
bool encryption_seal(const struct encryption_receiver *receiver, struct slice text,
                     struct buf *out) MUST_USE;
/* The same with key and salt given: for test vectors only. */
bool encryption_seal_with(const struct encryption_receiver *receiver, struct slice text,
                          const uint8_t scalar[ENCRYPTION_SCALAR_LENGTH],
                          const uint8_t salt[ENCRYPTION_SALT_LENGTH], struct buf *out) MUST_USE;

#endif
