/* SPDX-License-Identifier: MIT */
/* apns_token.h - Apple's provider tokens: ES256, made by us, good for an hour. Apple refuses those
 * who renew them more often than every 20 minutes. */
#ifndef BANTER_PUSH_APNS_TOKEN_H
#define BANTER_PUSH_APNS_TOKEN_H

#include "base/compiler.h"

#include <stdint.h>

struct apns_token;

/* NULL after logging why. */
struct apns_token *apns_token_create(const char *key_file, const char *key_id,
                                     const char *team) MUST_USE;
void apns_token_destroy(struct apns_token *t);
/* The token for now (Unix seconds), of `*generation`, which grows. Valid until the next call. NULL
 * when signing failed. */
const char *apns_token_get(struct apns_token *t, int64_t now, unsigned *generation);
/* Apple calls the token of this generation expired. The next one will be new, if Apple's rule
 * allows. */
void apns_token_refuse(struct apns_token *t, int64_t now, unsigned generation);

#endif
