/* SPDX-License-Identifier: MIT */
/* mqtt_guard.c - see mqtt_guard.h. Numbers and layouts: MQTT 5 sections 2.1 and 3.1; MQTT 3.1.1 and
 * 3.1 differ only in what is said here. */
#include "door/mqtt_guard.h"

#include "wire/limits.h"

#include <assert.h>

enum packet_type { TYPE_CONNECT = 1, TYPE_DISCONNECT = 14 };

enum { LEVEL_5 = 5 };

/* The types that a client may send once it is connected: PUBLISH, PUBACK, PUBREC, PUBREL, PUBCOMP,
 * SUBSCRIBE, UNSUBSCRIBE, PINGREQ, DISCONNECT, AUTH. */
static const uint16_t types_from_client = 1 << 3 | 1 << 4 | 1 << 5 | 1 << 6 | 1 << 7 | 1 << 8 |
                                          1 << 10 | 1 << 12 | 1 << TYPE_DISCONNECT | 1 << 15;

/* Reads a variable byte integer. MQTT_FINE: *size says how many bytes it has. */
static enum mqtt_verdict read_varint(struct slice bytes, uint32_t *value, size_t *size)
{
    *value = 0;
    for (size_t i = 0; i < 4; i++) {
        if (i == bytes.length)
            return MQTT_PARTIAL;
        *value |= (uint32_t)(bytes.data[i] & 0x7f) << (7 * i);
        if (!(bytes.data[i] & 0x80)) {
            *size = i + 1;
            return MQTT_FINE;
        }
    }
    return MQTT_MALFORMED;
}

static struct slice rest_of(struct slice s, size_t from)
{
    return slice_of(s.data + from, s.length - from);
}

/* Takes a string with its length before it off the beginning. */
static bool take_string(struct slice *bytes, struct slice *out)
{
    size_t length;

    if (bytes->length < 2)
        return false;
    length = (size_t)(uint8_t)bytes->data[0] << 8 | (uint8_t)bytes->data[1];
    if (length > bytes->length - 2)
        return false;
    *out = slice_of(bytes->data + 2, length);
    *bytes = rest_of(*bytes, 2 + length);
    return true;
}

/* What follows the fixed header: protocol name, level, flags, keep-alive, MQTT 5's properties,
 * client id. */
static bool read_connect_body(struct slice body, struct mqtt_connect *out)
{
    struct slice name;
    uint32_t properties;
    size_t size;

    if (!take_string(&body, &name) || body.length < 4 ||
        (!slice_equal(name, slice_str("MQTT")) && !slice_equal(name, slice_str("MQIsdp"))))
        return false;
    out->level = (uint8_t)body.data[0];
    body = rest_of(body, 4);
    if (out->level == LEVEL_5) {
        if (read_varint(body, &properties, &size) != MQTT_FINE || properties > body.length - size)
            return false;
        body = rest_of(body, size + properties);
    }
    return take_string(&body, &out->client_id);
}

enum mqtt_verdict mqtt_connect_read(struct slice bytes, struct mqtt_connect *out)
{
    enum mqtt_verdict verdict;
    uint32_t remaining;
    size_t size;

    if (bytes.length == 0)
        return MQTT_PARTIAL;
    if ((uint8_t)bytes.data[0] != TYPE_CONNECT << 4)
        return MQTT_MALFORMED;
    verdict = read_varint(rest_of(bytes, 1), &remaining, &size);
    if (verdict != MQTT_FINE)
        return verdict;
    out->length = 1 + size + remaining;
    if (out->length > MQTT_CONNECT_MAX_BYTES)
        return MQTT_TOO_LARGE;
    if (out->length > bytes.length)
        return MQTT_PARTIAL;
    return read_connect_body(slice_of(bytes.data + 1 + size, remaining), out) ? MQTT_FINE
                                                                              : MQTT_MALFORMED;
}

/* The header has one more byte. MQTT_FINE: its packet may be carried. */
static enum mqtt_verdict judge_header(struct mqtt_guard *g)
{
    struct slice length = slice_of((const char *)g->header + 1, (size_t)g->header_length - 1);
    unsigned type = g->header[0] >> 4;
    enum mqtt_verdict verdict;
    uint32_t remaining;
    size_t size;

    if (!(types_from_client >> type & 1))
        return MQTT_MALFORMED;
    verdict = read_varint(length, &remaining, &size);
    if (verdict != MQTT_FINE)
        return verdict;
    if (1 + remaining > PACKET_MAX_BYTES) /* as Mosquitto counts: type and body */
        return MQTT_TOO_LARGE;
    g->left = remaining;
    g->ended = type == TYPE_DISCONNECT;
    return MQTT_FINE;
}

/* Takes bytes of the header off `bytes`, as many as are there. MQTT_FINE: the packet's body comes
 * next; MQTT_PARTIAL: more of the header. */
static enum mqtt_verdict take_header(struct mqtt_guard *g, struct slice *bytes, struct buf *out)
{
    enum mqtt_verdict verdict = MQTT_PARTIAL;

    while (verdict == MQTT_PARTIAL && bytes->length > 0) {
        assert(g->header_length < MQTT_HEADER_MAX_BYTES);
        g->header[g->header_length++] = (uint8_t)bytes->data[0];
        *bytes = rest_of(*bytes, 1);
        verdict = judge_header(g);
    }
    if (verdict == MQTT_FINE) {
        buf_bytes(out, g->header, g->header_length);
        g->header_length = 0;
    }
    return verdict;
}

static void take_body(struct mqtt_guard *g, struct slice *bytes, struct buf *out)
{
    size_t n = bytes->length < g->left ? bytes->length : g->left;

    buf_bytes(out, bytes->data, n);
    g->left -= (uint32_t)n;
    *bytes = rest_of(*bytes, n);
}

enum mqtt_verdict mqtt_guard_feed(struct mqtt_guard *g, struct slice bytes, struct buf *out)
{
    while (bytes.length > 0) {
        if (g->left > 0) {
            take_body(g, &bytes, out);
        } else if (g->ended) {
            break;
        } else {
            enum mqtt_verdict verdict = take_header(g, &bytes, out);
            if (verdict != MQTT_FINE && verdict != MQTT_PARTIAL)
                return verdict;
        }
    }
    return g->ended && g->left == 0 ? MQTT_ENDED : MQTT_FINE;
}
