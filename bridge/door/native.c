/* SPDX-License-Identifier: MIT */
/* native.c - MQTT with nothing around it but TLS. */
#include "door/internal.h"

static void send_bytes(struct connection *c, struct slice bytes)
{
    stream_write(&c->client, bytes);
}

static void end(struct connection *c, enum websocket_code code, const char *reason)
{
    (void)code, (void)reason;
    connection_part(c);
}

/* MQTT has its own signs of life, which the broker waits for. */
static bool ask(struct connection *c)
{
    (void)c;
    return true;
}

static const struct transport transport = {"TLS", send_bytes, end, ask};

static void from_client(struct connection *c, struct slice bytes)
{
    session_take(c, bytes);
    session_carry(c);
}

static const struct stage native_stage = {
    DOOR_MQTTS,           from_client,          session_from_broker,
    session_client_ended, session_broker_ended, session_timer,
};

void native_begin(struct connection *c)
{
    session_begin(c, &native_stage, &transport);
}
