/* SPDX-License-Identifier: MIT */
/* json_test.c - what json_read_object() lets in, and members found in broken documents. */
#include "unit/unit.h"

#include "base/buf.h"
#include "wire/json.h"
#include "wire/limits.h"

static void test_reasons(void **state)
{
    static const struct {
        const char *text;
        const char *reason; /* NULL: accepted */
    } cases[] = {
        {"{}", NULL},
        {" { } \n", NULL},
        {"{\"a\":[1,2.5,true,null,\"\\ud83d\\ude00\"]}", NULL},
        {"{\"a\":\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[\\\"[[[[[[[[[[[[\"}", NULL},
        {"", "empty"},
        {" ", "not valid JSON"},
        {"[]", "not a JSON object"},
        {"1", "not valid JSON"},
        {"\"a\"", "not valid JSON"},
        {"{", "not valid JSON"},
        {"{}}", "not valid JSON"},
        {"{} {}", "not valid JSON"},
        {"{\"a\":1,}", "not valid JSON"},
        {"{a:1}", "not valid JSON"},
        {"{'a':1}", "not valid JSON"},
        {"{\"a\":NaN}", "not valid JSON"},
        {"{\"a\":01}", "not valid JSON"},
        {"{\"a\":\"\n\"}", "not valid JSON"},
        {"{\"a\":1}//", "not valid JSON"},
        {"\xef\xbb\xbf{}", "not valid JSON"},
        {"{\"a\":\"\\ud800\"}", "a surrogate without its other half is not a character"},
        {"{\"a\":\"\\ud800x\"}", "a surrogate without its other half is not a character"},
        {"{\"a\":\"\\udc00\\ud800\"}", "a surrogate without its other half is not a character"},
        {"{\"a\":\"\\ud800\\ud800\"}", "a surrogate without its other half is not a character"},
        {"{\"a\":\"\\u0000\"}", "the character U+0000 is not allowed"},
        {"{\"\\u0000\":1}", "the character U+0000 is not allowed"},
        {"{\"a\":1,\"a\":1}", "a member occurs twice in one object"},
        {"{\"a\":{\"b\":1,\"\\u0062\":2}}", "a member occurs twice in one object"},
        {"{\"a\":\"\xff\"}", "not valid UTF-8"},
        {"{\"a\":\"\xed\xa0\x80\"}", "not valid UTF-8"},
        {"{\"a\":\"\xc0\xaf\"}", "not valid UTF-8"},
        {"{\"a\":9223372036854775808}", "a number is out of range"},
        {"{\"a\":1e400}", "a number is out of range"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        const char *reason = NULL;
        json_t *root = json_read_object(slice_str(cases[i].text), &reason);

        if ((root == NULL) != (cases[i].reason != NULL))
            fail_msg("%s: accepted is %d", cases[i].text, root != NULL);
        if (cases[i].reason)
            assert_string_equal(reason, cases[i].reason);
        json_decref(root);
    }
}

static void test_raw_nul(void **state)
{
    const char *reason;

    (void)state;
    assert_null(json_read_object(slice_of("{\"a\":\"\0\"}", 9), &reason));
    assert_string_equal(reason, "the character U+0000 is not allowed");
    assert_null(json_read_object(slice_of("{}\0", 3), &reason));
}

/* `levels` arrays inside an object: levels + 1 deep. */
static void write_nested(struct buf *b, int levels)
{
    buf_reset(b);
    buf_str(b, "{\"a\":");
    for (int i = 0; i < levels; i++)
        buf_char(b, '[');
    for (int i = 0; i < levels; i++)
        buf_char(b, ']');
    buf_char(b, '}');
}

static void test_depth(void **state)
{
    const char *reason;
    struct buf b;
    json_t *root;

    (void)state;
    buf_init(&b, PAYLOAD_MAX_BYTES);
    write_nested(&b, JSON_MAX_DEPTH - 1);
    root = json_read_object(buf_slice(&b), &reason);
    assert_non_null(root);
    json_decref(root);
    write_nested(&b, JSON_MAX_DEPTH);
    assert_null(json_read_object(buf_slice(&b), &reason));
    assert_string_equal(reason, "nested too deeply");
    write_nested(&b, 400000);
    assert_null(json_read_object(buf_slice(&b), &reason));
    assert_string_equal(reason, "nested too deeply");
    buf_finish(&b);
}

static void test_length(void **state)
{
    const char *reason;
    struct buf b;
    json_t *root;

    (void)state;
    buf_init(&b, 2 * PAYLOAD_MAX_BYTES);
    buf_str(&b, "{}");
    while (b.length < PAYLOAD_MAX_BYTES)
        buf_char(&b, ' ');
    root = json_read_object(buf_slice(&b), &reason);
    assert_non_null(root);
    json_decref(root);
    buf_char(&b, ' ');
    assert_null(json_read_object(buf_slice(&b), &reason));
    assert_string_equal(reason, "longer than the largest packet");
    buf_finish(&b);
}

static void test_member_string(void **state)
{
    const char *reason;
    json_t *root = json_read_object(slice_str("{\"s\":\"x\",\"e\":\"\",\"n\":1}"), &reason);

    (void)state;
    assert_non_null(root);
    assert_true(slice_equal(json_member_string(root, "s"), slice_str("x")));
    assert_non_null(json_member_string(root, "e").data);
    assert_int_equal(json_member_string(root, "e").length, 0);
    assert_null(json_member_string(root, "n").data);
    assert_null(json_member_string(root, "missing").data);
    json_decref(root);
}

static void test_peek(void **state)
{
    static const struct {
        const char *text;
        const char *value; /* NULL: not found */
    } cases[] = {
        {"{\"id\":\"a\"}", "a"},
        {" { \"id\" : \"a\" , ", "a"},
        {"{\"text\":\"id\",\"id\":\"b\"}", "b"},
        {"{\"text\":\"\\\"id\\\":\\\"x\\\"\",\"id\":\"c\"}", "c"},
        {"{\"text\":\"\\\\\",\"id\":\"d\"}", "d"},
        {"{\"text\":\"\\\\\\\"\",\"id\":\"e\"}", "e"},
        {"{\"o\":{\"id\":\"inner\"},\"id\":\"outer\"}", "outer"},
        {"{\"o\":[\"id\",{\"id\":\"inner\"}],\"id\":\"outer\"}", "outer"},
        {"{\"text\":\"\\ud800\",\"id\":\"f\"}", "f"},
        {"{\"text\":\"\xff\",\"id\":\"g\"}", "g"},
        {"{\"id\":\"h\\u00e9\\n\"}", "h\xc3\xa9\n"},
        {"{\"id\":\"first\",\"id\":\"second\"}", "first"},
        {"{\"id\":1,\"id\":\"second\"}", "second"},
        {"{\"id\":\"12345678\"}", "12345678"},
        {"{\"id\":\"123456789\"}", NULL},
        {"{\"id\":\"\\u0061\\u0061\\u0061\\u0061\\u0061\\u0061\\u0061\\u0061\"}", "aaaaaaaa"},
        {"", NULL},
        {"{", NULL},
        {"{\"id", NULL},
        {"{\"id\"", NULL},
        {"{\"id\":", NULL},
        {"{\"id\":\"", NULL},
        {"{\"id\":\"a", NULL},
        {"{\"id\":\"a\\\"", NULL},
        {"{\"id\":\"\\ud800\"}", NULL},
        {"{\"id\":\"\\u0000\"}", NULL},
        {"{\"id\":\"\"}", ""},
        {"{\"id\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"}", "\"\\/\b\f\n\r\t"},
        {"{\"id\":\"\\uD83D\\ude00x\"}", "\xf0\x9f\x98\x80x"},
        {"{\"id\":\"\\u20ac\\u07FF\"}", "\xe2\x82\xac\xdf\xbf"},
        {"{\"id\":\"\\ud83d\\ud83d\"}", NULL},
        {"{\"id\":\"\\ud83dx\"}", NULL},
        {"{\"id\":\"\\ud83d\\u\"}", NULL},
        {"{\"id\":\"\\ude00\"}", NULL},
        {"{\"id\":\"\\u12g4\"}", NULL},
        {"{\"id\":\"\\u12\"}", NULL},
        {"{\"id\":\"\\x\"}", NULL},
        {"{\"id\":\"\\u0061234567\\u20ac\"}", NULL},
        {"{\"id\":\"\xff\"}", NULL},
        {"{\"id\":\"a\nb\"}", NULL},
        {"[\"id\",\"x\"]", NULL},
        {"\"id\":\"x\"", NULL},
        {"{{\"id\":\"x\"}}", NULL},
        {"{\"x\":\"id\"}", NULL},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        char value[9];
        bool found = json_peek_string(slice_str(cases[i].text), "id", value, sizeof value - 1);

        if (found != (cases[i].value != NULL))
            fail_msg("%s: found is %d", cases[i].text, found);
        assert_string_equal(value, found ? cases[i].value : "");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reasons),       cmocka_unit_test(test_raw_nul),
        cmocka_unit_test(test_depth),         cmocka_unit_test(test_length),
        cmocka_unit_test(test_member_string), cmocka_unit_test(test_peek),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
