/* SPDX-License-Identifier: MIT */
/* bench_codec_test.c - MQTT packets against bytes spelled out from the standard (MQTT 3.1.1). */
#include "unit/unit.h"

#include "codec.h"

#include <stdlib.h>

enum { PACKET_MAX = 1 << 20 };

static void assert_bytes(struct buf *b, const char *expected, size_t length)
{
    assert_false(b->failed);
    assert_int_equal(b->length, length);
    assert_memory_equal(b->data, expected, length);
    buf_finish(b);
}

static void test_writes_packets(void **state)
{
    static const char connect[] = "\x10\x1c\x00\x04MQTT\x04\xc2\x00\x3c\x00\x07"
                                  "bob/dev\x00\x03"
                                  "bob\x00\x02pw";
    static const char anonymous[] = "\x10\x0e\x00\x04MQTT\x04\x02\x00\x00\x00\x02id";
    static const char subscribe[] = "\x82\x08\x00\x09\x00\x03"
                                    "a/b\x00";
    struct buf b;

    (void)state;
    buf_init(&b, 1000);
    mqtt_write_connect(&b, slice_str("bob/dev"), slice_str("bob"), slice_str("pw"), 60);
    assert_bytes(&b, connect, sizeof(connect) - 1);
    mqtt_write_connect(&b, slice_str("id"), slice_str(""), slice_str(""), 0);
    assert_bytes(&b, anonymous, sizeof(anonymous) - 1);
    mqtt_write_subscribe(&b, 9, slice_str("a/b"), 0);
    assert_bytes(&b, subscribe, sizeof(subscribe) - 1);
    mqtt_write_pingreq(&b);
    assert_bytes(&b, "\xc0\x00", 2);
    mqtt_write_disconnect(&b);
    assert_bytes(&b, "\xe0\x00", 2);
    mqtt_write_publish_head(&b, slice_str("t"), 0, 2);
    buf_str(&b, "hi");
    assert_bytes(&b, "\x30\x05\x00\x01thi", 7);
    mqtt_write_publish_head(&b, slice_str("t"), 0x0102, 2);
    buf_str(&b, "hi");
    assert_bytes(&b, "\x32\x07\x00\x01t\x01\x02hi", 9);
}

/* Payload sizes around the borders of the remaining length, section 2.2.3. */
static void test_publish_of_every_length_class(void **state)
{
    static const size_t sizes[] = {0, 100, 123, 124, 16379, 16380, 16381, 300000};

    (void)state;
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct buf b;
        struct mqtt_packet packet;
        struct mqtt_publish publish;
        size_t used;

        buf_init(&b, PACKET_MAX);
        mqtt_write_publish_head(&b, slice_str("t"), 7, sizes[i]);
        for (size_t n = 0; n < sizes[i]; n++)
            buf_char(&b, 'x');
        buf_str(&b, "\xd0"); /* the next packet has begun */
        assert_int_equal(mqtt_next(buf_slice(&b), PACKET_MAX, &packet, &used), MQTT_WHOLE);
        assert_int_equal(used, b.length - 1);
        assert_int_equal(packet.type, MQTT_PUBLISH);
        assert_true(mqtt_read_publish(&packet, &publish));
        assert_int_equal(publish.payload.length, sizes[i]);
        assert_int_equal(publish.packet_id, 7);
        assert_int_equal(publish.qos, 1);
        assert_true(slice_equal(publish.topic, slice_str("t")));
        buf_finish(&b);
    }
}

static void test_partial_packets_wait(void **state)
{
    struct buf b;
    struct mqtt_packet packet;
    size_t used;

    (void)state;
    buf_init(&b, 1000);
    mqtt_write_publish_head(&b, slice_str("topic"), 1, 200);
    for (int i = 0; i < 200; i++)
        buf_char(&b, 'x');
    for (size_t n = 0; n < b.length; n++) {
        char *copy = malloc(n + 1); /* exactly n bytes, so that a sanitizer sees reads beyond */

        assert_non_null(copy);
        memcpy(copy, b.data, n);
        assert_int_equal(mqtt_next(slice_of(copy, n), PACKET_MAX, &packet, &used), MQTT_PARTIAL);
        assert_int_equal(used, n < 3 ? 0 : b.length);
        free(copy);
    }
    buf_finish(&b);
}

