/* SPDX-License-Identifier: MIT */
/* buf_test.c - growth, the ceiling, sticky failure, numbers and JSON strings. */
#include "unit/unit.h"

#include "base/buf.h"

#include <limits.h>
#include <stdlib.h>

static void assert_content(const struct buf *b, const char *expected)
{
    assert_false(b->failed);
    assert_int_equal(b->length, strlen(expected));
    assert_string_equal(b->data, expected);
}

static void test_appends_and_terminates(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 100);
    assert_null(b.data);
    buf_str(&b, "ab");
    buf_char(&b, 'c');
    buf_slice_put(&b, slice_str("de"));
    buf_slice_put(&b, slice_of(NULL, 0));
    buf_printf(&b, "-%d-%s", 7, "x");
    assert_content(&b, "abcde-7-x");
    buf_consume(&b, 5);
    assert_content(&b, "-7-x");
    buf_consume(&b, 0);
    buf_consume(&b, 4);
    assert_content(&b, "");
    buf_finish(&b);
}

static void test_ceiling_is_exact_and_failure_sticks(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 5);
    buf_str(&b, "12345");
    assert_content(&b, "12345");
    buf_char(&b, '6');
    assert_true(b.failed);
    buf_str(&b, "");
    assert_true(b.failed);
    assert_null(buf_reserve(&b, 0));
    assert_int_equal(b.length, 5);
    buf_reset(&b);
    assert_false(b.failed);
    buf_str(&b, "ok");
    assert_content(&b, "ok");
    buf_printf(&b, "%s", "toolong");
    assert_true(b.failed);
    assert_null(buf_detach(&b));
    assert_false(b.failed); /* detaching leaves an empty buffer behind */
    buf_finish(&b);
}

static void test_reserve_refuses_absurd_sizes(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 1000);
    buf_str(&b, "x");
    assert_null(buf_reserve(&b, SIZE_MAX));
    buf_reset(&b);
    assert_null(buf_reserve(&b, 1001));
    buf_reset(&b);
    assert_non_null(buf_reserve(&b, 1000));
    buf_finish(&b);
}

static void test_reserve_then_count(void **state)
{
    struct buf b;
    char *to;

    (void)state;
    buf_init(&b, 1 << 20);
    to = buf_reserve(&b, 70000);
    assert_non_null(to);
    memset(to, 'x', 70000);
    b.length += 70000;
    buf_char(&b, 'y');
    assert_int_equal(b.length, 70001);
    assert_int_equal(b.data[69999], 'x');
    assert_int_equal(b.data[70000], 'y');
    assert_int_equal(b.data[70001], '\0');
    buf_finish(&b);
}

static void test_detach(void **state)
{
    struct buf b;
    char *text;

    (void)state;
    buf_init(&b, 10);
    text = buf_detach(&b);
    assert_string_equal(text, "");
    free(text);
    buf_str(&b, "kept");
    text = buf_detach(&b);
    assert_string_equal(text, "kept");
    free(text);
    assert_int_equal(b.length, 0);
    buf_str(&b, "again");
    assert_content(&b, "again");
    buf_finish(&b);
}

static void test_numbers(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 200);
    buf_u64(&b, 0);
    buf_char(&b, ' ');
    buf_u64(&b, UINT64_MAX);
    buf_char(&b, ' ');
    buf_i64(&b, INT64_MIN);
    buf_char(&b, ' ');
    buf_i64(&b, -1);
    buf_char(&b, ' ');
    buf_i64(&b, INT64_MAX);
    assert_content(&b, "0 18446744073709551615 -9223372036854775808 -1 9223372036854775807");
    buf_reset(&b);
    buf_le8(&b, 0xfe);
    buf_le16(&b, 0x1234);
    buf_le32(&b, 0x89abcdef);
    buf_le64(&b, UINT64_C(0x0102030405060708));
    assert_int_equal(b.length, 15);
    assert_memory_equal(b.data, "\xfe\x34\x12\xef\xcd\xab\x89\x08\x07\x06\x05\x04\x03\x02\x01", 15);
    buf_finish(&b);
}

static void test_json_strings(void **state)
{
    static const struct {
        const char *in;
        size_t length;
        const char *out;
    } cases[] = {
        {"", 0, "\"\""},
        {"plain", 5, "\"plain\""},
        {"\"", 1, "\"\\\"\""},
        {"\\", 1, "\"\\\\\""},
        {"a/b", 3, "\"a/b\""},
        {"\b\f\n\r\t", 5, "\"\\b\\f\\n\\r\\t\""},
        {"\0\x01\x1f\x7f", 4, "\"\\u0000\\u0001\\u001f\x7f\""},
        {"12345678\"12345678", 17, "\"12345678\\\"12345678\""},
        {"1234567\n\n234567812345678", 24, "\"1234567\\n\\n234567812345678\""},
        {"h\xc3\xa9 \xf0\x9f\x91\x8d \xe4\xb8\xad\xe6\x96\x87", 15,
         "\"h\xc3\xa9 \xf0\x9f\x91\x8d \xe4\xb8\xad\xe6\x96\x87\""},
    };
    struct buf b;

    (void)state;
    buf_init(&b, 200);
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        buf_reset(&b);
        buf_json(&b, slice_of(cases[i].in, cases[i].length));
        assert_content(&b, cases[i].out);
    }
    buf_finish(&b);
}

/* The fast path looks at eight bytes at a time: every byte value in every place of a run. */
static void test_json_escapes_every_byte_everywhere(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 200);
    for (unsigned value = 0; value < 256; value++) {
        bool escaped = value < 0x20 || value == '"' || value == '\\';

        for (size_t place = 0; place < 20; place++) {
            char text[20];

            memset(text, 'x', sizeof text);
            text[place] = (char)value;
            buf_reset(&b);
            buf_json(&b, slice_of(text, sizeof text));
            assert_false(b.failed);
            if (escaped) {
                assert_true(b.length > sizeof text + 2);
                assert_int_equal(b.data[1 + place], '\\');
            } else {
                assert_int_equal(b.length, sizeof text + 2);
                assert_memory_equal(b.data + 1, text, sizeof text);
            }
        }
    }
    buf_finish(&b);
}

static void test_json_keys(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 100);
    buf_char(&b, '{');
    buf_json_key(&b, "a");
    buf_u64(&b, 1);
    buf_json_key(&b, "b");
    buf_char(&b, '{');
    buf_json_key(&b, "c");
    buf_str(&b, "{}");
    buf_json_key(&b, "d");
    buf_str(&b, "[]}}");
    assert_content(&b, "{\"a\":1,\"b\":{\"c\":{},\"d\":[]}}");
    buf_finish(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_appends_and_terminates),
        cmocka_unit_test(test_ceiling_is_exact_and_failure_sticks),
        cmocka_unit_test(test_reserve_refuses_absurd_sizes),
        cmocka_unit_test(test_reserve_then_count),
        cmocka_unit_test(test_detach),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_json_strings),
        cmocka_unit_test(test_json_escapes_every_byte_everywhere),
        cmocka_unit_test(test_json_keys),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
