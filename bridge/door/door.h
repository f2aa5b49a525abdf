/* SPDX-License-Identifier: MIT */
/* door.h - the front door: all public listeners, on a thread of its own.
 *
 * TLS, WebSocket frames and large messages cost nobody else's time here: the writer's loop sees
 * clean HTTP on a Unix socket, the broker clean MQTT on another. What is HTTP is carried as it is;
 * /mqtt is WebSocket; the third listener takes MQTT over TLS. Rule: the functions are called on the
 * thread that made the door, and nothing but atomics and one eventfd is shared with the door's. */
#ifndef BANTER_DOOR_DOOR_H
#define BANTER_DOOR_DOOR_H

#include "base/bucket.h"
#include "base/compiler.h"

#include <stdbool.h>
#include <stdint.h>

struct door;
struct pulse;
struct networks;

struct door_config {
    const char *http_listen;          /* "127.0.0.1:8080", "[::1]:8080", or "off" */
    const char *https_listen;         /* the same over TLS */
    const char *mqtts_listen;         /* MQTT over TLS */
    const char *tls_certificate_file; /* PEM; "": no TLS, and none of these two listens */
    const char *tls_key_file;
    const char *http_socket;                /* the HTTP server's Unix socket */
    const char *mqtt_socket;                /* the broker's */
    const char *websocket_origins;          /* see handshake.h */
    const struct networks *trusted_proxies; /* whose X-Forwarded-For is believed; borrowed */
    unsigned websocket_ping_ms; /* silence after which a client is asked for a sign of life */
    unsigned connections_max;
    unsigned connections_per_address;
    struct rate rate_address_connects;
};

/* Listens, but takes nobody in yet. `config` and its strings are copied. NULL after logging why
 * not. */
struct door *door_create(const struct door_config *config) MUST_USE;
/* Starts the thread: from now on clients come in. False after logging why not. */
bool door_start(struct door *d) MUST_USE;
/* Reads the certificate again, for connections that are yet to come. Returns at once. */
void door_reload(struct door *d);
/* Takes other origins for those of the configuration, for WebSockets that are yet to come. Copied.
 * Returns at once. */
void door_set_origins(struct door *d, const char *origins);
/* While true no MQTT connection is let in (503, or CONNACK "server unavailable"); those that are
 * there stay, and so does HTTP. Returns at once. */
void door_drain(struct door *d, bool on);
/* Of the thread's loop; valid as long as the door. */
const struct pulse *door_pulse(const struct door *d);
/* Lets nobody in any more and tells WebSockets to go; HTTP goes on. Returns at once. */
void door_close(struct door *d);
/* Closes everything, after giving answers that are on their way a moment. NULL is fine. */
void door_destroy(struct door *d);

enum door_kind {
    DOOR_UNDECIDED, /* the first request has not come */
    DOOR_HTTP,
    DOOR_WEBSOCKET,
    DOOR_MQTTS,
    DOOR_KINDS,
};

enum door_refusal {
    DOOR_REFUSED_ADDRESS,   /* too many connections from there */
    DOOR_REFUSED_RATE,      /* too many in a short time */
    DOOR_REFUSED_BROKER,    /* the broker cannot be reached */
    DOOR_REFUSED_CAPACITY,  /* too many connections in all */
    DOOR_REFUSED_HANDSHAKE, /* no request from which a WebSocket can be made */
    DOOR_REFUSED_LATE,      /* nothing, or not enough, came in time */
    DOOR_REFUSED_ORIGIN,    /* a page of another site */
    DOOR_REFUSED_PACKET,    /* no MQTT, or not now */
    DOOR_REFUSED_SIZE,      /* a packet beyond the limit */
    DOOR_REFUSED_DRAINING,  /* nobody is let in now */
    DOOR_REFUSED_FRAME,     /* no WebSocket frame, or one with text */
    DOOR_REFUSED_TLS,       /* the TLS handshake failed */
    DOOR_REFUSED_SILENCE,   /* the other side gives no sign of life, or does not read */
    DOOR_REFUSALS,
};

/* As they stand in the metrics. */
extern const char *const door_kind_names[DOOR_KINDS];
extern const char *const door_refusal_names[DOOR_REFUSALS];

struct door_stats {
    uint64_t connections[DOOR_KINDS]; /* now */
    uint64_t waiting;                 /* now: bytes that sockets have not taken yet */
    uint64_t accepted;                /* so far */
    uint64_t handshakes;              /* of TLS, so far */
    uint64_t resumed;                 /* those of them that took up an earlier session */
    uint64_t refused[DOOR_REFUSALS];  /* so far */
    uint64_t from_clients;            /* bytes so far */
    uint64_t to_clients;              /* bytes so far */
};
void door_get_stats(const struct door *d, struct door_stats *out);

#endif
