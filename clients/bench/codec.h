/* SPDX-License-Identifier: MIT */
/* codec.h - the MQTT 3.1.1 packets that a load generator needs, as bytes, and those of MQTT 5 where
 * they differ. Pure: no I/O.
 *
 * Writers append one whole packet to a buffer that fails stickily. Readers borrow: slices in
 * packets point into the input. Section numbers are those of the MQTT 3.1.1 standard (OASIS). */
#ifndef BANTER_BENCH_CODEC_H
#define BANTER_BENCH_CODEC_H

#include "base/buf.h"
#include "base/compiler.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Packet types, section 2.2.1. */
enum mqtt_type {
    MQTT_CONNECT = 1,
    MQTT_CONNACK = 2,
    MQTT_PUBLISH = 3,
    MQTT_PUBACK = 4,
    MQTT_SUBSCRIBE = 8,
    MQTT_SUBACK = 9,
    MQTT_PINGREQ = 12,
    MQTT_PINGRESP = 13,
    MQTT_DISCONNECT = 14
};

struct mqtt_packet {
    enum mqtt_type type;
    uint8_t flags;     /* the low four bits of the first byte */
    struct slice body; /* variable header and payload */
};

enum mqtt_status { MQTT_WHOLE, MQTT_PARTIAL, MQTT_BAD };

/* Looks for one packet at the start of `input`. MQTT_WHOLE: *out is set and *used is its size.
 * MQTT_PARTIAL: read more; *used is the whole packet's size if its header has come, else 0.
 * MQTT_BAD: not MQTT, or larger than `packet_max` bytes. */
enum mqtt_status mqtt_next(struct slice input, size_t packet_max, struct mqtt_packet *out,
                           size_t *used) MUST_USE;

struct mqtt_publish {
    struct slice topic;
    struct slice payload;
    uint16_t packet_id; /* 0 with QoS 0 */
    uint8_t qos;        /* 0 or 1: this generator never asks for 2 */
};

/* Each returns false when the body is malformed. */
bool mqtt_read_connack(struct slice body, uint8_t *return_code) MUST_USE;
bool mqtt_read_publish(const struct mqtt_packet *packet, struct mqtt_publish *out) MUST_USE;
bool mqtt_read_puback(struct slice body, uint16_t *packet_id) MUST_USE;
/* The answer to a SUBSCRIBE with one filter; 0x80 in *return_code is a refusal. */
bool mqtt_read_suback(struct slice body, uint16_t *packet_id, uint8_t *return_code) MUST_USE;

/* A clean session without a will. An empty user name leaves both credentials out. */
void mqtt_write_connect(struct buf *b, struct slice client_id, struct slice user,
                        struct slice password, uint16_t keep_alive_s);
/* The same with MQTT 5. On such a connection each PUBLISH carries properties in front of its
 * payload: write one byte of 0 there, and skip those that come. */
void mqtt_write_connect_5(struct buf *b, struct slice client_id, struct slice user,
                          struct slice password, uint16_t keep_alive_s);
/* MQTT 5, section 3.2; *receive_maximum is 65535 when the server names none. */
bool mqtt_read_connack_5(struct slice body, uint8_t *reason_code,
                         uint16_t *receive_maximum) MUST_USE;
/* Takes the properties (MQTT 5, section 2.2.2) off the front. False: there are none. */
bool mqtt_skip_properties(struct slice *payload) MUST_USE;
/* Everything of a PUBLISH but its payload, of which the caller appends exactly `payload_length`
 * bytes. `packet_id` > 0: QoS 1; 0: QoS 0. */
void mqtt_write_publish_head(struct buf *b, struct slice topic, uint16_t packet_id,
                             size_t payload_length);
void mqtt_write_subscribe(struct buf *b, uint16_t packet_id, struct slice filter, uint8_t qos);
void mqtt_write_pingreq(struct buf *b);
void mqtt_write_disconnect(struct buf *b);

#endif
