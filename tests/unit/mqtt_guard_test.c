/* SPDX-License-Identifier: MIT */
/* mqtt_guard_test.c - which MQTT may pass the front door; every stream is fed in pieces of every
 * size. */
#include "unit/unit.h"

#include "door/mqtt_guard.h"
#include "wire/limits.h"

#include <stdio.h>
#include <stdlib.h>

#define BYTES(literal) slice_of(literal, sizeof(literal) - 1)

static void test_connects(void **state)
{
    static const struct {
        struct slice bytes;
        enum mqtt_verdict verdict;
        const char *client_id;
        unsigned level;
    } cases[] = {
        {{"\x10\x10\0\4MQTT\4\2\0\x3c\0\4a/b1", 18}, MQTT_FINE, "a/b1", 4},
        {{"\x10\x11\0\4MQTT\5\2\0\x3c\0\0\4a/b1", 19}, MQTT_FINE, "a/b1", 5},
        {{"\x10\x16\0\4MQTT\5\2\0\x3c\5\x11\0\0\0\xa\0\4a/b1", 24}, MQTT_FINE, "a/b1", 5},
        {{"\x10\x0e\0\6MQIsdp\3\2\0\x3c\0\0", 16}, MQTT_FINE, "", 3},
        {{"\x10\x0f\0\4MQTT\4\2\0\x3c\0\3a/b", 17}, MQTT_FINE, "a/b", 4},
        {{"\x10", 1}, MQTT_PARTIAL, NULL, 0},
        {{"\x10\x80", 2}, MQTT_PARTIAL, NULL, 0},
        {{"\x10\x10\0\4MQTT", 8}, MQTT_PARTIAL, NULL, 0},
        {{"\x10\x80\x80\x80\x80\x01", 6}, MQTT_MALFORMED, NULL, 0},
        {{"\x10\x80\x80\x80\x7f", 5}, MQTT_TOO_LARGE, NULL, 0},
        {{"\x10\xff\x3f", 3}, MQTT_TOO_LARGE, NULL, 0}, /* 3 + 8191 bytes */
        {{"\x10\xfd\x3f", 3}, MQTT_PARTIAL, NULL, 0},   /* 8192 */
        {{"\x11\x10\0\4MQTT\4\2\0\x3c\0\4a/b1", 18}, MQTT_MALFORMED, NULL, 0},
        {{"\x30\x03\0\1a", 5}, MQTT_MALFORMED, NULL, 0},
        {{"\xc0\0", 2}, MQTT_MALFORMED, NULL, 0},
        {{"GET / HTTP/1.1", 14}, MQTT_MALFORMED, NULL, 0},
        {{"\x10\0", 2}, MQTT_MALFORMED, NULL, 0},
        {{"\x10\x10\0\4MQTT\4\2\0\x3c\0\5a/b1", 18}, MQTT_MALFORMED, NULL, 0}, /* id too long */
        {{"\x10\x10\0\4HTTP\4\2\0\x3c\0\4a/b1", 18}, MQTT_MALFORMED, NULL, 0},
        {{"\x10\x0c\0\4MQTT\5\2\0\x3c\x7f\0", 14}, MQTT_MALFORMED, NULL, 0}, /* properties */
        {{"\x10\x0c\0\4MQTT\5\2\0\x3c\x80\x80", 14}, MQTT_MALFORMED, NULL, 0},
    };
    (void)state;

    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct mqtt_connect connect;

        assert_int_equal(mqtt_connect_read(cases[i].bytes, &connect), cases[i].verdict);
        if (cases[i].verdict != MQTT_FINE)
            continue;
        assert_int_equal(connect.length, cases[i].bytes.length);
        assert_int_equal(connect.level, cases[i].level);
        assert_true(slice_equal(connect.client_id, slice_str(cases[i].client_id)));
    }
}

/* Feeds `step` bytes at a time until a verdict other than MQTT_FINE; `out` has what may pass. */
static enum mqtt_verdict feed(struct slice bytes, size_t step, struct buf *out)
{
    enum mqtt_verdict verdict = MQTT_FINE;
    struct mqtt_guard g = {0};

