/* SPDX-License-Identifier: MIT */
/* push_payload_test.c - payloads are valid JSON, as long as they may be, and cut between
 * characters.
 */
#include "unit/unit.h"

#include "base/utf8.h"
#include "push/payload.h"
#include "push/push.h"

#include <jansson.h>
#include <stdlib.h>

enum { LONG_TEXT_BYTES = 60000 };

static struct push_notification sample(struct slice text)
{
    struct push_notification n = {
        .seq = INT64_MAX,
        .title = slice_str("Team"),
        .from = slice_str("alice"),
        .to = slice_str("bob"),
        .text = text,
        .badge = 7,
        .ttl_s = 60,
    };

    memset(n.conversation.bytes, 0xab, sizeof n.conversation.bytes);
    return n;
}

static void expect_cut(const char *text, size_t max_bytes, const char *expected)
{
    struct buf out;

    buf_init(&out, 1000);
    payload_cut(&out, slice_str(text), max_bytes);
    assert_false(out.failed);
    assert_string_equal(out.data ? out.data : "", expected);
    buf_finish(&out);
}

static void test_cutting(void **state)
{
    (void)state;
    expect_cut("hello", 5, "hello");
    expect_cut("hello", 4, "h…");
    expect_cut("hello", 3, "…");
    expect_cut("hello", 2, "");
    expect_cut("", 0, "");
    expect_cut("äöü", 6, "äöü");
    expect_cut("äöü", 5, "ä…");
    expect_cut("äöü", 4, "…");
    expect_cut("😀😀", 7, "😀…");
    expect_cut("😀😀", 6, "…");
    expect_cut("a\"b\"", 6, "a\"b\"");
    expect_cut("a\"b\"", 5, "a…"); /* the quote would take two */
    expect_cut("\x01\x01", 12, "\x01\x01");
    expect_cut("\x01\x01", 11, "\x01…");
    expect_cut("\n\n", 4, "\n\n");
}

typedef bool make_fn(struct buf *out, const struct push_notification *n);

static bool make_fcm(struct buf *out, const struct push_notification *n)
{
    return payload_fcm(out, n, slice_str("token"));
}

static const struct {
    const char *name;
    make_fn *make;
    size_t limit;
} kinds[] = {
    {"fcm", make_fcm, PAYLOAD_FCM_MAX_BYTES + 5},
    {"apns", payload_apns, PAYLOAD_APNS_MAX_BYTES},
    {"web", payload_web, PAYLOAD_WEB_MAX_BYTES},
    {"webhook", payload_webhook, PAYLOAD_WEBHOOK_MAX_BYTES},
};

/* Jansson refuses broken UTF-8, bare control characters and anything behind the object. */
static void expect_json(const struct buf *b)
{
    json_error_t error;
    json_t *value = json_loadb(b->data, b->length, JSON_REJECT_DUPLICATES, &error);

    if (!value)
        fail_msg("%s in %s", error.text, b->data);
    json_decref(value);
}

static void test_every_length(void **state)
{
    static const char *const units[] = {"x", "ä", "€", "😀", "\"", "\\", "\n", "\x01", "a😀\"\n"};
    char *text = malloc(LONG_TEXT_BYTES);
    struct buf out;

    (void)state;
    assert_non_null(text);
    buf_init(&out, 1 << 16);
    for (size_t u = 0; u < ARRAY_LENGTH(units); u++) {
        size_t unit = strlen(units[u]);

        for (size_t i = 0; i + unit <= LONG_TEXT_BYTES; i += unit)
            memcpy(text + i, units[u], unit);
        for (size_t k = 0; k < ARRAY_LENGTH(kinds); k++) {
            for (size_t count = 3500 / unit; count < 4200 / unit; count += 1 + 7 / unit) {
                struct push_notification n = sample(slice_of(text, count * unit));

                buf_reset(&out);
                assert_true(kinds[k].make(&out, &n));
                assert_true(out.length <= kinds[k].limit);
                expect_json(&out);
            }
        }
    }
    buf_finish(&out);
    free(text);
}

static void test_long_ones_fill_the_limit(void **state)
{
    char *text = malloc(LONG_TEXT_BYTES);
    struct push_notification n;
    struct buf out;

    (void)state;
    assert_non_null(text);
    memset(text, 'x', LONG_TEXT_BYTES);
    n = sample(slice_of(text, LONG_TEXT_BYTES));
    n.title = n.text;
    buf_init(&out, 1 << 16);
    for (size_t k = 0; k < ARRAY_LENGTH(kinds); k++) {
        buf_reset(&out);
        assert_true(kinds[k].make(&out, &n));
        assert_int_equal(out.length, kinds[k].limit);
        expect_json(&out);
    }
    buf_finish(&out);
    free(text);
}

static void test_privacy(void **state)
{
    struct push_notification n = sample(slice_str("secret"));
    struct buf out;

    (void)state;
    n.title = slice_str("confidential");
    n.without_text = true;
    buf_init(&out, 1 << 16);
    for (size_t k = 0; k < ARRAY_LENGTH(kinds); k++) {
        buf_reset(&out);
        assert_true(kinds[k].make(&out, &n));
        expect_json(&out);
        assert_null(strstr(out.data, "secret"));
        assert_null(strstr(out.data, "confidential"));
        assert_null(strstr(out.data, "alice"));
    }
    buf_finish(&out);
}

static void expect_key(struct slice wanted, size_t max, const char *expected)
{
    struct push_notification n = sample(slice_str(""));
    char key[COLLAPSE_KEY_MAX_LENGTH + 1];

    n.collapse_key = wanted;
    payload_collapse_key(&n, max, key);
    if (expected)
        assert_string_equal(key, expected);
    else
        assert_int_equal(strlen(key), 32);
}

static void test_collapse_keys(void **state)
{
    (void)state;
    expect_key(slice_str(""), 43, "abababab-abab-abab-abab-abababababab");
    expect_key(slice_str(""), 32, NULL); /* too long: hashed */
    expect_key(slice_str("Az09-_"), 32, "Az09-_");
    expect_key(slice_str("with space"), 43, NULL);
    expect_key(slice_str("line\r\nend"), 43, NULL);
    expect_key(slice_of("\0", 1), 43, NULL);
    expect_key(slice_str("12345678901234567890123456789012"), 32,
               "12345678901234567890123456789012");
    expect_key(slice_str("123456789012345678901234567890123"), 32, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cutting),
        cmocka_unit_test(test_every_length),
        cmocka_unit_test(test_long_ones_fill_the_limit),
        cmocka_unit_test(test_privacy),
        cmocka_unit_test(test_collapse_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
