/* SPDX-License-Identifier: MIT */
/* base64url_test.c - RFC 4648 vectors, every length, and the many texts that mean the same bytes
 * elsewhere and must be refused here. */
#include "unit/unit.h"

#include "base/buf.h"
#include "token/jwt.h"

static void test_vectors(void **state)
{
    static const struct {
        const char *bytes, *text;
    } cases[] = {
        {"", ""},           {"f", "Zg"},          {"fo", "Zm8"},          {"foo", "Zm9v"},
        {"foob", "Zm9vYg"}, {"fooba", "Zm9vYmE"}, {"foobar", "Zm9vYmFy"}, {"\xff\xfe\xfd", "__79"},
        {"\xfb\xf0", "-_A"}};
    struct buf b;

    (void)state;
    buf_init(&b, 100);
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        buf_reset(&b);
        base64url_encode(&b, slice_str(cases[i].bytes));
        assert_true(slice_equal(buf_slice(&b), slice_str(cases[i].text)));
        buf_reset(&b);
        assert_true(base64url_decode(&b, slice_str(cases[i].text)));
        assert_true(slice_equal(buf_slice(&b), slice_str(cases[i].bytes)));
    }
    buf_finish(&b);
}

static void test_refused(void **state)
{
    static const char *const cases[] = {
        "Z",
        "Zg==",
        "Zg=",
        "Zm8=",
        "=",
        "Zh",
        "Zv",
        "Zm9",
        "Zm+v",
        "Zm/v",
        "Zm9v ",
        " Zm9v",
        "Zm\n9v",
        "Zm9vZ",
        "Zm.9",
        "Zm9v\xc3\xa9",
        "\x80\x80\x80\x80",
        "Z@==",
    };
    struct buf b;

    (void)state;
    buf_init(&b, 100);
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        buf_reset(&b);
        if (base64url_decode(&b, slice_str(cases[i])))
            fail_msg("%s", cases[i]);
    }
    assert_false(base64url_decode(&b, slice_of("Zm\0v", 4)));
    buf_finish(&b);
}

static void test_every_length_and_the_ceiling(void **state)
{
    unsigned char bytes[70];
    struct buf text, back;

    (void)state;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (unsigned char)(i * 37 + 200);
    for (size_t n = 1; n <= sizeof bytes; n++) {
        buf_init(&text, 100);
        buf_init(&back, n);
        base64url_encode(&text, slice_of((char *)bytes, n));
        assert_int_equal(text.length, (n * 4 + 2) / 3);
        assert_true(base64url_decode(&back, buf_slice(&text)));
        assert_true(slice_equal(buf_slice(&back), slice_of((char *)bytes, n)));
        buf_finish(&back);
        if (n > 1) {
            buf_init(&back, n - 1);
            assert_false(base64url_decode(&back, buf_slice(&text)));
            buf_finish(&back);
        }
        buf_finish(&text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_every_length_and_the_ceiling),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
