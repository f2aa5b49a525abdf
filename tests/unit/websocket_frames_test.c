/* SPDX-License-Identifier: MIT */
/* websocket_frames_test.c - frames of clients, in pieces of every size, and those of the server. */
#include "unit/unit.h"

#include "door/frames.h"

#include <stdlib.h>

struct seen {
    struct buf data;
    struct buf controls; /* opcode and payload of each */
};

static void on_data(void *owner, struct slice bytes)
{
    buf_slice_put(&((struct seen *)owner)->data, bytes);
}

static void on_control(void *owner, enum websocket_opcode opcode, struct slice payload)
{
    buf_char(&((struct seen *)owner)->controls, (char)('0' + opcode));
    buf_slice_put(&((struct seen *)owner)->controls, payload);
}

static const struct frames_handlers handlers = {on_data, on_control};

/* Appends a masked frame. */
static void put(struct buf *b, unsigned char first, struct slice payload)
{
    static const char mask[4] = {1, 2, 3, 4};

    buf_char(b, (char)first);
    if (payload.length < 126) {
        buf_char(b, (char)(0x80 | payload.length));
    } else if (payload.length < 1 << 16) {
        buf_char(b, (char)0xfe);
        buf_char(b, (char)(payload.length >> 8));
        buf_char(b, (char)payload.length);
    } else {
        buf_bytes(b, "\xff\0\0\0\0\0", 6);
        for (int shift = 16; shift >= 0; shift -= 8)
            buf_char(b, (char)(payload.length >> shift));
    }
    buf_bytes(b, mask, sizeof mask);
    for (size_t i = 0; i < payload.length; i++)
        buf_char(b, (char)(payload.data[i] ^ mask[i % 4]));
}

/* Feeds `step` bytes at a time. */
static enum websocket_code feed(struct slice bytes, size_t step, struct seen *seen)
{
    enum websocket_code code = WEBSOCKET_FINE;
    struct frames f = {0};

    buf_init(&seen->data, 1 << 20);
    buf_init(&seen->controls, 4096);
    while (bytes.length > 0 && code == WEBSOCKET_FINE) {
        size_t n = bytes.length < step ? bytes.length : step;

        code = frames_feed(&f, slice_of(bytes.data, n), &handlers, seen);
        bytes = slice_of(bytes.data + n, bytes.length - n);
    }
    if (code == WEBSOCKET_FINE)
        assert_null(f.reader); /* nothing is held between frames */
    frames_finish(&f);
    return code;
}

static void finish(struct seen *seen)
{
    buf_finish(&seen->data);
    buf_finish(&seen->controls);
}

static void test_messages_are_a_stream(void **state)
{
    struct buf input;
    struct seen seen;
    (void)state;

    buf_init(&input, 1 << 20);
    put(&input, 0x82, slice_str("one"));
    put(&input, 0x02, slice_str("two"));
    put(&input, 0x89, slice_str("ping"));
    put(&input, 0x00, slice_str(""));
    put(&input, 0x80, slice_str("three"));
    put(&input, 0x8a, slice_str(""));
    put(&input, 0x82, slice_str(""));
    put(&input, 0x82, slice_str("four"));
    put(&input, 0x88, slice_of("\x03\xe8", 2));
    put(&input, 0x82, slice_str("late"));
    for (size_t step = 1; step <= input.length; step++) {
        assert_int_equal(feed(buf_slice(&input), step, &seen), WEBSOCKET_FINE);
        assert_string_equal(seen.data.data, "onetwothreefour");
        assert_string_equal(seen.controls.data, "9ping:8\x03\xe8");
        finish(&seen);
    }
    buf_finish(&input);
}

static void test_large_frames(void **state)
{
    static const size_t sizes[] = {125, 126, 65535, 65536, 400000};
    char *payload = malloc(400000);
    (void)state;

    assert_non_null(payload);
    for (size_t i = 0; i < 400000; i++)
        payload[i] = (char)(i * 7 + i / 251);
    for (size_t i = 0; i < ARRAY_LENGTH(sizes); i++) {
        struct buf input;
        struct seen seen;

        buf_init(&input, 1 << 20);
        put(&input, 0x82, slice_of(payload, sizes[i]));
        for (size_t step = 1000; step <= 1 << 20; step *= 4) {
            assert_int_equal(feed(buf_slice(&input), step, &seen), WEBSOCKET_FINE);
            assert_int_equal(seen.data.length, sizes[i]);
            assert_memory_equal(seen.data.data, payload, sizes[i]);
            finish(&seen);
        }
        buf_finish(&input);
    }
    free(payload);
}

