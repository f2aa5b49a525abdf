/* SPDX-License-Identifier: MIT */
/* websocket.c - MQTT inside WebSocket frames: what the broker sends goes out as one binary frame
 * for each read; what the client sends is a stream, whatever its frames are. */
#include "door/internal.h"

#include <stdlib.h>

static void flush_frame(struct connection *c)
{
    struct buf *frame = &c->door->frame;

    if (frame->failed)
        abort(); /* out of memory: it never exceeds one read */
    stream_write(&c->client, buf_slice(frame));
    buf_reset(frame);
}

static void send_frame(struct connection *c, enum websocket_opcode opcode, struct slice payload)
{
    frame_writer_put(c->door->writer, &c->door->frame, opcode, payload);
    flush_frame(c);
}

static void send_bytes(struct connection *c, struct slice bytes)
{
    send_frame(c, WEBSOCKET_BINARY, bytes);
}

static void end(struct connection *c, enum websocket_code code, const char *reason)
{
    if (c->closed || c->client.finishing)
        return;
    if (stream_is_open(&c->client)) {
        frame_writer_close(c->door->writer, &c->door->frame, code, reason);
        flush_frame(c);
    }
    connection_part(c);
}

static bool ask(struct connection *c)
{
    if (c->asked)
        return false;
    c->asked = true;
    if (stream_waiting(&c->client) == 0)
        send_frame(c, WEBSOCKET_PING, slice_of(NULL, 0));
    return true;
}

static const struct transport transport = {"WebSocket", send_bytes, end, ask};

/* The client says goodbye: it gets its own code back. */
static void answer_close(struct connection *c, struct slice payload)
{
    enum websocket_code code = frames_close_code(payload);

    end(c, code == WEBSOCKET_NO_STATUS ? WEBSOCKET_NORMAL : code, "");
}

static bool is_over(const struct connection *c)
{
    return c->closed || c->client.finishing;
}

static void on_data(void *owner, struct slice bytes)
{
    struct connection *c = owner;

    if (!is_over(c))
        session_take(c, bytes);
}

static void on_control(void *owner, enum websocket_opcode opcode, struct slice payload)
{
    struct connection *c = owner;

    if (is_over(c))
        return;
    switch (opcode) {
    case WEBSOCKET_PING:
        send_frame(c, WEBSOCKET_PONG, payload);
        break;
    case WEBSOCKET_CLOSE:
        session_carry(c); /* what came before it */
        answer_close(c, payload);
        break;
    default: /* a pong: that it came is all there is to it */
        break;
    }
}

static const struct frames_handlers handlers = {on_data, on_control};

static void from_client(struct connection *c, struct slice bytes)
{
    enum websocket_code code = frames_feed(&c->frames, bytes, &handlers, c);

    session_carry(c);
    if (code != WEBSOCKET_FINE && !is_over(c))
        session_refuse(c, DOOR_REFUSED_FRAME, code,
                       code == WEBSOCKET_UNSUPPORTED ? "MQTT is carried in binary frames"
                                                     : "not a frame that a client may send");
}

static const struct stage websocket_stage = {
    DOOR_WEBSOCKET,       from_client,          session_from_broker,
    session_client_ended, session_broker_ended, session_timer,
};

void websocket_begin(struct connection *c, struct slice bytes)
{
    session_begin(c, &websocket_stage, &transport);
    if (bytes.length > 0)
        from_client(c, bytes);
}
