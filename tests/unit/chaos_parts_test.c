/* SPDX-License-Identifier: MIT */
/* chaos_parts_test.c - the chaos driver's pure parts: what a device has, what a draft says, and how
 * JSON is walked through. */
#include "unit/unit.h"

#include "base/utf8.h"
#include "chaos/driver/draft_text.h"
#include "chaos/driver/scan.h"
#include "chaos/driver/window.h"
#include "wire/limits.h"

static void test_a_window_closes_its_holes(void **state)
{
    struct window w;

    (void)state;
    window_init(&w);
    assert_int_equal(window_mark(&w, 1), WINDOW_NEW);
    assert_int_equal(window_mark(&w, 1), WINDOW_KNOWN);
    assert_int_equal(window_mark(&w, 4), WINDOW_NEW);
    assert_int_equal(window_mark(&w, 5), WINDOW_NEW);
    assert_int_equal(w.position, 1);
    assert_int_equal(window_hole_before(&w, 5), 5);
    assert_int_equal(window_hole_before(&w, 4), 2);
    assert_int_equal(window_hole_before(&w, 8), 6);
    assert_int_equal(window_hole_before(&w, 2), 2);
    assert_int_equal(window_mark(&w, 3), WINDOW_NEW);
    assert_int_equal(window_mark(&w, 2), WINDOW_NEW);
    assert_int_equal(w.position, 5);
}

static void test_a_window_has_an_end(void **state)
{
    struct window w;

    (void)state;
    window_init(&w);
    assert_int_equal(window_mark(&w, WINDOW_SPAN + 1), WINDOW_FAR);
    for (int64_t seq = WINDOW_SPAN; seq > 1; seq--)
        assert_int_equal(window_mark(&w, seq), WINDOW_NEW);
    assert_int_equal(w.position, 0);
    assert_int_equal(window_hole_before(&w, WINDOW_SPAN + 5), WINDOW_SPAN + 1);
    assert_int_equal(window_mark(&w, 1), WINDOW_NEW);
    assert_int_equal(w.position, WINDOW_SPAN);
    for (int64_t seq = WINDOW_SPAN + 1; seq < 4 * WINDOW_SPAN; seq++)
        assert_int_equal(window_mark(&w, seq), WINDOW_NEW);
    assert_int_equal(w.position, 4 * WINDOW_SPAN - 1);
}

/* Whatever is drawn may be posted, and is the same each time. */
static void test_texts_repeat_and_are_within_limits(void **state)
{
    struct buf a, b;
    size_t longest = 0;

    (void)state;
    buf_init(&a, TEXT_MAX_BYTES);
    buf_init(&b, TEXT_MAX_BYTES);
    for (uint64_t n = 1; n <= 60000; n++) {
        uint64_t read = 0;
        size_t characters = 0;

        buf_reset(&a);
        draft_text_write(&a, slice_str("bob/phone"), 7, n);
        if (a.length > longest)
            longest = a.length;
        if (a.length < 5000 && n % 100 != 0)
            continue;
        buf_reset(&b);
        draft_text_write(&b, slice_str("bob/phone"), 7, n);
        assert_true(slice_equal(buf_slice(&a), buf_slice(&b)));
        assert_true(draft_text_number(buf_slice(&a), &read));
        assert_int_equal(read, n);
        assert_true(utf8_count(buf_slice(&a), &characters));
        assert_in_range(characters, 50, TEXT_MAX_CHARACTERS);
    }
    assert_true(longest > TEXT_MAX_CHARACTERS);
    buf_finish(&a);
    buf_finish(&b);
}

static void test_ids_name_number_and_run(void **state)
{
    struct buf id;
    uint64_t n;

    (void)state;
    buf_init(&id, 100);
    draft_id_write(&id, slice_str("d-0"), 0xab, 1234);
    assert_string_equal(id.data, "d-0-000000ab-1234");
    assert_true(draft_id_read(buf_slice(&id), slice_str("d-0"), 0xab, &n));
    assert_int_equal(n, 1234);
    assert_false(draft_id_read(buf_slice(&id), slice_str("d-0"), 0xac, &n));
    assert_false(draft_id_read(buf_slice(&id), slice_str("d-1"), 0xab, &n));
    assert_false(draft_id_read(slice_str("d-0-000000ab-"), slice_str("d-0"), 0xab, &n));
    assert_false(draft_id_read(slice_str("x"), slice_str("d-0"), 0xab, &n));
    buf_finish(&id);
}

