/* SPDX-License-Identifier: MIT */
/* codec.c - see codec.h. All lengths are checked before a byte is read. */
#include "codec.h"

#include <assert.h>

enum {
    REMAINING_LENGTH_MAX = 268435455, /* section 2.2.3 */
    REMAINING_LENGTH_BYTES = 4,
    PROTOCOL_LEVEL_3_1_1 = 4,
    PROTOCOL_LEVEL_5 = 5,
    PROPERTY_RECEIVE_MAXIMUM = 0x21,
    CONNECT_CLEAN_SESSION = 0x02,
    CONNECT_PASSWORD = 0x40,
    CONNECT_USER = 0x80,
    PUBLISH_QOS_1 = 0x02,
    SUBSCRIBE_FLAGS = 0x02, /* reserved bits that must be so, section 3.8.1 */
};

static uint16_t read_u16(const char *p)
{
    return (uint16_t)((uint8_t)p[0] << 8 | (uint8_t)p[1]);
}

static void put_u16(struct buf *b, size_t value)
{
    assert(value <= UINT16_MAX);
    const char bytes[2] = {(char)(value >> 8), (char)value};

    buf_bytes(b, bytes, sizeof(bytes));
}

static void put_string(struct buf *b, struct slice s)
{
    put_u16(b, s.length);
    buf_slice_put(b, s);
}

static void put_header(struct buf *b, enum mqtt_type type, uint8_t flags, size_t remaining)
{
    char bytes[1 + REMAINING_LENGTH_BYTES];
    size_t n = 0;

    assert(remaining <= REMAINING_LENGTH_MAX);
    bytes[n++] = (char)((unsigned)type << 4 | flags);
    do {
        uint8_t digit = remaining & 0x7f;

        remaining >>= 7;
        bytes[n++] = (char)(remaining > 0 ? digit | 0x80 : digit);
    } while (remaining > 0);
    buf_bytes(b, bytes, n);
}

enum mqtt_status mqtt_next(struct slice input, size_t packet_max, struct mqtt_packet *out,
                           size_t *used)
{
    const uint8_t *p = (const uint8_t *)input.data;
    size_t remaining = 0;
    size_t header = 1;

    *used = 0;
    for (;;) {
        if (header > REMAINING_LENGTH_BYTES)
            return MQTT_BAD;
        if (header >= input.length)
            return MQTT_PARTIAL;
        remaining |= (size_t)(p[header] & 0x7f) << 7 * (header - 1);
        if ((p[header++] & 0x80) == 0)
            break;
    }
    if (header + remaining > packet_max)
        return MQTT_BAD;
    *used = header + remaining;
    if (*used > input.length)
        return MQTT_PARTIAL;
    out->type = (enum mqtt_type)(p[0] >> 4);
    out->flags = p[0] & 0x0f;
    out->body = slice_of(input.data + header, remaining);
    return MQTT_WHOLE;
}

bool mqtt_read_connack(struct slice body, uint8_t *return_code)
{
    if (body.length != 2)
        return false;
    *return_code = (uint8_t)body.data[1];
    return true;
}

bool mqtt_read_publish(const struct mqtt_packet *packet, struct mqtt_publish *out)
{
    struct slice rest = packet->body;

    assert(packet->type == MQTT_PUBLISH);
    out->qos = packet->flags >> 1 & 3;
    out->packet_id = 0;
    if (out->qos > 1 || rest.length < 2)
        return false;

    size_t topic_length = read_u16(rest.data);
    size_t head = 2 + topic_length + (out->qos > 0 ? 2 : 0);

    if (head > rest.length)
        return false;
    out->topic = slice_of(rest.data + 2, topic_length);
    if (out->qos > 0)
        out->packet_id = read_u16(rest.data + 2 + topic_length);
    out->payload = slice_of(rest.data + head, rest.length - head);
    return true;
}

bool mqtt_read_puback(struct slice body, uint16_t *packet_id)
{
    if (body.length != 2)
        return false;
    *packet_id = read_u16(body.data);
    return true;
}

bool mqtt_read_suback(struct slice body, uint16_t *packet_id, uint8_t *return_code)
{
    if (body.length != 3)
        return false;
    *packet_id = read_u16(body.data);
    *return_code = (uint8_t)body.data[2];
    return true;
}

static void write_connect(struct buf *b, uint8_t level, struct slice client_id, struct slice user,
                          struct slice password, uint16_t keep_alive_s)
{
    bool credentials = user.length > 0;
    bool properties = level >= PROTOCOL_LEVEL_5;
    size_t remaining = 10 + properties + 2 + client_id.length;
    uint8_t flags = CONNECT_CLEAN_SESSION;

