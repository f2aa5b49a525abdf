/* SPDX-License-Identifier: MIT */
/* codes_test.c - the table has a distinct name and a status for every code. */
#include "unit/unit.h"

#include "wire/codes.h"

static void test_every_code(void **state)
{
    (void)state;
    for (int code = CODE_OK; code <= CODE_INTERNAL; code++) {
        assert_true(strlen(code_name((enum code)code)) > 0);
        assert_in_range(code_http_status((enum code)code), code ? 400 : 200, code ? 599 : 200);
        for (int other = CODE_OK; other < code; other++)
            assert_string_not_equal(code_name((enum code)code), code_name((enum code)other));
    }
}

static void test_names_and_statuses(void **state)
{
    (void)state;
    assert_string_equal(code_name(CODE_NOT_FOUND), "not_found");
    assert_string_equal(code_name(CODE_OUT_OF_ORDER), "out_of_order");
    assert_int_equal(code_http_status(CODE_TOO_LARGE), 413);
    assert_int_equal(code_http_status(CODE_RATE_LIMITED), 429);
    assert_int_equal(code_http_status(CODE_UNAVAILABLE), 503);
}

static void test_only_transient_refusals_are_sticky(void **state)
{
    (void)state;
    for (int code = CODE_OK; code <= CODE_INTERNAL; code++)
        assert_int_equal(code_is_transient((enum code)code), code == CODE_RATE_LIMITED ||
                                                                 code == CODE_UNAVAILABLE ||
                                                                 code == CODE_OUT_OF_ORDER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_code),
        cmocka_unit_test(test_names_and_statuses),
        cmocka_unit_test(test_only_transient_refusals_are_sticky),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