static void test_the_hash_is_fnv_1a(void **state)
{
    (void)state;
    assert_true(draft_text_hash(slice_str("")) == UINT64_C(0xcbf29ce484222325));
    assert_true(draft_text_hash(slice_str("foobar")) == UINT64_C(0x85944171f73967e8));
}

static void test_a_scan_finds_members(void **state)
{
    struct scan s =
        scan_of(slice_str(" {\"a\":[1,{\"x\":\"]}\"}] , \"b\" :\"q\\\"}\",\"c\":-12}\n"));
    struct slice name, value, text;
    struct buf room;
    int64_t number;

    (void)state;
    buf_init(&room, 100);
    assert_int_equal(scan_member(&s, &name, &value), SCAN_ITEM);
    assert_true(slice_equal(name, slice_str("a")));
    assert_true(slice_equal(value, slice_str("[1,{\"x\":\"]}\"}]")));
    assert_int_equal(scan_member(&s, &name, &value), SCAN_ITEM);
    assert_true(scan_string(value, &room, &text));
    assert_true(slice_equal(text, slice_str("q\"}")));
    assert_int_equal(scan_member(&s, &name, &value), SCAN_ITEM);
    assert_true(scan_integer(value, &number));
    assert_int_equal(number, -12);
    assert_int_equal(scan_member(&s, &name, &value), SCAN_END);
    s = scan_of(slice_str("[ ]"));
    assert_int_equal(scan_element(&s, &value), SCAN_END);
    buf_finish(&room);
}

static void test_a_scan_stops_at_what_is_no_json(void **state)
{
    static const char *const bad[] = {
        "",      "{",           "{\"a\"", "{\"a\":",    "{\"a\":1", "{\"a\":1,}",
        "{a:1}", "{\"a\":\"x}", "[1]",    "{\"a\":[1}", "{} x"};
    struct slice name, value;

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++) {
        struct scan s = scan_of(slice_str(bad[i]));
        enum scan_status status;

        while ((status = scan_member(&s, &name, &value)) == SCAN_ITEM)
            continue;
        assert_int_equal(status, SCAN_BAD);
    }
}

/* Our own writer escapes; what comes back is what went in. */
static void test_strings_survive(void **state)
{
    static const char text[] = "tab\t \"quotes\" back\\slash \x01 \xe6\x9d\xb1 \xf0\x9f\x91\xa9\n";
    struct buf json, room;
    struct slice out;

    (void)state;
    buf_init(&json, 1000);
    buf_init(&room, 1000);
    buf_json(&json, slice_str(text));
    assert_true(scan_string(buf_slice(&json), &room, &out));
    assert_true(slice_equal(out, slice_str(text)));
    assert_true(scan_string(slice_str("\"\\u00e9\\u6771\\/\""), &room, &out));
    assert_true(slice_equal(out, slice_str("\xc3\xa9\xe6\x9d\xb1/")));
    assert_false(scan_string(slice_str("\"\\x\""), &room, &out));
    assert_false(scan_string(slice_str("\"\\u12\""), &room, &out));
    assert_false(scan_string(slice_str("12"), &room, &out));
    buf_finish(&json);
    buf_finish(&room);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_window_closes_its_holes),
        cmocka_unit_test(test_a_window_has_an_end),
        cmocka_unit_test(test_texts_repeat_and_are_within_limits),
        cmocka_unit_test(test_ids_name_number_and_run),
        cmocka_unit_test(test_the_hash_is_fnv_1a),
        cmocka_unit_test(test_a_scan_finds_members),
        cmocka_unit_test(test_a_scan_stops_at_what_is_no_json),
        cmocka_unit_test(test_strings_survive),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
