/* SPDX-License-Identifier: MIT */
/* mqtt_fuzz.c - the bench's reader of MQTT: what it hands out lies inside the packet, and a packet
 * that is cut off anywhere is asked for again. */
#include "fuzz/fuzz.h"

#include "codec.h"
#include "stamp.h"

enum { PACKET_MAX = 1 << 16 };

static void must_lie_within(struct slice part, struct slice whole)
{
    must(part.length <= whole.length);
    must(part.data >= whole.data && part.data + part.length <= whole.data + whole.length);
}

static void read_packet(const struct mqtt_packet *packet)
{
    struct mqtt_publish publish;
    struct glance glance;
    uint16_t id;
    uint8_t code;

    if (mqtt_read_connack(packet->body, &code))
        must(packet->body.length == 2);
    if (mqtt_read_puback(packet->body, &id))
        must(packet->body.length == 2);
    if (mqtt_read_suback(packet->body, &id, &code))
        must(packet->body.length == 3);
    if (packet->type != MQTT_PUBLISH || !mqtt_read_publish(packet, &publish))
        return;
    must_lie_within(publish.topic, packet->body);
    must_lie_within(publish.payload, packet->body);
    glance_read(publish.payload, &glance);
    if (glance.error_code.length > 0)
        must_lie_within(glance.error_code, publish.payload);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice rest = slice_of((const char *)data, size);
    struct mqtt_packet packet, again;
    size_t used, unused;

    while (mqtt_next(rest, PACKET_MAX, &packet, &used) == MQTT_WHOLE) {
        must(used >= 2 && used <= rest.length && used <= PACKET_MAX);
        must_lie_within(packet.body, rest);
        must(mqtt_next(slice_of(rest.data, used - 1), PACKET_MAX, &again, &unused) == MQTT_PARTIAL);
        read_packet(&packet);
        rest = slice_of(rest.data + used, rest.length - used);
    }
    return 0;
}
