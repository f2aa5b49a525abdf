/* SPDX-License-Identifier: MIT */
/* frames.c - see frames.h. wslay cuts frames and unmasks them; how frames make messages, and which
 * of them a client may send here, is decided in this file. */
#include "door/frames.h"

#include "base/memory.h"
#include "base/utf8.h"

#include <assert.h>
#include <stdlib.h>
#include <wslay/wslay.h>

struct frame_reader {
    struct wslay_frame_context *context;
    struct slice input;    /* what wslay has not taken yet, during frames_feed() */
    uint64_t held;         /* bytes that wslay has taken and not given out */
    uint64_t payload_left; /* of the frame that has begun */
    bool in_frame;         /* its header has been seen */
    size_t control_length; /* bytes of control frame so far */
    char control[WEBSOCKET_CONTROL_MAX_BYTES];
};

static ssize_t give_input(uint8_t *out, size_t length, int flags, void *user)
{
    struct frame_reader *r = user;
    size_t n = r->input.length < length ? r->input.length : length;

    (void)flags;
    if (n == 0)
        return -1;
    memcpy(out, r->input.data, n);
    r->input = slice_of(r->input.data + n, r->input.length - n);
    r->held += n;
    return (ssize_t)n;
}

static struct frame_reader *reader_create(void)
{
    static const struct wslay_frame_callbacks callbacks = {.recv_callback = give_input};
    struct frame_reader *r = must_calloc(1, sizeof *r);

    if (wslay_frame_context_init(&r->context, &callbacks, r) != 0)
        abort(); /* out of memory */
    return r;
}

void frames_finish(struct frames *f)
{
    if (!f->reader)
        return;
    wslay_frame_context_free(f->reader->context);
    free(f->reader);
    f->reader = NULL;
}

static bool is_control(unsigned opcode)
{
    return opcode & 8;
}

/* A frame begins. */
static enum websocket_code judge_header(struct frames *f, const struct wslay_frame_iocb *frame)
{
    if (!frame->mask || frame->rsv != WSLAY_RSV_NONE)
        return WEBSOCKET_PROTOCOL_ERROR;
    switch (frame->opcode) {
    case WEBSOCKET_CONTINUATION:
        if (!f->in_message)
            return WEBSOCKET_PROTOCOL_ERROR;
        break;
    case WEBSOCKET_TEXT:
        return f->in_message ? WEBSOCKET_PROTOCOL_ERROR : WEBSOCKET_UNSUPPORTED;
    case WEBSOCKET_BINARY:
        if (f->in_message)
            return WEBSOCKET_PROTOCOL_ERROR;
        break;
    case WEBSOCKET_CLOSE:
    case WEBSOCKET_PING:
    case WEBSOCKET_PONG:
        return WEBSOCKET_FINE; /* wslay has checked that it is short and in one piece */
    default:
        return WEBSOCKET_PROTOCOL_ERROR;
    }
    f->in_message = !frame->fin;
    return WEBSOCKET_FINE;
}

static size_t header_bytes(const struct wslay_frame_iocb *frame)
{
    size_t mask = frame->mask ? 4 : 0;

    if (frame->payload_length < 126)
        return 2 + mask;
    return (frame->payload_length < 1 << 16 ? 4 : 10) + mask;
}

static void take_control(struct frames *f, const struct wslay_frame_iocb *frame,
                         const struct frames_handlers *handlers, void *owner)
{
    struct frame_reader *r = f->reader;

    assert(r->control_length + frame->data_length <= sizeof r->control);
    if (frame->data_length > 0)
        memcpy(r->control + r->control_length, frame->data, frame->data_length);
    r->control_length += frame->data_length;
    if (r->payload_left > 0)
        return;
    f->closed = frame->opcode == WEBSOCKET_CLOSE;
    handlers->control(owner, (enum websocket_opcode)frame->opcode,
                      slice_of(r->control, r->control_length));
    r->control_length = 0;
}

