/* SPDX-License-Identifier: MIT */
/* transport.h - one MQTT connection at a time, whoever makes it: transport_paho.h, or a test.
 *
 * What happens on the network comes as events, each with the generation that open() was given, so
 * that what was still under way when a connection was given up is known to be old. */
#ifndef BANTER_CLIENT_TRANSPORT_H
#define BANTER_CLIENT_TRANSPORT_H

#include "base/compiler.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum net_kind {
    NET_UP,      /* CONNACK; `code` is the Receive Maximum */
    NET_REFUSED, /* no connection; `code` is CONNACK's reason, 0 if there was none */
    NET_LOST,    /* it has ended; `code` is DISCONNECT's reason, 0 if there was none */
    NET_MESSAGE,
    NET_ACK, /* of a publish or subscription: `token`; `code` is the reason code, < 0: none came */
};

struct net_event {
    struct net_event *next; /* whoever queues them */
    enum net_kind kind;
    uint64_t generation;
    int code;
    int token;
    size_t length; /* of the payload */
    char *payload; /* with a NUL; in `data` */
    char data[];   /* topic, NUL, payload, NUL; of a refusal what was said about it */
};

enum {
    REASON_NOT_AUTHORIZED = 0x87,
    REASON_TAKEN_OVER = 0x8e,
    REASON_REFUSED = 0x80, /* this and above */
};

struct transport_target {
    const char *address;
    const char *client_id;
    const char *user;
    const char *password;
    const char *ca_file; /* or NULL */
    uint32_t timeout_ms;
};

/* All but close() and is_up() return an enum banter_error; the arguments are copied. */
struct transport {
    int (*open)(void *self, const struct transport_target *target, uint64_t generation) MUST_USE;
    /* *token is what NET_ACK will name; `token` NULL: none is wanted. */
    int (*publish)(void *self, const char *topic, const char *payload, size_t length, int qos,
                   int *token) MUST_USE;
    int (*subscribe)(void *self, const char *filter, int *token) MUST_USE;
    int (*unsubscribe)(void *self, const char *filter) MUST_USE;
    void (*close)(void *self);
    /* For those who do not trust that NET_LOST comes. */
    bool (*is_up)(void *self);
    void *self;
};

#endif
