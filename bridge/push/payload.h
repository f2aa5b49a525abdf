/* SPDX-License-Identifier: MIT */
/* payload.h - the JSON bodies of notifications, cut so that they fit.
 *
 * Pure. The texts give way, never the rest: the title to a fair share, then the message's text to
 * what remains; cuts are between code points and marked with an ellipsis. */
#ifndef BANTER_PUSH_PAYLOAD_H
#define BANTER_PUSH_PAYLOAD_H

#include "base/buf.h"
#include "base/compiler.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stddef.h>

struct push_notification;

enum {
    PAYLOAD_FCM_MAX_BYTES = 4096, /* without the token */
    PAYLOAD_APNS_MAX_BYTES = 4096,
    PAYLOAD_WEB_MAX_BYTES = 3993, /* before encryption; 4096 after (RFC 8291 section 4) */
    PAYLOAD_WEBHOOK_MAX_BYTES = 16384,
    PAYLOAD_TITLE_MAX_BYTES = 400, /* of a title, as JSON */
    /* What remains of the smallest limit must hold everything but the texts. */
    COLLAPSE_KEY_MAX_LENGTH = 43,
};

/* The longest beginning of `text` that takes at most `max_bytes` inside a JSON string; with an
 * ellipsis at its end, which counts, if something is left out. Appends to `out`, not yet as JSON.
 */
void payload_cut(struct buf *out, struct slice text, size_t max_bytes);

/* What a notification says to the device; the keys are those of docs/protocol.md. Each appends to
 * `out` at most PAYLOAD_…_MAX_BYTES; false when memory failed. */
bool payload_fcm(struct buf *out, const struct push_notification *n, struct slice token) MUST_USE;
bool payload_apns(struct buf *out, const struct push_notification *n) MUST_USE;
bool payload_web(struct buf *out, const struct push_notification *n) MUST_USE;
bool payload_webhook(struct buf *out, const struct push_notification *n) MUST_USE;

/* The key under which one notification replaces another: of A-Z a-z 0-9 - _ and at most `max`
 * characters (>= 32). Other keys become a hash. */
void payload_collapse_key(const struct push_notification *n, size_t max,
                          char key[COLLAPSE_KEY_MAX_LENGTH + 1]);

#endif
