/* SPDX-License-Identifier: MIT */
/* log_fields_test.c - members of log lines: no value can end one, forge one or be too long. */
#include "unit/unit.h"

#include "base/log_fields.h"

static void test_values(void **state)
{
    static const struct {
        const char *value, *written;
    } cases[] = {
        {"plain-1.2_3", " name=plain-1.2_3"},
        {"@bob", " name=@bob"},
        {"", ""},
        {"two words", " name=\"two words\""},
        {"a=b", " name=\"a=b\""},
        {"a\"b\\c", " name=\"a\\\"b\\\\c\""},
        {"x\nts=0", " name=\"x\\nts=0\""},
        {"\x1b[2J\x7f", " name=\"\\x1b[2J\\x7f\""},
        {"\xc3\xa9", " name=\"\\xc3\\xa9\""},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct log_fields f = {.length = 0};

        log_field(&f, "name", slice_str(cases[i].value));
        assert_string_equal(f.text, cases[i].written);
        assert_int_equal(f.length, strlen(cases[i].written));
    }
}

static void test_numbers_and_order(void **state)
{
    struct log_fields f = {.length = 0};

    (void)state;
    log_field_number(&f, "seq", INT64_MAX);
    log_field_number(&f, "less", -1);
    log_field(&f, "nul", slice_of("a\0b", 3));
    assert_string_equal(f.text, " seq=9223372036854775807 less=-1 nul=\"a\\x00b\"");
}

static void test_what_is_long_is_cut_between_two_characters(void **state)
{
    struct log_fields f = {.length = 0};
    char long_value[2 * LOG_VALUE_BYTES];

    (void)state;
    memset(long_value, '\n', sizeof long_value);
    log_field(&f, "n", slice_of(long_value, sizeof long_value));
    assert_int_equal(f.length, strlen(" n=\"\"") + LOG_VALUE_BYTES);
    memset(long_value, '\x01', sizeof long_value);
    long_value[0] = 'a';
    f = (struct log_fields){.length = 0};
    log_field(&f, "n", slice_of(long_value, sizeof long_value));
    assert_int_equal(f.length, strlen(" n=\"\"") + LOG_VALUE_BYTES - 3);
    assert_string_equal(f.text + f.length - 5, "\\x01\"");
}

static void test_what_does_not_fit_is_left_out(void **state)
{
    struct log_fields f = {.length = 0};
    char value[LOG_VALUE_BYTES];
    size_t before;

    (void)state;
    memset(value, 'v', sizeof value);
    do {
        before = f.length;
        log_field(&f, "big", slice_of(value, sizeof value));
        assert_int_equal(strlen(f.text), f.length);
    } while (f.length > before);
    log_field(&f, "small", slice_str("fits"));
    assert_string_equal(f.text + before, " small=fits");
}

static void test_quota(void **state)
{
    struct log_quota quota = {.left_out = 0};
    struct log_fields f = {.length = 0};
    unsigned taken = 0;

    (void)state;
    for (int i = 0; i < 100; i++)
        taken += log_quota_take(&quota, 5000, &f);
    assert_int_equal(taken, 60);
    assert_int_equal(f.length, 0);
    assert_false(log_quota_take(&quota, 5999, &f));
    assert_true(log_quota_take(&quota, 6000, &f));
    assert_string_equal(f.text, " left_out=41");
    assert_false(log_quota_take(&quota, 6001, &f));
    f = (struct log_fields){.length = 0};
    assert_true(log_quota_take(&quota, 7000, &f));
    assert_string_equal(f.text, " left_out=1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_numbers_and_order),
        cmocka_unit_test(test_what_is_long_is_cut_between_two_characters),
        cmocka_unit_test(test_what_does_not_fit_is_left_out),
        cmocka_unit_test(test_quota),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
