/* SPDX-License-Identifier: MIT */
/* frames.h - WebSocket frames (RFC 6455 section 5) of one connection, cut and put together by
 * wslay.
 *
 * Data is a stream here: where frames and messages begin and end is checked and then forgotten.
 * Memory is held only while a frame has come in part. */
#ifndef BANTER_DOOR_FRAMES_H
#define BANTER_DOOR_FRAMES_H

#include "base/buf.h"
#include "base/compiler.h"
#include "base/slice.h"

#include <stdbool.h>

enum websocket_opcode {
    WEBSOCKET_CONTINUATION = 0,
    WEBSOCKET_TEXT = 1,
    WEBSOCKET_BINARY = 2,
    WEBSOCKET_CLOSE = 8,
    WEBSOCKET_PING = 9,
    WEBSOCKET_PONG = 10,
};

/* RFC 6455 section 7.4, and 1013 of its registry. */
enum websocket_code {
    WEBSOCKET_FINE = 0, /* nothing to close for */
    WEBSOCKET_NORMAL = 1000,
    WEBSOCKET_GOING_AWAY = 1001,
    WEBSOCKET_PROTOCOL_ERROR = 1002,
    WEBSOCKET_UNSUPPORTED = 1003,
    WEBSOCKET_NO_STATUS = 1005,
    WEBSOCKET_INVALID_DATA = 1007,
    WEBSOCKET_POLICY = 1008,
    WEBSOCKET_TOO_BIG = 1009,
    WEBSOCKET_TRY_AGAIN_LATER = 1013,
};

enum { WEBSOCKET_CONTROL_MAX_BYTES = 125 };

struct frames_handlers {
    /* Bytes of binary messages. */
    void (*data)(void *owner, struct slice bytes);
    /* A whole control frame. */
    void (*control)(void *owner, enum websocket_opcode opcode, struct slice payload);
};

struct frame_reader;

/* Zeroed at first. */
struct frames {
    struct frame_reader *reader; /* while a frame has come in part, or NULL */
    bool in_message;             /* the message goes on in the next frame */
    bool closed;                 /* a close frame came: nothing follows it */
};

/* Takes what a client has sent. A code other than WEBSOCKET_FINE: the client broke the rules, and
 * the connection is to be closed with it; nothing may be fed any more. */
enum websocket_code frames_feed(struct frames *f, struct slice bytes,
                                const struct frames_handlers *handlers, void *owner) MUST_USE;
void frames_finish(struct frames *f);

/* The code in the payload of a close frame; WEBSOCKET_NO_STATUS when it is empty,
 * WEBSOCKET_PROTOCOL_ERROR when it is not to be had in a close frame. */
enum websocket_code frames_close_code(struct slice payload);

struct frame_writer;
struct frame_writer *frame_writer_create(void) MUST_USE;
void frame_writer_destroy(struct frame_writer *w);
/* Appends one whole frame of a server. */
void frame_writer_put(struct frame_writer *w, struct buf *out, enum websocket_opcode opcode,
                      struct slice payload);
/* Appends a close frame; `reason` is short. */
void frame_writer_close(struct frame_writer *w, struct buf *out, enum websocket_code code,
                        const char *reason);

#endif
