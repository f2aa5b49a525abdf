/* SPDX-License-Identifier: MIT */
/* fcm_token.h - Google's access tokens (OAuth 2.0) for a service account: RFC 7523 assertions
 * signed by us. One token for all, fetched once at a time and again shortly before it expires. */
#ifndef BANTER_PUSH_FCM_TOKEN_H
#define BANTER_PUSH_FCM_TOKEN_H

#include "base/compiler.h"
#include "push/client.h"
#include "push/push.h"

#include <stdbool.h>
#include <stdint.h>

struct fcm_token;

enum { FCM_TOKEN_MAX_LENGTH = 4096 };

/* An attempt to fetch a token has ended. `failure`: NULL, there is one. */
typedef void fcm_token_done_fn(void *owner, const struct push_result *failure);

/* `account_file`: as Google gives it; `url`: NULL for the one in the file. `done` is called for
 * each attempt, never from inside a function of this file. NULL after logging why. */
struct fcm_token *fcm_token_create(struct push_client *client, const char *account_file,
                                   const char *url, unsigned timeout_ms, fcm_token_done_fn *done,
                                   void *owner) MUST_USE;
void fcm_token_destroy(struct fcm_token *t);
const char *fcm_token_project(const struct fcm_token *t);

/* A token that is still good for a while, or NULL. It is `*generation`, which grows. */
const char *fcm_token_get(const struct fcm_token *t, unsigned *generation);
/* The provider has refused the token of this generation: it is not given again. */
void fcm_token_refuse(struct fcm_token *t, unsigned generation);
/* Starts fetching unless that is under way. False: the last attempt has failed moments ago;
 * *failure says how, and when to ask again. */
bool fcm_token_fetch(struct fcm_token *t, struct push_result *failure) MUST_USE;

/* Pure: reads the answer of the token endpoint. The token (malloc'd; the caller frees) is fit for a
 * header; NULL when there is none. */
char *fcm_token_parse(struct slice body, int64_t *lifetime_s) MUST_USE;

#endif