    while (bytes.length > 0 && verdict == MQTT_FINE) {
        size_t n = bytes.length < step ? bytes.length : step;

        verdict = mqtt_guard_feed(&g, slice_of(bytes.data, n), out);
        bytes = slice_of(bytes.data + n, bytes.length - n);
    }
    return verdict;
}

static void test_streams(void **state)
{
    static const struct {
        struct slice bytes;
        enum mqtt_verdict verdict;
        size_t passed; /* bytes; SIZE_MAX: does not matter */
    } cases[] = {
        {{"\xc0\0\x30\3\0\1a\xc0\0", 9}, MQTT_FINE, 9},
        {{"\x82\6\0\1\0\1a\0\x40\2\0\1\xf0\0", 14}, MQTT_FINE, 14},
        {{"\xc0\x80\x80\x80\0", 5}, MQTT_FINE, 5}, /* longer than need be: the broker's business */
        {{"\x30\x80", 2}, MQTT_FINE, 0},           /* held until its length is known */
        {{"\x30\x05\0", 3}, MQTT_FINE, 3},
        {{"\xc0\0\xe0\0", 4}, MQTT_ENDED, 4},
        {{"\xe0\2\4\0", 4}, MQTT_ENDED, 4},
        {{"\xe0\0\xc0\0\x30\3\0\1a", 9}, MQTT_ENDED, 2},
        {{"\xe0\2\4\0\xc0\0", 6}, MQTT_ENDED, 4},
        {{"\xc0\0\x10\2", 4}, MQTT_MALFORMED, SIZE_MAX}, /* a second CONNECT */
        {{"\0\0", 2}, MQTT_MALFORMED, 0},
        {{"\x20\2\0\0", 4}, MQTT_MALFORMED, 0},
        {{"\x90\3\0\1\0", 5}, MQTT_MALFORMED, 0},
        {{"\xb0\2\0\1", 4}, MQTT_MALFORMED, 0},
        {{"\xd0\0", 2}, MQTT_MALFORMED, 0},
        {{"\x30\xff\xff\xff\xff\1", 6}, MQTT_MALFORMED, 0},
        {{"\x30\xff\xff\xff\x7f", 5}, MQTT_TOO_LARGE, 0},
        {{"\x30\x80\x80\x40", 4}, MQTT_TOO_LARGE, 0}, /* 1 MiB of body, and the type */
    };
    (void)state;

    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        for (size_t step = 1; step <= cases[i].bytes.length; step++) {
            struct buf out;

            buf_init(&out, 64);
            assert_int_equal(feed(cases[i].bytes, step, &out), cases[i].verdict);
            if (cases[i].passed != SIZE_MAX)
                assert_int_equal(out.length, cases[i].passed);
            assert_true(out.length <= cases[i].bytes.length);
            assert_memory_equal(out.length ? out.data : "", cases[i].bytes.data, out.length);
            buf_finish(&out);
        }
    }
}

static void test_the_largest_packet_passes(void **state)
{
    static const size_t body = PACKET_MAX_BYTES - 1;
    char *packet = calloc(1, 4 + body);
    struct buf out;
    (void)state;

    assert_non_null(packet);
    memcpy(packet, "\x30\xff\xff\x3f", 4);
    buf_init(&out, 2 * PACKET_MAX_BYTES);
    assert_int_equal(feed(slice_of(packet, 4 + body), 1500, &out), MQTT_FINE);
    assert_int_equal(out.length, 4 + body);
    buf_finish(&out);
    free(packet);
}

static void test_nothing_passes_after_the_end(void **state)
{
    struct mqtt_guard g = {0};
    struct buf out;
    (void)state;

    buf_init(&out, 64);
    assert_int_equal(mqtt_guard_feed(&g, BYTES("\xe0\0"), &out), MQTT_ENDED);
    assert_int_equal(mqtt_guard_feed(&g, BYTES("\x30\3\0\1a"), &out), MQTT_ENDED);
    assert_int_equal(out.length, 2);
    buf_finish(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_connects),
        cmocka_unit_test(test_streams),
        cmocka_unit_test(test_the_largest_packet_passes),
        cmocka_unit_test(test_nothing_passes_after_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