static void test_refuses_bad_packets(void **state)
{
    static const struct {
        const char *bytes;
        size_t length;
    } publishes[] = {
        {"\x30\x01\x00", 3},             /* no room for the topic's length */
        {"\x30\x03\x00\x02t", 5},        /* topic longer than the packet */
        {"\x32\x04\x00\x01t\x00", 6},    /* half a packet id */
        {"\x34\x05\x00\x01t\x00\x01", 7} /* QoS 2 */
    };
    struct mqtt_packet packet;
    struct mqtt_publish publish;
    size_t used;
    uint8_t code;
    uint16_t id;

    (void)state;
    /* five bytes of length */
    assert_int_equal(mqtt_next(slice_of("\x30\xff\xff\xff\xff\x01", 6), PACKET_MAX, &packet, &used),
                     MQTT_BAD);
    /* larger than allowed: refused before it has come */
    assert_int_equal(mqtt_next(slice_of("\x30\xff\x7f", 3), 100, &packet, &used), MQTT_BAD);
    for (size_t i = 0; i < sizeof(publishes) / sizeof(publishes[0]); i++) {
        struct slice bytes = slice_of(publishes[i].bytes, publishes[i].length);

        assert_int_equal(mqtt_next(bytes, PACKET_MAX, &packet, &used), MQTT_WHOLE);
        assert_false(mqtt_read_publish(&packet, &publish));
    }
    assert_false(mqtt_read_connack(slice_of("\x00", 1), &code));
    assert_false(mqtt_read_puback(slice_of("\x00\x01\x02", 3), &id));
    assert_false(mqtt_read_suback(slice_of("\x00\x01", 2), &id, &code));
}

static void test_reads_answers(void **state)
{
    uint8_t code;
    uint16_t id;

    (void)state;
    assert_true(mqtt_read_connack(slice_of("\x00\x05", 2), &code));
    assert_int_equal(code, 5);
    assert_true(mqtt_read_puback(slice_of("\x12\x34", 2), &id));
    assert_int_equal(id, 0x1234);
    assert_true(mqtt_read_suback(slice_of("\x00\x09\x80", 3), &id, &code));
    assert_int_equal(id, 9);
    assert_int_equal(code, 0x80);
}

static void test_mqtt_5_has_properties(void **state)
{
    static const char connect[] = "\x10\x15\x00\x04MQTT\x05\xc2\x00\x3c\x00\x00\x02id\x00\x01"
                                  "b\x00\x01p";
    static const char connack[] = "\x00\x87\x0a\x22\x00\x0a\x1f\x00\x01x\x21\x00\x14";
    struct buf b;
    uint8_t code = 0;
    uint16_t receive_maximum = 0;
    struct slice payload = slice_of("\x03\x1f\x00\x00hello", 9);

    (void)state;
    buf_init(&b, 1000);
    mqtt_write_connect_5(&b, slice_str("id"), slice_str("b"), slice_str("p"), 60);
    assert_bytes(&b, connect, sizeof(connect) - 1);
    assert_true(
        mqtt_read_connack_5(slice_of(connack, sizeof(connack) - 1), &code, &receive_maximum));
    assert_int_equal(code, 0x87);
    assert_int_equal(receive_maximum, 20);
    assert_true(mqtt_read_connack_5(slice_of("\x00\x00\x00", 3), &code, &receive_maximum));
    assert_int_equal(receive_maximum, UINT16_MAX);
    for (size_t length = 0; length < sizeof(connack) - 1; length++)
        assert_false(mqtt_read_connack_5(slice_of(connack, length), &code, &receive_maximum));
    assert_false(mqtt_read_connack_5(slice_of("\x00\x00\x01\x7f", 4), &code, &receive_maximum));
    assert_true(mqtt_skip_properties(&payload));
    assert_true(slice_equal(payload, slice_str("hello")));
    payload = slice_of("\x05x", 2);
    assert_false(mqtt_skip_properties(&payload));
    payload = slice_of("\xff\xff\xff\xff\x01", 5);
    assert_false(mqtt_skip_properties(&payload));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_writes_packets),
        cmocka_unit_test(test_publish_of_every_length_class),
        cmocka_unit_test(test_partial_packets_wait),
        cmocka_unit_test(test_refuses_bad_packets),
        cmocka_unit_test(test_reads_answers),
        cmocka_unit_test(test_mqtt_5_has_properties),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