    if (credentials) {
        remaining += 2 + user.length + 2 + password.length;
        flags |= CONNECT_USER | CONNECT_PASSWORD;
    }
    put_header(b, MQTT_CONNECT, 0, remaining);
    put_string(b, slice_str("MQTT"));
    buf_char(b, (char)level);
    buf_char(b, (char)flags);
    put_u16(b, keep_alive_s);
    if (properties)
        buf_char(b, 0); /* none of them */
    put_string(b, client_id);
    if (credentials) {
        put_string(b, user);
        put_string(b, password);
    }
}

void mqtt_write_connect(struct buf *b, struct slice client_id, struct slice user,
                        struct slice password, uint16_t keep_alive_s)
{
    write_connect(b, PROTOCOL_LEVEL_3_1_1, client_id, user, password, keep_alive_s);
}

void mqtt_write_connect_5(struct buf *b, struct slice client_id, struct slice user,
                          struct slice password, uint16_t keep_alive_s)
{
    write_connect(b, PROTOCOL_LEVEL_5, client_id, user, password, keep_alive_s);
}

/* Takes the properties off the front of `rest`. */
static bool take_properties(struct slice *rest, struct slice *properties)
{
    size_t length = 0;
    size_t digits = 0;

    do {
        if (digits == REMAINING_LENGTH_BYTES || digits == rest->length)
            return false;
        length |= (size_t)(rest->data[digits] & 0x7f) << 7 * digits;
    } while ((rest->data[digits++] & 0x80) != 0);
    if (length > rest->length - digits)
        return false;
    *properties = slice_of(rest->data + digits, length);
    *rest = slice_of(rest->data + digits + length, rest->length - digits - length);
    return true;
}

bool mqtt_skip_properties(struct slice *payload)
{
    struct slice properties;

    return take_properties(payload, &properties);
}

/* The size of the property's value, or 0: not one of CONNACK. */
static size_t property_size(struct slice properties)
{
    const char *p = properties.data;
    size_t left = properties.length - 1;
    size_t string = left >= 2 ? 2u + read_u16(p + 1) : 0;

    switch ((uint8_t)p[0]) {
    case 0x24: /* Maximum QoS */
    case 0x25: /* Retain Available */
    case 0x28: /* Wildcard Subscription Available */
    case 0x29: /* Subscription Identifiers Available */
    case 0x2a: /* Shared Subscription Available */
        return 1;
    case 0x13: /* Server Keep Alive */
    case 0x22: /* Topic Alias Maximum */
    case PROPERTY_RECEIVE_MAXIMUM:
        return 2;
    case 0x11: /* Session Expiry Interval */
    case 0x27: /* Maximum Packet Size */
        return 4;
    case 0x12: /* Assigned Client Identifier */
    case 0x15: /* Authentication Method */
    case 0x16: /* Authentication Data */
    case 0x1a: /* Response Information */
    case 0x1c: /* Server Reference */
    case 0x1f: /* Reason String */
        return string;
    case 0x26: /* User Property: two strings */
        return string > 0 && left >= string + 2 ? string + 2 + read_u16(p + 1 + string) : 0;
    default:
        return 0;
    }
}

bool mqtt_read_connack_5(struct slice body, uint8_t *reason_code, uint16_t *receive_maximum)
{
    struct slice rest;
    struct slice properties;

    *receive_maximum = UINT16_MAX;
    if (body.length < 3)
        return false;
    *reason_code = (uint8_t)body.data[1];
    rest = slice_of(body.data + 2, body.length - 2);
    if (!take_properties(&rest, &properties) || rest.length > 0)
        return false;
    while (properties.length > 0) {
        size_t size = property_size(properties);

        if (size == 0 || size > properties.length - 1)
            return false;
        if (properties.data[0] == PROPERTY_RECEIVE_MAXIMUM)
            *receive_maximum = read_u16(properties.data + 1);
        properties = slice_of(properties.data + 1 + size, properties.length - 1 - size);
    }
    return *receive_maximum > 0;
}

void mqtt_write_publish_head(struct buf *b, struct slice topic, uint16_t packet_id,
                             size_t payload_length)
{
    bool acknowledged = packet_id > 0;

    put_header(b, MQTT_PUBLISH, acknowledged ? PUBLISH_QOS_1 : 0,
               2 + topic.length + (acknowledged ? 2 : 0) + payload_length);
    put_string(b, topic);
    if (acknowledged)
        put_u16(b, packet_id);
}

void mqtt_write_subscribe(struct buf *b, uint16_t packet_id, struct slice filter, uint8_t qos)
{
    assert(packet_id > 0);
    put_header(b, MQTT_SUBSCRIBE, SUBSCRIBE_FLAGS, 2 + 2 + filter.length + 1);
    put_u16(b, packet_id);
    put_string(b, filter);
    buf_char(b, (char)qos);
}

void mqtt_write_pingreq(struct buf *b)
{
    put_header(b, MQTT_PINGREQ, 0, 0);
}

void mqtt_write_disconnect(struct buf *b)
{
    put_header(b, MQTT_DISCONNECT, 0, 0);
}
