/* SPDX-License-Identifier: MIT */
/* db_params_test.c - parameters as libpq gets them, arrays above all: no text may break out. */
#include "unit/unit.h"

#include "db/params.h"

static struct params_pointers point(struct db_params *p)
{
    struct params_pointers out;
    params_point(p, &out);
    return out;
}

static void test_scalars(void **state)
{
    struct db_params *p = db_params_create();
    struct uuid u = {.bytes = {0x01, 0x90, [15] = 0xff}};
    (void)state;

    db_null(p);
    db_i64(p, INT64_MIN);
    db_bool(p, true);
    db_text(p, slice_str("it's \"quoted\""));
    db_uuid(p, &u);
    db_bytes(p, slice_of("a\0b", 3));
    struct params_pointers out = point(p);
    assert_int_equal(out.count, 6);
    assert_null(out.values[0]);
    assert_string_equal(out.values[1], "-9223372036854775808");
    assert_string_equal(out.values[2], "t");
    assert_string_equal(out.values[3], "it's \"quoted\"");
    assert_string_equal(out.values[4], "01900000-0000-0000-0000-0000000000ff");
    assert_int_equal(out.lengths[5], 3);
    assert_memory_equal(out.values[5], "a\0b", 4);
    assert_int_equal(out.formats[4], 0);
    assert_int_equal(out.formats[5], 1);
    db_params_destroy(p);
}

static void test_arrays(void **state)
{
    struct db_params *p = db_params_create();
    struct uuid u = {.bytes = {0}};
    (void)state;

    db_array_begin(p);
    db_array_end(p);
    db_array_begin(p);
    db_array_i64(p, 1);
    db_array_null(p);
    db_array_i64(p, -3);
    db_array_end(p);
    db_array_begin(p);
    db_array_uuid(p, &u);
    db_array_end(p);
    struct params_pointers out = point(p);
    assert_string_equal(out.values[0], "{}");
    assert_string_equal(out.values[1], "{1,NULL,-3}");
    assert_string_equal(out.values[2], "{00000000-0000-0000-0000-000000000000}");
    db_params_destroy(p);
}

static void test_texts_in_arrays_are_quoted(void **state)
{
    static const struct {
        const char *text;
        const char *quoted;
    } cases[] = {
        {"", "{\"\"}"},
        {"NULL", "{\"NULL\"}"},
        {"a,b", "{\"a,b\"}"},
        {"{}", "{\"{}\"}"},
        {"\"", "{\"\\\"\"}"},
        {"\\", "{\"\\\\\"}"},
        {"\\\"\\", "{\"\\\\\\\"\\\\\"}"},
        {"x\"},{\"y", "{\"x\\\"},{\\\"y\"}"},
        {" spaces\n", "{\" spaces\n\"}"},
        {"\xf0\x9f\x98\x80", "{\"\xf0\x9f\x98\x80\"}"},
    };
    (void)state;

    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct db_params *p = db_params_create();
        db_array_begin(p);
        db_array_text(p, slice_str(cases[i].text));
        db_array_end(p);
        assert_string_equal(point(p).values[0], cases[i].quoted);
        db_params_destroy(p);
    }
}

static void test_no_parameters(void **state)
{
    (void)state;
    assert_int_equal(point(NULL).count, 0);
    db_params_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scalars),
        cmocka_unit_test(test_arrays),
        cmocka_unit_test(test_texts_in_arrays_are_quoted),
        cmocka_unit_test(test_no_parameters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
