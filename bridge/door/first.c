/* SPDX-License-Identifier: MIT */
/* first.c - the stage in which a connection's first request has not come yet, or not far enough to
 * tell what it is. */
#include "base/log.h"
#include "door/internal.h"

enum {
    REQUEST_MS = 15000,    /* from its first byte until it is known what it is */
    FIRST_BYTE_MS = 30000, /* until that comes */
    ANSWER_MAX_BYTES = 2048,
};

void first_refuse(struct connection *c, enum door_refusal why, int status, const char *detail)
{
    struct buf answer;

    connection_count_refusal(c, why);
    buf_init(&answer, ANSWER_MAX_BYTES);
    handshake_refuse((struct handshake_refusal){status, detail}, &answer);
    stream_write(&c->client, buf_slice(&answer));
    buf_finish(&answer);
    connection_part(c);
}

/* Behind a trusted proxy the client is another than the one that connected. False after refusing
 * it.
 */
static bool know_client(struct connection *c, const struct handshake *h)
{
    struct address client =
        address_behind(c->door->config.trusted_proxies, &c->address, slice_str(h->forwarded_for));

    if (address_equal(&client, &c->address))
        return true;
    party_leave(c);
    c->address = client;
    if (!party_knock(c))
        first_refuse(c, DOOR_REFUSED_RATE, 503, "too many connections from your address: wait");
    else if (!party_join(c))
        first_refuse(c, DOOR_REFUSED_ADDRESS, 503, "too many connections from your address");
    else
        return true;
    return false;
}

static void accept_websocket(struct connection *c, const struct handshake *h, size_t length)
{
    struct buf answer, rest;

    buf_init(&answer, ANSWER_MAX_BYTES);
    handshake_accept(h, &answer);
    stream_write(&c->client, buf_slice(&answer));
    buf_finish(&answer);
    /* What came behind the request is fed when `held` is free again. */
    buf_init(&rest, STREAM_READ_BYTES + HANDSHAKE_MAX_BYTES);
    buf_bytes(&rest, c->held.data + length, c->held.length - length);
    connection_release(c);
    websocket_begin(c, buf_slice(&rest));
    buf_finish(&rest);
}

static void judge_websocket(struct connection *c)
{
    size_t length = handshake_length(buf_slice(&c->held));
    struct handshake_refusal refusal;
    struct handshake h;

    if (length == 0 ? c->held.length > HANDSHAKE_MAX_BYTES : length > HANDSHAKE_MAX_BYTES) {
        first_refuse(c, DOOR_REFUSED_HANDSHAKE, 431, "the request's head is too large");
        return;
    }
    if (length == 0)
        return;
    refusal = handshake_judge(slice_of(c->held.data, length), &c->door->rules, &h);
    if (!know_client(c, &h))
        return;
    if (refusal.status != 0)
        first_refuse(c, refusal.status == 403 ? DOOR_REFUSED_ORIGIN : DOOR_REFUSED_HANDSHAKE,
                     refusal.status, refusal.detail);
    else if (atomic_load(&c->door->draining))
        first_refuse(c, DOOR_REFUSED_DRAINING, 503, "the server is going away");
    else
        accept_websocket(c, &h, length);
}

static void begin_relay(struct connection *c)
{
    struct buf held = c->held;

    buf_init(&c->held, held.ceiling);
    connection_release(c);
    relay_begin(c, buf_slice(&held));
    buf_finish(&held);
}

static void from_client(struct connection *c, struct slice bytes)
{
    if (c->held.length == 0 && first_request_of(bytes) == FIRST_HTTP) {
        relay_begin(c, bytes);
        return;
    }
    if (c->held.length == 0)
        connection_set_timer(c, REQUEST_MS);
    if (!connection_hold(c, bytes, STREAM_READ_BYTES + HANDSHAKE_MAX_BYTES)) {
        first_refuse(c, DOOR_REFUSED_CAPACITY, 503, "the server is receiving too much");
        return;
    }
    switch (first_request_of(buf_slice(&c->held))) {
    case FIRST_UNKNOWN:
        break;
    case FIRST_HTTP:
        begin_relay(c);
        break;
    case FIRST_WEBSOCKET:
        judge_websocket(c);
        break;
    }
}

static void from_inner(struct connection *c, struct slice bytes)
{
    (void)c, (void)bytes; /* there is nothing behind it yet */
}

static void timer(struct connection *c)
{
    if (c->held.length > 0) {
        first_refuse(c, DOOR_REFUSED_LATE, 408, "the request did not arrive completely in time");
    } else {
        connection_count_refusal(c, DOOR_REFUSED_LATE);
        connection_close(c);
    }
}

void first_begin(struct connection *c)
{
    connection_enter(c, &first_stage);
    connection_set_patience(c, FIRST_BYTE_MS);
}

const struct stage first_stage = {
    DOOR_UNDECIDED, from_client, from_inner, connection_close, connection_close, timer,
};
