/* SPDX-License-Identifier: MIT */
/* db_params_test.c - parameters as libpq gets them, arrays above all. */
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

static void test_texts_that_may_be_missing(void **state)
{
    static const struct slice texts[] = {{NULL, 0}, {"", 0}, {"it", 2}};
    static const char *const given[] = {NULL, "", "it"};
    static const char *const or_null[] = {NULL, NULL, "it"};
    struct db_params *p = db_params_create();
    struct params_pointers out;

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(texts); i++) {
        db_text_if_given(p, texts[i]);
        db_text_or_null(p, texts[i]);
    }
    out = point(p);
    for (int i = 0; i < (int)ARRAY_LENGTH(texts); i++) {
        assert_int_equal(out.values[2 * i] != NULL, given[i] != NULL);
        assert_int_equal(out.values[2 * i + 1] != NULL, or_null[i] != NULL);
        if (given[i])
            assert_string_equal(out.values[2 * i], given[i]);
        if (or_null[i])
            assert_string_equal(out.values[2 * i + 1], or_null[i]);
    }
    db_params_destroy(p);
}

/* As array_recv() reads it. */
static void assert_array(struct slice got, const char *expected, size_t length)
{
    assert_int_equal(got.length, length);
    assert_memory_equal(got.data, expected, length);
}

static struct slice parameter(const struct params_pointers *out, int i)
{
    assert_int_equal(out->formats[i], 1);
    return slice_of(out->values[i], (size_t)out->lengths[i]);
}

static void test_arrays(void **state)
{
    static const char empty[] = "\0\0\0\0\0\0\0\0\0\0\x0b\x86";
    static const char numbers[] = "\0\0\0\x01\0\0\0\x01\0\0\0\x14\0\0\0\x03\0\0\0\x01"
                                  "\xff\xff\xff\xff"
                                  "\0\0\0\x08\0\0\0\0\0\0\0\x01"
                                  "\0\0\0\x08\xff\xff\xff\xff\xff\xff\xff\xfd";
    static const char uuids[] = "\0\0\0\x01\0\0\0\0\0\0\x0b\x86\0\0\0\x01\0\0\0\x01"
                                "\0\0\0\x10\x01\x90\0\0\0\0\0\0\0\0\0\0\0\0\0\xff";
    static const char transactions[] = "\0\0\0\x01\0\0\0\0\0\0\x13\xcd\0\0\0\x01\0\0\0\x01"
                                       "\0\0\0\x08\0\0\0\x01\0\0\0\x02";
    struct db_params *p = db_params_create();
    struct uuid u = {.bytes = {0x01, 0x90, [15] = 0xff}};
    struct params_pointers out;
    (void)state;

    db_array_begin(p, DB_UUID_ARRAY);
    db_array_end(p);
    db_array_begin(p, DB_I64_ARRAY);
    db_array_null(p);
    db_array_i64(p, 1);
    db_array_i64(p, -3);
    db_array_end(p);
    db_array_begin(p, DB_UUID_ARRAY);
    db_array_uuid(p, &u);
    db_array_end(p);
    db_i64(p, 7);
    db_array_begin(p, DB_XID8_ARRAY);
    db_array_xid8(p, (UINT64_C(1) << 32) + 2);
    db_array_end(p);
    out = point(p);
    assert_array(parameter(&out, 0), empty, sizeof empty - 1);
    assert_array(parameter(&out, 1), numbers, sizeof numbers - 1);
    assert_array(parameter(&out, 2), uuids, sizeof uuids - 1);
    assert_string_equal(out.values[3], "7");
    assert_array(parameter(&out, 4), transactions, sizeof transactions - 1);
    db_params_destroy(p);
}

static void test_texts_in_arrays_are_as_they_are(void **state)
{
    static const char expected[] = "\0\0\0\x01\0\0\0\0\0\0\0\x19\0\0\0\x03\0\0\0\x01"
                                   "\0\0\0\0"
                                   "\0\0\0\x04NULL"
                                   "\0\0\0\x05\"},\\{";
    struct db_params *p = db_params_create();
    struct params_pointers out;
    (void)state;

    db_array_begin(p, DB_TEXT_ARRAY);
    db_array_text(p, slice_str(""));
    db_array_text(p, slice_str("NULL"));
    db_array_text(p, slice_str("\"},\\{"));
    db_array_end(p);
    out = point(p);
    assert_array(parameter(&out, 0), expected, sizeof expected - 1);
    db_params_destroy(p);
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
        cmocka_unit_test(test_texts_that_may_be_missing),
        cmocka_unit_test(test_arrays),
        cmocka_unit_test(test_texts_in_arrays_are_as_they_are),
        cmocka_unit_test(test_no_parameters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
