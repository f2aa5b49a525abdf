/* SPDX-License-Identifier: MIT */
/* receipts.h - what the plugin itself tells devices: refused drafts, me/ready, me/event, requests
 * that cannot be passed on. Lost without trace when memory runs out: clients must cope with lost
 * messages anyway. */
#ifndef BANTER_PLUGIN_RECEIPTS_H
#define BANTER_PLUGIN_RECEIPTS_H

#include "base/slice.h"
#include "base/uuid.h"
#include "wire/codes.h"
#include "wire/entry.h"

struct core;
struct session;

/* Why something is not done. */
struct verdict {
    enum code code;
    const char *reason;      /* one sentence */
    uint64_t retry_after_ms; /* 0: the device is not told when */
};

/* me/receipt: a draft was refused. `target` is what came after send/; `id` may be empty. */
void receipts_refuse(struct core *c, const struct session *session, struct slice target,
                     struct slice id, struct verdict verdict);
/* me/ready */
void receipts_ready(struct core *c, struct session *session);
/* me/event: the server is about to end this connection. `reason` is one word. */
void receipts_closing(struct core *c, const struct session *session, struct slice reason);
/* me/event: the server is going to end this connection, some time in the next `within_ms`, because
 * it is going away. */
void receipts_going_away(struct core *c, const struct session *session, uint32_t within_ms);
/* me/event: the user is a member now, is one no longer, or has another role. `kind` counts only
 * when `before` is ROLE_NONE. */
void receipts_membership(struct core *c, const struct session *session,
                         const struct uuid *conversation, enum conversation_kind kind,
                         enum role before, enum role role);

/* me/event: the connection's token ends soon. */
void receipts_token_expires(struct core *c, const struct session *session);
/* me/event: the user's presence is not, or no longer, shown to this device. */
void receipts_presence_refused(struct core *c, const struct session *session, const char *handle);

/* {"error":{…}} on me/sync */
void receipts_sync_error(struct core *c, const struct session *session, struct verdict verdict);
/* {"responses":[{"error":{…}}]} on `topic`. */
void receipts_control_error(struct core *c, const struct session *session, const char *topic,
                            struct slice correlation, struct verdict verdict);

#endif
