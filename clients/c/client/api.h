/* SPDX-License-Identifier: MIT */
/* api.h - HTTP as the user: with a token that is renewed when it has to be, and answers read.
 * Runs on the client's thread. */
#ifndef BANTER_CLIENT_API_H
#define BANTER_CLIENT_API_H

#include "base/buf.h"
#include "base/compiler.h"
#include "client/errors.h"
#include "client/http.h"
#include "client/servers.h"
#include "client/session.h"

struct api;

/* `json` is the answer, borrowed (NULL after a failure); `text` is how it was written. */
typedef void api_done_fn(void *owner, const struct failure *f, json_t *json, const char *text);

enum api_size {
    API_SMALL,
    API_LARGE, /* may be megabytes on a slow network: waits longer */
};

/* NULL: out of memory. What it is given outlives it. */
struct api *api_create(struct session *session, struct http http, struct servers *servers);
/* Ends what waits for a token, with BANTER_STOPPED; what is under way ends with the http. */
void api_stop(struct api *a);
void api_destroy(struct api *a); /* NULL is allowed */

/* `body` NULL: none; its bytes are taken over, whatever is returned, and the buffer is empty. After
 * BANTER_OK `done` is called once, and never from within. BANTER_UNAUTHORIZED: nobody is logged
 * in. BANTER_FULL, BANTER_NO_MEMORY. */
int api_call(struct api *a, const char *method, const char *path, struct buf *body,
             enum api_size size, api_done_fn *done, void *owner) MUST_USE;

/* For session_hooks.renewed. */
void api_renewed(struct api *a, const struct failure *f);

#endif
