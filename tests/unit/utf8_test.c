/* SPDX-License-Identifier: MIT */
/* utf8_test.c - every boundary of RFC 3629, every code point once, and cut or broken sequences. */
#include "unit/unit.h"

#include "base/utf8.h"

static const struct {
    const char *bytes;
    size_t length;
    int count; /* -1: invalid */
    size_t valid_prefix;
} cases[] = {
    {"", 0, 0, 0},
    {"a", 1, 1, 1},
    {"\0", 1, 1, 1},
    {"\x7f", 1, 1, 1},
    {"12345678", 8, 8, 8},
    {"12345678\xc3\xa9", 10, 9, 10},
    /* first and last of each length */
    {"\xc2\x80", 2, 1, 2},
    {"\xdf\xbf", 2, 1, 2},
    {"\xe0\xa0\x80", 3, 1, 3},
    {"\xef\xbf\xbf", 3, 1, 3},
    {"\xf0\x90\x80\x80", 4, 1, 4},
    {"\xf4\x8f\xbf\xbf", 4, 1, 4},
    /* around the surrogates */
    {"\xed\x9f\xbf", 3, 1, 3},
    {"\xee\x80\x80", 3, 1, 3},
    {"\xed\xa0\x80", 3, -1, 0},
    {"\xed\xbf\xbf", 3, -1, 0},
    {"\xed\xa0\xbd\xed\xb8\x80", 6, -1, 0}, /* a pair, as CESU-8 writes it */
    /* noncharacters are characters here */
    {"\xef\xbf\xbe", 3, 1, 3},
    {"\xef\xb7\x90", 3, 1, 3},
    {"\xef\xbb\xbf", 3, 1, 3}, /* byte order mark */
    /* overlong */
    {"\xc0\x80", 2, -1, 0},
    {"\xc0\xaf", 2, -1, 0},
    {"\xc1\xbf", 2, -1, 0},
    {"\xe0\x80\x80", 3, -1, 0},
    {"\xe0\x9f\xbf", 3, -1, 0},
    {"\xf0\x80\x80\x80", 4, -1, 0},
    {"\xf0\x8f\xbf\xbf", 4, -1, 0},
    {"\xf8\x88\x80\x80\x80", 5, -1, 0},
    {"\xfc\x84\x80\x80\x80\x80", 6, -1, 0},
    /* above U+10FFFF */
    {"\xf4\x90\x80\x80", 4, -1, 0},
    {"\xf5\x80\x80\x80", 4, -1, 0},
    {"\xf7\xbf\xbf\xbf", 4, -1, 0},
    {"\xfe", 1, -1, 0},
    {"\xff", 1, -1, 0},
    /* stray and missing continuation bytes */
    {"\x80", 1, -1, 0},
    {"\xbf", 1, -1, 0},
    {"a\x80z", 3, -1, 1},
    {"\xc3\xa9\xa9", 3, -1, 2},
    {"\xc3", 1, -1, 0},
    {"\xc3z", 2, -1, 0},
    {"\xe4\xb8", 2, -1, 0},
    {"\xe4\xb8z", 3, -1, 0},
    {"\xe4z\xad", 3, -1, 0},
    {"\xe4\xb8\xc3", 3, -1, 0},
    {"\xf0\x9f\x91", 3, -1, 0},
    {"\xf0\x9f\x91z", 4, -1, 0},
    {"\xf0\x9fz\x8d", 4, -1, 0},
    {"abcdefgh\xf0\x9f\x91", 11, -1, 8},
    {"abcdefghij\xffklmnopqrst", 21, -1, 10},
    /* real text */
    {"\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x92\xbb", 11, 3, 11}, /* woman, joiner, laptop */
    {"\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d", 8, 4, 8},
    {"\xe4\xb8\xad\xe6\x96\x87 text", 11, 7, 11},
};

static void test_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct slice s = slice_of(cases[i].bytes, cases[i].length);
        size_t count = 777;
        bool valid = utf8_count(s, &count);

        if (valid != (cases[i].count >= 0))
            fail_msg("case %zu: valid is %d", i, valid);
        if (count != (valid ? (size_t)cases[i].count : 777))
            fail_msg("case %zu: count is %zu", i, count);
        if (utf8_prefix(s, s.length).length != cases[i].valid_prefix)
            fail_msg("case %zu: prefix is %zu", i, utf8_prefix(s, s.length).length);
    }
}

static size_t encode(unsigned point, char out[4])
{
    if (point < 0x80) {
        out[0] = (char)point;
        return 1;
    }
    if (point < 0x800) {
        out[0] = (char)(0xc0 | point >> 6);
        out[1] = (char)(0x80 | (point & 0x3f));
        return 2;
    }
    if (point < 0x10000) {
        out[0] = (char)(0xe0 | point >> 12);
        out[1] = (char)(0x80 | (point >> 6 & 0x3f));
        out[2] = (char)(0x80 | (point & 0x3f));
        return 3;
    }
    out[0] = (char)(0xf0 | point >> 18);
    out[1] = (char)(0x80 | (point >> 12 & 0x3f));
    out[2] = (char)(0x80 | (point >> 6 & 0x3f));
    out[3] = (char)(0x80 | (point & 0x3f));
    return 4;
}

static void test_every_code_point(void **state)
{
    (void)state;
    for (unsigned point = 0; point < 0x120000; point++) {
        bool expected = point <= 0x10ffff && !(point >= 0xd800 && point <= 0xdfff);
        char bytes[4];
        size_t length = encode(point, bytes), count = 0;

        assert_int_equal(utf8_count(slice_of(bytes, length), &count), expected);
        assert_int_equal(count, expected);
    }
}

static void test_bad_byte_at_every_place_of_a_run(void **state)
{
    char text[40];
    size_t count;

    (void)state;
    for (size_t place = 0; place < sizeof text; place++) {
        memset(text, 'a', sizeof text);
        text[place] = (char)0xff;
        assert_false(utf8_count(slice_of(text, sizeof text), &count));
        assert_int_equal(utf8_prefix(slice_of(text, sizeof text), 100).length, place);
    }
}

static void test_prefix_cuts_no_code_point(void **state)
{
    struct slice s = slice_str("a\xc3\xa9\xe4\xb8\xad\xf0\x9f\x91\x8dz"); /* 1 + 2 + 3 + 4 + 1 */
    static const size_t expected[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 11, 11};

    (void)state;
    for (size_t max = 0; max < ARRAY_LENGTH(expected); max++) {
        struct slice prefix = utf8_prefix(s, max);

        assert_ptr_equal(prefix.data, s.data);
        assert_int_equal(prefix.length, expected[max]);
    }
    assert_int_equal(utf8_prefix(slice_of(NULL, 0), 5).length, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_every_code_point),
        cmocka_unit_test(test_bad_byte_at_every_place_of_a_run),
        cmocka_unit_test(test_prefix_cuts_no_code_point),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
