/* SPDX-License-Identifier: MIT */
/* push_verdict_test.c - what answers mean, and how long they ask us to wait. */
#include "unit/unit.h"

#include "push/fcm_token.h"
#include "push/retry_after.h"
#include "push/verdict.h"

#include <stdlib.h>

static int64_t parse(const char *value)
{
    return retry_after_parse(slice_str(value), 784111777); /* Sun, 06 Nov 1994 08:49:37 GMT */
}

static void test_retry_after(void **state)
{
    (void)state;
    assert_int_equal(parse("0"), 0);
    assert_int_equal(parse("120"), 120000);
    assert_int_equal(parse("120 "), 120000);
    assert_int_equal(parse("86400"), RETRY_AFTER_MAX_MS);
    assert_int_equal(parse("86401"), RETRY_AFTER_MAX_MS);
    assert_int_equal(parse("99999999999999999999999999"), RETRY_AFTER_MAX_MS);
    assert_int_equal(parse("Sun, 06 Nov 1994 08:49:37 GMT"), 0);
    assert_int_equal(parse("Sun, 06 Nov 1994 08:50:07 GMT"), 30000);
    assert_int_equal(parse("Sun, 06 Nov 1994 08:00:00 GMT"), 0);
    assert_int_equal(parse("Sun, 06 Nov 2094 08:49:37 GMT"), RETRY_AFTER_MAX_MS);
    for (size_t i = 0; i < 9; i++) {
        static const char *const others[] = {
            "",
            " ",
            "-1",
            "1.5",
            "1x",
            "soon",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
            "Sun, 06 Nov 1994 08:49:37 EST",
        };

        assert_int_equal(parse(others[i]), -1);
    }
}

static void expect(struct verdict v, enum push_outcome outcome, enum push_reason reason,
                   enum verdict_second_try second_try)
{
    assert_int_equal(v.result.outcome, outcome);
    assert_int_equal(v.result.reason, reason);
    assert_int_equal(v.second_try, second_try);
}

static struct client_answer answer(unsigned status, const char *body)
{
    return (struct client_answer){CLIENT_ANSWERED, status, slice_str(body), 5000};
}

typedef struct verdict judge_fn(const struct client_answer *answer);

static judge_fn *const judges[] = {verdict_fcm, verdict_apns, verdict_web, verdict_webhook};

static void test_without_an_answer(void **state)
{
    static const struct {
        enum client_end end;
        enum push_outcome outcome;
        enum push_reason reason;
    } ends[] = {
        {CLIENT_FORBIDDEN, PUSH_FAILED, PUSH_REASON_FORBIDDEN},
        {CLIENT_BAD_URL, PUSH_FAILED, PUSH_REASON_TARGET},
        {CLIENT_UNREACHABLE, PUSH_RETRY, PUSH_REASON_CONNECTION},
        {CLIENT_TIMEOUT, PUSH_RETRY, PUSH_REASON_TIMEOUT},
        {CLIENT_BROKEN, PUSH_RETRY, PUSH_REASON_INTERNAL},
    };

    (void)state;
    for (size_t j = 0; j < ARRAY_LENGTH(judges); j++) {
        for (size_t i = 0; i < ARRAY_LENGTH(ends); i++) {
            const struct client_answer a = {.end = ends[i].end, .retry_after_ms = -1};
            struct verdict v = judges[j](&a);

            expect(v, ends[i].outcome, ends[i].reason, SECOND_TRY_NONE);
            assert_int_equal(v.result.status, 0);
        }
    }
}

/* Whatever a provider answers, nobody loses a registration by a status that only says no. */
static void test_every_status(void **state)
{
    (void)state;
    for (size_t j = 0; j < ARRAY_LENGTH(judges); j++) {
        for (unsigned status = 200; status < 600; status++) {
            const struct client_answer a = answer(status, "");
            struct verdict v = judges[j](&a);

            assert_int_equal(v.result.status, status);
            assert_int_equal(v.result.outcome == PUSH_SENT, status < 300);
            assert_int_equal(v.result.reason == PUSH_REASON_NONE, status < 300);
            assert_int_equal(v.result.retry_after_ms, v.result.outcome == PUSH_RETRY ? 5000 : -1);
            if (v.result.outcome == PUSH_GONE)
                assert_true(status == 410 || (status == 404 && judges[j] == verdict_web));
            if (status >= 500)
                assert_int_equal(v.result.outcome, PUSH_RETRY);
        }
    }
}

