/* SPDX-License-Identifier: MIT */
/* submission_test.c - which drafts have the same name, and that names which strangers choose alike
 * do not meet in a table. */
#include "unit/unit.h"

#include "base/buf.h"
#include "core/ingest/submission.h"

#define CONVERSATION "01900000-0000-7000-8000-000000000001"

static struct submission *submission_of(uint64_t uid, const char *target, const char *json)
{
    const struct ingest_draft draft = {.uid = uid,
                                       .handle = slice_str("alice"),
                                       .device = slice_str("phone"),
                                       .target = slice_str(target),
                                       .json = slice_str(json)};
    struct submission *s = submission_create(&draft, NULL, NULL);

    assert_non_null(s);
    return s;
}

static bool have_same_name(const struct submission *a, const struct submission *b)
{
    bool same = submission_by_name.equal(a, b);

    assert_int_equal(submission_by_name.hash(a) == submission_by_name.hash(b), same);
    return same;
}

static void test_names(void **state)
{
    static const struct {
        uint64_t uid;
        const char *target, *json;
        bool same;
    } cases[] = {
        {1, CONVERSATION, "{\"id\":\"d1\",\"text\":\"x\"}", true},
        {1, CONVERSATION, "{\"id\":\"d\\u0031\",\"text\":\"another\"}", true},
        {1, CONVERSATION, "{\"id\":\"d1\",\"kind\":\"delete\",\"target\":1}", true},
        {1, CONVERSATION, "{\"id\":\"d2\",\"text\":\"x\"}", false},
        {1, CONVERSATION, "{\"id\":\"d\",\"text\":\"x\"}", false},
        {2, CONVERSATION, "{\"id\":\"d1\",\"text\":\"x\"}", false},
        {1, "01900000-0000-7000-8000-000000000002", "{\"id\":\"d1\",\"text\":\"x\"}", false},
        {1, "01900000-0000-7001-8000-000000000001", "{\"id\":\"d1\",\"text\":\"x\"}", false},
        {1, "@bob", "{\"id\":\"d1\",\"text\":\"x\"}", false},
    };
    struct submission *first = submission_of(1, CONVERSATION, "{\"id\":\"d1\",\"text\":\"x\"}");

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct submission *s = submission_of(cases[i].uid, cases[i].target, cases[i].json);

        if (have_same_name(first, s) != cases[i].same)
            fail_msg("case %zu", i);
        submission_reset(s);
        assert_int_equal(have_same_name(first, s), cases[i].same);
        submission_destroy(s);
    }
    submission_destroy(first);
}

/* The longest id that may be, and the one after it, which is refused. */
static void test_long_ids(void **state)
{
    struct buf json;

    (void)state;
    buf_init(&json, 4096);
    for (int count = DRAFT_ID_MAX_CHARACTERS; count <= DRAFT_ID_MAX_CHARACTERS + 1; count++) {
        struct submission *a, *b;

        buf_reset(&json);
        buf_str(&json, "{\"text\":\"x\",\"id\":\"");
        for (int i = 0; i < count; i++)
            buf_str(&json, "\xf0\x9f\x91\x8d");
        buf_str(&json, "\"}");
        assert_false(json.failed);
        a = submission_of(1, CONVERSATION, json.data);
        b = submission_of(1, CONVERSATION, json.data);
        assert_true(have_same_name(a, b));
        assert_int_equal(a->judged, count > DRAFT_ID_MAX_CHARACTERS);
        assert_int_equal(a->id.length, a->judged ? 0 : DRAFT_ID_MAX_BYTES);
        submission_destroy(a);
        submission_destroy(b);
    }
    buf_finish(&json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_long_ids),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
