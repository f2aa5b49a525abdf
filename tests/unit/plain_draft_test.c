/* SPDX-License-Identifier: MIT */
/* plain_draft_test.c - what is read the short way, and all that must not be. */
#include "unit/unit.h"

#include "wire/plain_draft.h"

static void test_plain_drafts(void **state)
{
    static const char *const cases[] = {
        "{\"id\":\"d1\",\"text\":\"h\xc3\xa9 {}:,\"}",
        "{\"text\":\"h\xc3\xa9 {}:,\",\"id\":\"d1\"}",
        " {\t\"id\" :\n\"d1\" , \"text\"\r: \"h\xc3\xa9 {}:,\" } \n",
    };
    struct slice id, text;

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        if (!plain_draft_read(slice_str(cases[i]), &id, &text))
            fail_msg("%s", cases[i]);
        assert_true(slice_equal(id, slice_str("d1")));
        assert_true(slice_equal(text, slice_str("h\xc3\xa9 {}:,")));
    }
}

static void test_others(void **state)
{
    static const char *const cases[] = {
        "",
        " ",
        "{",
        "{}",
        "[\"id\",\"d1\"]",
        "{\"id\":\"d1\"}",
        "{\"id\":\"d1\",}",
        "{\"id\":\"d1\",\"text\":\"x\"",
        "{\"id\":\"d1\",\"text\":\"x",
        "{\"id\":\"d1\",\"text\":\"x\"}}",
        "{\"id\":\"d1\",\"text\":\"x\",}",
        "{\"id\":\"d1\",\"text\":\"x\",\"reply_to\":1}",
        "{\"id\":\"d1\",\"id\":\"d1\"}",
        "{\"text\":\"x\",\"text\":\"x\"}",
        "{\"id\":\"d1\" \"text\":\"x\"}",
        "{\"id\",\"d1\",\"text\":\"x\"}",
        "{\"id\":1,\"text\":\"x\"}",
        "{\"id\":\"d1\",\"text\":null}",
        "{\"id\":\"d1\",\"txt\":\"x\"}",
        "{\"i\\u0064\":\"d1\",\"text\":\"x\"}",
        "{\"id\":\"d\\n\",\"text\":\"x\"}",
        "{\"id\":\"d1\",\"text\":\"x\\\"\"}",
        "{\"id\":\"d1\",\"text\":\"a\nb\"}",
        "{\"id\":\"d1\",\"text\":\"a\x1f\"}",
        "{\"id\":\"d1\",\"text\":\"x\"}\v",
        "\xef\xbb\xbf{\"id\":\"d1\",\"text\":\"x\"}",
    };
    static const char nul[] = "{\"id\":\"d1\",\"text\":\"a\0b\"}";
    struct slice id, text;

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        if (plain_draft_read(slice_str(cases[i]), &id, &text))
            fail_msg("%s", cases[i]);
    }
    assert_false(plain_draft_read(slice_of(nul, sizeof nul - 1), &id, &text));
    assert_false(plain_draft_read(slice_of(NULL, 0), &id, &text));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain_drafts),
        cmocka_unit_test(test_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