static void test_words_count_with_their_status(void **state)
{
    struct client_answer a = answer(400, "{\"reason\":\"BadDeviceToken\"}");

    (void)state;
    expect(verdict_apns(&a), PUSH_GONE, PUSH_REASON_UNREGISTERED, SECOND_TRY_NONE);
    a.status = 500;
    expect(verdict_apns(&a), PUSH_RETRY, PUSH_REASON_PROVIDER, SECOND_TRY_NONE);
    a.status = 200;
    expect(verdict_apns(&a), PUSH_SENT, PUSH_REASON_NONE, SECOND_TRY_NONE);
    a = answer(400, "{\"reason\":[\"BadDeviceToken\"]}");
    expect(verdict_apns(&a), PUSH_FAILED, PUSH_REASON_REJECTED, SECOND_TRY_NONE);
    a = answer(403, "{\"reason\":\"ExpiredProviderToken\"}");
    expect(verdict_apns(&a), PUSH_RETRY, PUSH_REASON_CREDENTIALS, SECOND_TRY_NEW_TOKEN);
    a = answer(404, "{\"error\":{\"details\":[{\"errorCode\":\"UNREGISTERED\"}]}}");
    expect(verdict_fcm(&a), PUSH_GONE, PUSH_REASON_UNREGISTERED, SECOND_TRY_NONE);
    a.status = 503;
    expect(verdict_fcm(&a), PUSH_RETRY, PUSH_REASON_PROVIDER, SECOND_TRY_NONE);
    a = answer(401, "{\"error\":{\"status\":\"UNAUTHENTICATED\"}}");
    expect(verdict_fcm(&a), PUSH_RETRY, PUSH_REASON_CREDENTIALS, SECOND_TRY_NEW_TOKEN);
    a = answer(404, "{\"error\":{\"details\":{\"errorCode\":\"UNREGISTERED\"},\"status\":7}}");
    expect(verdict_fcm(&a), PUSH_FAILED, PUSH_REASON_REJECTED, SECOND_TRY_NONE);
    a = answer(413, "");
    expect(verdict_web(&a), PUSH_FAILED, PUSH_REASON_TOO_LARGE, SECOND_TRY_SHORTER);
}

static void expect_no_token(const char *body)
{
    int64_t lifetime;
    char *token = fcm_token_parse(slice_str(body), &lifetime);

    if (token)
        fail_msg("a token in %s", body);
}

static void test_access_tokens(void **state)
{
    static const char good[] =
        "{\"access_token\":\"ya29.x\",\"expires_in\":3599,\"token_type\":\"Bearer\"}";
    int64_t lifetime = 0;
    char *token = fcm_token_parse(slice_str(good), &lifetime);

    (void)state;
    assert_string_equal(token, "ya29.x");
    assert_int_equal(lifetime, 3599);
    free(token);
    token = fcm_token_parse(slice_str("{\"access_token\":\"a\",\"expires_in\":999999999999}"),
                            &lifetime);
    assert_int_equal(lifetime, 86400);
    free(token);
    expect_no_token("");
    expect_no_token("[]");
    expect_no_token("{\"access_token\":\"\",\"expires_in\":1}");
    expect_no_token("{\"access_token\":\"a b\",\"expires_in\":1}");
    expect_no_token("{\"access_token\":\"a\\r\\nb\",\"expires_in\":1}");
    expect_no_token("{\"access_token\":\"ä\",\"expires_in\":1}");
    expect_no_token("{\"access_token\":\"a\",\"expires_in\":0}");
    expect_no_token("{\"access_token\":\"a\",\"expires_in\":\"1\"}");
    expect_no_token("{\"access_token\":\"a\"}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_retry_after),   cmocka_unit_test(test_without_an_answer),
        cmocka_unit_test(test_every_status),  cmocka_unit_test(test_words_count_with_their_status),
        cmocka_unit_test(test_access_tokens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
