/* SPDX-License-Identifier: MIT */
/* session.c - one client's MQTT, whatever carries it: the CONNECT is awaited, the broker is
 * reached, then packets go both ways until somebody ends it.
 *
 * The broker is not troubled before a whole CONNECT has come. What a client sends before it leaves
 * (a last message, DISCONNECT) reaches the broker even if the client does not wait for that. */
#include "base/log.h"
#include "door/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    CONNECT_MS = 5000, /* from when the client may send its CONNECT until that is whole */
    /* The broker's queue for new connections may be full for a moment. */
    BROKER_RETRY_MS = 20,
    BROKER_ATTEMPTS = 250,
    BROKER_DESCRIPTORS = 1,
    LAST_WORDS_MS = 5000, /* that the broker has for ending what a DISCONNECT ended */
    CLIENT_ID_SHOWN = 128,
};

void session_begin(struct connection *c, const struct stage *stage,
                   const struct transport *transport)
{
    c->transport = transport;
    connection_enter(c, stage);
    connection_set_patience(c, CONNECT_MS);
}

void session_refuse(struct connection *c, enum door_refusal why, enum websocket_code code,
                    const char *reason)
{
    connection_count_refusal(c, why);
    stream_close(&c->inner);
    c->transport->end(c, code, reason);
}

static void reach_broker(struct connection *c)
{
    int error = connection_open_inner(c, c->door->config.mqtt_socket, NULL, BROKER_DESCRIPTORS);

    if (error == 0) {
        connection_set_timer(c, c->door->config.websocket_ping_ms);
    } else if (++c->attempts < BROKER_ATTEMPTS && error != ECONNRESET) {
        connection_set_timer(c, BROKER_RETRY_MS);
    } else {
        log_warning("door", "the broker cannot be reached: %s", strerror(error));
        session_refuse(c, DOOR_REFUSED_BROKER, WEBSOCKET_TRY_AGAIN_LATER,
                       "the broker cannot be reached");
    }
}

/* Never the password. */
static void log_client(const struct connection *c, const struct mqtt_connect *connect)
{
    char address[ADDRESS_TEXT_BYTES];
    size_t shown =
        connect->client_id.length < CLIENT_ID_SHOWN ? connect->client_id.length : CLIENT_ID_SHOWN;

    address_format(&c->address, address);
    log_info("door", "client %.*s from %s over %s", (int)shown, connect->client_id.data, address,
             c->transport->name);
}

/* CONNACK (MQTT 5 section 3.2, MQTT 3.1.1 section 3.2): "server unavailable". */
static void refuse_for_now(struct connection *c, unsigned level)
{
    static const char five[] = {0x20, 3, 0, (char)0x88, 0}, three[] = {0x20, 2, 0, 3};

    c->transport->send(c, level == 5 ? slice_of(five, sizeof five) : slice_of(three, sizeof three));
    session_refuse(c, DOOR_REFUSED_DRAINING, WEBSOCKET_GOING_AWAY, "the server is going away");
}

static void refuse_verdict(struct connection *c, enum mqtt_verdict verdict)
{
    if (verdict == MQTT_TOO_LARGE)
        session_refuse(c, DOOR_REFUSED_SIZE, WEBSOCKET_TOO_BIG, "the packet is too large");
    else
        session_refuse(c, DOOR_REFUSED_PACKET, WEBSOCKET_PROTOCOL_ERROR,
                       c->introduced ? "not a packet that a client may send"
                                     : "the first packet is no CONNECT");
}

/* Collects the CONNECT; what has come behind it is judged at once. */
static void take_connect(struct connection *c, struct slice bytes)
{
    struct mqtt_connect connect;
    enum mqtt_verdict verdict;

    if (!connection_hold(c, bytes, MQTT_CONNECT_MAX_BYTES + STREAM_READ_BYTES)) {
        session_refuse(c, DOOR_REFUSED_CAPACITY, WEBSOCKET_TRY_AGAIN_LATER,
                       "the server is receiving too much");
        return;
    }
    verdict = mqtt_connect_read(buf_slice(&c->held), &connect);
    if (verdict == MQTT_PARTIAL)
        return;
    if (verdict == MQTT_FINE && atomic_load(&c->door->draining)) {
        refuse_for_now(c, connect.level);
        return;
    }
    if (verdict == MQTT_FINE) {
        c->introduced = true;
        log_client(c, &connect);
        buf_bytes(&c->door->carry, c->held.data, connect.length);
        verdict = mqtt_guard_feed(
            &c->guard, slice_of(c->held.data + connect.length, c->held.length - connect.length),
            &c->door->carry);
        connection_release(c);
    }
    if (verdict == MQTT_FINE || verdict == MQTT_ENDED)
        reach_broker(c);
    else
        refuse_verdict(c, verdict);
}

void session_take(struct connection *c, struct slice bytes)
{
    enum mqtt_verdict verdict;

    if (!c->introduced) {
        take_connect(c, bytes);
        return;
    }
    verdict = mqtt_guard_feed(&c->guard, bytes, &c->door->carry);
    if (verdict != MQTT_FINE && verdict != MQTT_ENDED)
        refuse_verdict(c, verdict);
}

void session_carry(struct connection *c)
{
    struct buf *carry = &c->door->carry;

    if (carry->failed)
        abort(); /* out of memory: it never exceeds what was held and read */
    if (!c->closed && !c->inner.finishing)
        stream_write(&c->inner, buf_slice(carry));
    buf_reset(carry);
    if (!c->closed && c->guard.ended && c->guard.left == 0 && !c->inner.finishing) {
        stream_finish(&c->inner);
        connection_set_timer(c, LAST_WORDS_MS);
    }
}

void session_client_ended(struct connection *c)
{
    if (stream_is_open(&c->inner))
        connection_part(c);
    else
        connection_close(c);
}

void session_from_broker(struct connection *c, struct slice bytes)
{
    c->transport->send(c, bytes);
}

/* It has refused the client, been told that the client leaves, or is going itself. */
void session_broker_ended(struct connection *c)
{
    if (c->guard.ended)
        c->transport->end(c, WEBSOCKET_NORMAL, "");
    else
        c->transport->end(c, WEBSOCKET_GOING_AWAY, "the broker has closed the connection");
}

void session_timer(struct connection *c)
{
    if (!c->introduced) {
        session_refuse(c, DOOR_REFUSED_LATE, WEBSOCKET_POLICY, "no CONNECT came in time");
    } else if (!stream_is_open(&c->inner)) {
        reach_broker(c);
    } else if (c->guard.ended) {
        session_broker_ended(c);
    } else if (connection_is_stuck(c)) {
        connection_count_refusal(c, DOOR_REFUSED_SILENCE);
        connection_close(c);
    } else if (!connection_was_silent(c)) {
        c->asked = false;
        connection_set_timer(c, c->door->config.websocket_ping_ms);
    } else if (c->transport->ask(c)) {
        connection_set_timer(c, c->door->config.websocket_ping_ms);
    } else {
        connection_count_refusal(c, DOOR_REFUSED_SILENCE);
        connection_close(c);
    }
}
