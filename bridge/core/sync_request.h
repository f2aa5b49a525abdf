/* SPDX-License-Identifier: MIT */
/* sync_request.h - {"cursors":{"<conversation>":seq,…}?,"limit":50?,"view":"raw"?}: read and
 * judged. Pure. */
#ifndef BANTER_BRIDGE_SYNC_REQUEST_H
#define BANTER_BRIDGE_SYNC_REQUEST_H

#include "base/compiler.h"
#include "base/slice.h"
#include "base/uuid.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SYNC_NO_CURSOR = -1 };

struct sync_cursor {
    struct uuid conversation;
    int64_t seq;
};

struct sync_request {
    unsigned limit;              /* 0..SYNC_LIMIT_MAX */
    bool folded;                 /* "view":"folded" */
    struct sync_cursor *cursors; /* sorted by conversation */
    size_t cursor_count;
};

/* Fills *out, to be paired with sync_request_finish(). An empty `text` is the empty object. False:
 * *reason says what is wrong, in static storage; nothing to finish. */
bool sync_request_read(struct sync_request *out, struct slice text, const char **reason) MUST_USE;
void sync_request_finish(struct sync_request *request);
/* The seq given for this conversation, or SYNC_NO_CURSOR. */
int64_t sync_request_cursor(const struct sync_request *request, const struct uuid *conversation);

#endif
