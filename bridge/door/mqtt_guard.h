/* SPDX-License-Identifier: MIT */
/* mqtt_guard.h - looks at the MQTT packets of one client on their way to the broker. Pure.
 *
 * The broker shall meet nothing but packets of a bearable length, after a CONNECT and up to a
 * DISCONNECT; what they mean is its own business. Rule: no byte of a packet is carried before its
 * length is known to be good. */
#ifndef BANTER_DOOR_MQTT_GUARD_H
#define BANTER_DOOR_MQTT_GUARD_H

#include "base/buf.h"
#include "base/compiler.h"
#include "base/slice.h"

#include <stddef.h>
#include <stdint.h>

enum {
    MQTT_CONNECT_MAX_BYTES = 8 << 10, /* a token, a will, and room to spare */
    MQTT_HEADER_MAX_BYTES = 5,        /* MQTT 5 section 2.1: type, and a length of 1 to 4 bytes */
};

enum mqtt_verdict {
    MQTT_FINE,      /* more may follow */
    MQTT_PARTIAL,   /* the CONNECT is not whole yet */
    MQTT_ENDED,     /* a DISCONNECT has passed: what follows it is dropped */
    MQTT_MALFORMED, /* no MQTT packet, or one that may not come from a client, or not now */
    MQTT_TOO_LARGE,
};

struct mqtt_connect {
    size_t length;          /* bytes of the packet */
    unsigned level;         /* 4: MQTT 3.1.1, 5: MQTT 5 */
    struct slice client_id; /* borrowed from what was read; may be empty */
};

/* Reads the first packet, which must be a CONNECT, at the beginning of `bytes`. MQTT_FINE: it is
 * whole; MQTT_PARTIAL, MQTT_MALFORMED or MQTT_TOO_LARGE. */
enum mqtt_verdict mqtt_connect_read(struct slice bytes, struct mqtt_connect *out) MUST_USE;

/* Follows the packets after the CONNECT. Zeroed at first. */
struct mqtt_guard {
    uint32_t left;                         /* bytes of the packet that is being carried */
    uint8_t header[MQTT_HEADER_MAX_BYTES]; /* of the next one, as far as it has come */
    uint8_t header_length;
    bool ended; /* DISCONNECT is the packet being carried, or has been */
};

/* Appends to `out` what of the next `bytes` may be carried; nothing of them when they are refused
 * at their first packet. MQTT_FINE, MQTT_ENDED, MQTT_MALFORMED or MQTT_TOO_LARGE. */
enum mqtt_verdict mqtt_guard_feed(struct mqtt_guard *g, struct slice bytes,
                                  struct buf *out) MUST_USE;

#endif
