/* SPDX-License-Identifier: MIT */
/* topic.h - what a client's topic or filter means. Pure: bytes in, verdict out. */
#ifndef BANTER_WIRE_TOPIC_H
#define BANTER_WIRE_TOPIC_H

#include "base/slice.h"
#include "base/uuid.h"
#include "wire/frame.h"
#include "wire/limits.h"

#include <stdbool.h>

#define TOPIC_READY "me/ready"
#define TOPIC_RECEIPT "me/receipt"
#define TOPIC_SYNC "me/sync"
#define TOPIC_EVENT "me/event"
#define TOPIC_HEADS "me/heads"
#define TOPIC_CONTROL "$CONTROL/chat/v1"
#define TOPIC_CONTROL_RESPONSE "$CONTROL/chat/v1/response"
#define TOPIC_BELL "banter/bell" /* the bridge's doorbell; refused to everybody else */
enum {
    TOPIC_CHAT_LENGTH = 5 + UUID_TEXT_LENGTH,          /* chat/{conversation} */
    TOPIC_SIGNAL_MAX_LENGTH = TOPIC_CHAT_LENGTH + 7,   /* chat/{conversation}/typing */
    TOPIC_PRESENCE_MAX_LENGTH = 9 + HANDLE_MAX_LENGTH, /* presence/{handle} */
};

enum publish_kind {
    PUBLISH_REFUSED = 0,   /* not a topic that devices publish to */
    PUBLISH_DRAFT,         /* send/{conversation} */
    PUBLISH_DRAFT_TO_USER, /* send/@{handle} */
    PUBLISH_SYNC,          /* send/me/sync */
    PUBLISH_CONTROL,       /* $CONTROL/chat/v1 */
    PUBLISH_PRESENCE,      /* send/me/presence */
    PUBLISH_TYPING,        /* send/{conversation}/typing */
    PUBLISH_CURSOR,        /* send/{conversation}/cursor */
};

struct publish_topic {
    enum publish_kind kind;
    struct uuid conversation; /* PUBLISH_DRAFT, PUBLISH_TYPING, PUBLISH_CURSOR */
    struct slice handle;      /* PUBLISH_DRAFT_TO_USER: borrowed from the topic, without '@' */
};

/* What a device's publish to `topic` is. */
struct publish_topic topic_parse_publish(struct slice topic);

/* Whether a device may subscribe to `filter`: any filter whose first level is `chat` or `me`, and
 * the control response topic. MQTT wildcards are allowed only below the first level. */
bool topic_subscribe_is_allowed(struct slice filter);

/* Whether `filter` is exactly presence/{handle}; *handle borrows from it. */
bool topic_parse_presence(struct slice filter, struct slice *handle);

/* Whether `topic` may be used as an MQTT 5 Response Topic: 1..RESPONSE_TOPIC_MAX_LENGTH bytes,
 * valid UTF-8, no wildcard, no NUL, not under `$` except the control response topic. */
bool topic_is_valid_response(struct slice topic);

/* Writes `chat/{conversation}` and a NUL. */
void topic_format_chat(const struct uuid *conversation, char topic[TOPIC_CHAT_LENGTH + 1]);
/* Writes `chat/{conversation}/{kind}` and a NUL. */
void topic_format_signal(const struct uuid *conversation, enum signal_kind kind,
                         char topic[TOPIC_SIGNAL_MAX_LENGTH + 1]);
/* Writes `presence/{handle}`, which must be a valid one, and a NUL. */
void topic_format_presence(struct slice handle, char topic[TOPIC_PRESENCE_MAX_LENGTH + 1]);

#endif
