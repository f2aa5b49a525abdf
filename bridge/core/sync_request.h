/* SPDX-License-Identifier: MIT */
/* sync_request.h - {"cursors":{"<conversation>":seq,…}?,"limit":50?}: read and judged. Pure. */
#ifndef BANTER_BRIDGE_SYNC_REQUEST_H
#define BANTER_BRIDGE_SYNC_REQUEST_H

#include "base/compiler.h"
#include "base/slice.h"
#include "base/uuid.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

enum { SYNC_NO_CURSOR = -1 };

struct sync_request {
    unsigned limit; /* 0..SYNC_LIMIT_MAX */
    json_t *root;   /* NULL: the request was empty */
};

/* Always fills *out, to be paired with sync_request_finish(). An empty `text` is the empty object.
 * False: *reason says what is wrong, in static storage. */
bool sync_request_read(struct sync_request *out, struct slice text, const char **reason) MUST_USE;
void sync_request_finish(struct sync_request *request);
/* The seq given for this conversation, or SYNC_NO_CURSOR. */
int64_t sync_request_cursor(const struct sync_request *request, const struct uuid *conversation);

#endif
