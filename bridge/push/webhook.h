/* SPDX-License-Identifier: MIT */
/* webhook.h - the signature of webhooks, in the way of Standard Webhooks (version 1): HMAC-SHA256
 * over `id.timestamp.body`. Pure. */
#ifndef BANTER_PUSH_WEBHOOK_H
#define BANTER_PUSH_WEBHOOK_H

#include "base/compiler.h"
#include "base/slice.h"

#include <stdbool.h>

enum { WEBHOOK_SIGNATURE_LENGTH = 3 + 44 }; /* "v1," and 32 bytes in base64 */

/* `id` and `timestamp` must contain no dot. False when OpenSSL failed. */
bool webhook_sign(struct slice secret, const char *id, const char *timestamp, struct slice body,
                  char signature[WEBHOOK_SIGNATURE_LENGTH + 1]) MUST_USE;

#endif
