/* SPDX-License-Identifier: MIT */
/* vapid.h - how we identify to Web Push services (RFC 8292): a token per origin, used again until
 * it is half as old as services accept. */
#ifndef BANTER_PUSH_VAPID_H
#define BANTER_PUSH_VAPID_H

#include "base/compiler.h"

#include <stdint.h>

struct vapid;

/* NULL after logging why. */
struct vapid *vapid_create(const char *key_file, const char *subject) MUST_USE;
void vapid_destroy(struct vapid *v);
/* The key's point in base64url. */
const char *vapid_public_key(const struct vapid *v);
/* The value of the header Authorization for this endpoint, valid until the next call. `now` in Unix
 * seconds. NULL when the URL is malformed or signing failed. */
const char *vapid_authorization(struct vapid *v, const char *endpoint, int64_t now);

#endif