static void test_refused_frames(void **state)
{
    static const struct {
        struct slice bytes;
        enum websocket_code code;
    } cases[] = {
        {{"\x82\x03"
          "abc",
          5},
         WEBSOCKET_PROTOCOL_ERROR}, /* not masked */
        {{"\x82\x00", 2}, WEBSOCKET_PROTOCOL_ERROR},
        {{"\x81\x80\0\0\0\0", 6}, WEBSOCKET_UNSUPPORTED}, /* text */
        {{"\x01\x80\0\0\0\0", 6}, WEBSOCKET_UNSUPPORTED},
        {{"\x80\x80\0\0\0\0", 6}, WEBSOCKET_PROTOCOL_ERROR}, /* continues nothing */
        {{"\x02\x80\0\0\0\0\x82\x80\0\0\0\0", 12}, WEBSOCKET_PROTOCOL_ERROR},
        {{"\x02\x80\0\0\0\0\x81\x80\0\0\0\0", 12}, WEBSOCKET_PROTOCOL_ERROR},
        {{"\xc2\x80\0\0\0\0", 6}, WEBSOCKET_PROTOCOL_ERROR}, /* compressed */
        {{"\xa2\x80\0\0\0\0", 6}, WEBSOCKET_PROTOCOL_ERROR},
        {{"\x83\x80\0\0\0\0", 6}, WEBSOCKET_PROTOCOL_ERROR}, /* no such opcode */
        {{"\x8f\x80\0\0\0\0", 6}, WEBSOCKET_PROTOCOL_ERROR},
        {{"\x09\x80\0\0\0\0", 6}, WEBSOCKET_PROTOCOL_ERROR},       /* a ping in parts */
        {{"\x89\xfe\0\x7e\0\0\0\0", 8}, WEBSOCKET_PROTOCOL_ERROR}, /* a long ping */
        {{"\x82\xfe\0\x7d\0\0\0\0", 8}, WEBSOCKET_PROTOCOL_ERROR}, /* a length that is too long */
        {{"\x82\xff\x80\0\0\0\0\0\0\0", 10}, WEBSOCKET_PROTOCOL_ERROR},
    };
    (void)state;

    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        for (size_t step = 1; step <= cases[i].bytes.length; step++) {
            struct seen seen;

            assert_int_equal(feed(cases[i].bytes, step, &seen), cases[i].code);
            assert_int_equal(seen.controls.length, 0);
            finish(&seen);
        }
    }
}

static void test_close_codes(void **state)
{
    static const struct {
        struct slice payload;
        unsigned code;
    } cases[] = {
        {{"", 0}, WEBSOCKET_NO_STATUS},
        {{"\x03", 1}, WEBSOCKET_PROTOCOL_ERROR},
        {{"\x03\xe8", 2}, 1000},
        {{"\x03\xe9 bye", 6}, 1001},
        {{"\x0b\xb8", 2}, 3000},
        {{"\x03\xed", 2}, WEBSOCKET_PROTOCOL_ERROR}, /* 1005 */
        {{"\x03\xee", 2}, WEBSOCKET_PROTOCOL_ERROR}, /* 1006 */
        {{"\0\0", 2}, WEBSOCKET_PROTOCOL_ERROR},
        {{"\xff\xff", 2}, WEBSOCKET_PROTOCOL_ERROR},
        {{"\x03\xe8\xff", 3}, WEBSOCKET_INVALID_DATA},
    };
    (void)state;

    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++)
        assert_int_equal(frames_close_code(cases[i].payload), cases[i].code);
}

static void test_frames_of_the_server(void **state)
{
    struct frame_writer *w = frame_writer_create();
    char *large = calloc(1, 70000);
    struct buf out;
    (void)state;

    assert_non_null(large);
    buf_init(&out, 1 << 20);
    frame_writer_put(w, &out, WEBSOCKET_BINARY, slice_str("abc"));
    frame_writer_put(w, &out, WEBSOCKET_PING, slice_of(NULL, 0));
    frame_writer_close(w, &out, WEBSOCKET_TOO_BIG, "big");
    assert_int_equal(out.length, 14);
    assert_memory_equal(out.data,
                        "\x82\3abc\x89\0\x88\5\x03\xf1"
                        "big",
                        14);
    buf_reset(&out);
    frame_writer_put(w, &out, WEBSOCKET_BINARY, slice_of(large, 70000));
    assert_int_equal(out.length, 70010);
    assert_memory_equal(out.data, "\x82\x7f\0\0\0\0\0\1\x11\x70", 10);
    buf_finish(&out);
    frame_writer_destroy(w);
    free(large);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_messages_are_a_stream), cmocka_unit_test(test_large_frames),
        cmocka_unit_test(test_refused_frames),        cmocka_unit_test(test_close_codes),
        cmocka_unit_test(test_frames_of_the_server),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