/* wslay gave out a piece of a frame, perhaps its first. */
static enum websocket_code take_piece(struct frames *f, const struct wslay_frame_iocb *frame,
                                      const struct frames_handlers *handlers, void *owner)
{
    struct frame_reader *r = f->reader;
    enum websocket_code code = WEBSOCKET_FINE;

    if (!r->in_frame) {
        code = judge_header(f, frame);
        r->in_frame = true;
        r->payload_left = frame->payload_length;
        r->held -= header_bytes(frame);
    }
    if (code != WEBSOCKET_FINE)
        return code;
    r->payload_left -= frame->data_length;
    r->held -= frame->data_length;
    r->in_frame = r->payload_left > 0;
    if (is_control(frame->opcode))
        take_control(f, frame, handlers, owner);
    else if (frame->data_length > 0)
        handlers->data(owner, slice_of((const char *)frame->data, frame->data_length));
    return WEBSOCKET_FINE;
}

enum websocket_code frames_feed(struct frames *f, struct slice bytes,
                                const struct frames_handlers *handlers, void *owner)
{
    enum websocket_code code = WEBSOCKET_FINE;
    struct wslay_frame_iocb frame;
    ssize_t got = 0;

    if (!f->reader)
        f->reader = reader_create();
    f->reader->input = bytes;
    /* wslay may ask for more although there is some: its own buffer was the end of what it read. */
    while (code == WEBSOCKET_FINE && !f->closed) {
        got = wslay_frame_recv(f->reader->context, &frame);
        if (got >= 0)
            code = take_piece(f, &frame, handlers, owner);
        else if (got != WSLAY_ERR_WANT_READ)
            code = WEBSOCKET_PROTOCOL_ERROR;
        else if (f->reader->input.length == 0)
            break;
    }
    if (code != WEBSOCKET_FINE || f->closed || (f->reader->held == 0 && !f->reader->in_frame))
        frames_finish(f);
    return code;
}

enum websocket_code frames_close_code(struct slice payload)
{
    unsigned code;
    size_t characters;

    if (payload.length == 0)
        return WEBSOCKET_NO_STATUS;
    if (payload.length == 1)
        return WEBSOCKET_PROTOCOL_ERROR;
    code = (unsigned)(uint8_t)payload.data[0] << 8 | (uint8_t)payload.data[1];
    if (!utf8_count(slice_of(payload.data + 2, payload.length - 2), &characters))
        return WEBSOCKET_INVALID_DATA;
    if ((code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
        (code >= 3000 && code <= 4999))
        return (enum websocket_code)code;
    return WEBSOCKET_PROTOCOL_ERROR;
}

struct frame_writer {
    struct wslay_frame_context *context;
    struct buf *out; /* during frame_writer_put() */
};

static ssize_t take_output(const uint8_t *data, size_t length, int flags, void *user)
{
    struct frame_writer *w = user;

    (void)flags;
    buf_bytes(w->out, data, length);
    return (ssize_t)length;
}

struct frame_writer *frame_writer_create(void)
{
    static const struct wslay_frame_callbacks callbacks = {.send_callback = take_output};
    struct frame_writer *w = must_calloc(1, sizeof *w);

    if (wslay_frame_context_init(&w->context, &callbacks, w) != 0)
        abort(); /* out of memory */
    return w;
}

void frame_writer_destroy(struct frame_writer *w)
{
    if (!w)
        return;
    wslay_frame_context_free(w->context);
    free(w);
}

void frame_writer_put(struct frame_writer *w, struct buf *out, enum websocket_opcode opcode,
                      struct slice payload)
{
    struct wslay_frame_iocb frame = {
        .fin = 1,
        .opcode = (uint8_t)opcode,
        .payload_length = payload.length,
        .data = (const uint8_t *)payload.data,
        .data_length = payload.length,
    };
    ssize_t sent;

    w->out = out;
    sent = wslay_frame_send(w->context, &frame);
    assert(sent == (ssize_t)payload.length); /* take_output() takes everything */
    (void)sent;
    w->out = NULL;
}

void frame_writer_close(struct frame_writer *w, struct buf *out, enum websocket_code code,
                        const char *reason)
{
    char payload[WEBSOCKET_CONTROL_MAX_BYTES];
    size_t length = strlen(reason);

    assert(length + 2 <= sizeof payload);
    payload[0] = (char)(code >> 8);
    payload[1] = (char)(code & 0xff);
    memcpy(payload + 2, reason, length);
    frame_writer_put(w, out, WEBSOCKET_CLOSE, slice_of(payload, 2 + length));
}
