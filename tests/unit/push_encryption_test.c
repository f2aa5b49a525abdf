/* SPDX-License-Identifier: MIT */
/* push_encryption_test.c - Web Push encryption: the example of RFC 8291, section 5. */
#include "unit/unit.h"

#include "base/buf.h"
#include "push/encryption.h"
#include "token/jwt.h"

#define UA_PUBLIC                                                                                  \
    "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
#define AUTH "BTBZMqHH6r4Tts7J_aSIgg"

static void decode(const char *text, uint8_t *out, size_t length)
{
    struct buf bytes;

    buf_init(&bytes, length);
    assert_true(base64url_decode(&bytes, slice_str(text)));
    assert_int_equal(bytes.length, length);
    memcpy(out, bytes.data, length);
    buf_finish(&bytes);
}

static void test_the_example_of_the_rfc(void **state)
{
    static const char text[] = "When I grow up, I want to be a watermelon";
    uint8_t scalar[ENCRYPTION_SCALAR_LENGTH], salt[ENCRYPTION_SALT_LENGTH];
    struct encryption_receiver receiver;
    struct buf body, encoded;

    (void)state;
    decode("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw", scalar, sizeof scalar);
    decode("DGv6ra1nlYgDCS1FRnbzlw", salt, sizeof salt);
    assert_true(encryption_receiver_parse(&receiver, slice_str(UA_PUBLIC), slice_str(AUTH)));
    buf_init(&body, 4096);
    buf_init(&encoded, 8192);
    assert_true(encryption_seal_with(&receiver, slice_str(text), scalar, salt, &body));
    assert_int_equal(body.length, sizeof text - 1 + ENCRYPTION_OVERHEAD_BYTES);
    base64url_encode(&encoded, buf_slice(&body));
    assert_string_equal(
        encoded.data,
        "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLoc"
        "InmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLV"
        "WGNWQexSgSxsj_Qulcy4a-fN");
    buf_finish(&body);
    buf_finish(&encoded);
}

static void test_no_two_are_the_same(void **state)
{
    struct encryption_receiver receiver;
    struct buf one, two;

    (void)state;
    assert_true(encryption_receiver_parse(&receiver, slice_str(UA_PUBLIC), slice_str(AUTH)));
    buf_init(&one, 4096);
    buf_init(&two, 4096);
    assert_true(encryption_seal(&receiver, slice_str("x"), &one));
    assert_true(encryption_seal(&receiver, slice_str("x"), &two));
    assert_int_equal(one.length, two.length);
    assert_memory_not_equal(one.data, two.data, ENCRYPTION_SALT_LENGTH);
    assert_memory_not_equal(one.data + 21, two.data + 21, ENCRYPTION_POINT_LENGTH);
    buf_finish(&one);
    buf_finish(&two);
}

static void test_bounds(void **state)
{
    static const char text[4096];
    struct encryption_receiver receiver;
    struct buf body;

    (void)state;
    assert_true(encryption_receiver_parse(&receiver, slice_str(UA_PUBLIC), slice_str(AUTH)));
    buf_init(&body, 4096);
    assert_true(encryption_seal(&receiver, slice_of(text, 3993), &body));
    assert_int_equal(body.length, 4096);
    buf_reset(&body);
    assert_false(encryption_seal(&receiver, slice_of(text, 3994), &body));
    buf_reset(&body);
    assert_false(encryption_seal(&receiver, slice_of(text, 4096), &body));
    buf_finish(&body);
}

static void test_what_browsers_do_not_give(void **state)
{
    static const char not_on_curve[] =
        "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw8";
    static const char compressed[] = "AiVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcx";
    struct encryption_receiver r;

    (void)state;
    assert_false(encryption_receiver_parse(&r, slice_str(not_on_curve), slice_str(AUTH)));
    assert_false(encryption_receiver_parse(&r, slice_str(compressed), slice_str(AUTH)));
    assert_false(encryption_receiver_parse(&r, slice_str(UA_PUBLIC), slice_str("BTBZ")));
    assert_false(encryption_receiver_parse(&r, slice_str(""), slice_str(AUTH)));
    assert_false(encryption_receiver_parse(&r, slice_str(UA_PUBLIC), slice_str("")));
    assert_false(encryption_receiver_parse(&r, slice_str(UA_PUBLIC "AA"), slice_str(AUTH)));
    assert_true(encryption_receiver_parse(&r, slice_str(UA_PUBLIC "="), slice_str(AUTH "==")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_example_of_the_rfc),
        cmocka_unit_test(test_no_two_are_the_same),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_what_browsers_do_not_give),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
