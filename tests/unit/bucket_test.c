/* SPDX-License-Identifier: MIT */
/* bucket_test.c - rates to the millisecond, clocks that misbehave, and who is forgotten when a
 * table is full. */
#include "unit/unit.h"

#include "base/bucket.h"

static const struct rate minute = {600, 60}; /* one in 100 ms */

static void test_parse(void **state)
{
    static const char *const bad[] = {
        "",
        "0/1",
        "1/0",
        "1",
        "1/",
        "/1",
        "-1/1",
        " 1/1",
        "1/1 ",
        "1 / 1",
        "1/1/1",
        "1000001/1",
        "1/86401",
        "Off",
        "0",
        "1.5/1",
        "1/1s",
        "offf",
        "99999999999999999999/1",
    };
    struct rate rate = {7, 7};

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++)
        assert_false(rate_parse(bad[i], &rate));
    assert_int_equal(rate.count, 7);
    assert_true(rate_parse("1000000/86400", &rate));
    assert_int_equal(rate.count, RATE_COUNT_MAX);
    assert_int_equal(rate.seconds, RATE_SECONDS_MAX);
    assert_true(rate_parse("1/1", &rate));
    assert_true(rate_parse("off", &rate));
    assert_int_equal(rate.count, 0);
}

/* Takes as many as there are. */
static unsigned drain(struct bucket *b, struct rate rate, uint64_t now_ms)
{
    unsigned taken = 0;

    while (bucket_take(b, rate, now_ms) == 0)
        taken++;
    return taken;
}

static void test_to_the_millisecond(void **state)
{
    struct bucket b = {0};

    (void)state;
    assert_int_equal(drain(&b, minute, 5000), 600);
    assert_int_equal(bucket_take(&b, minute, 5000), 100);
    assert_int_equal(bucket_take(&b, minute, 5001), 99);
    assert_int_equal(bucket_take(&b, minute, 5099), 1);
    assert_int_equal(bucket_take(&b, minute, 5100), 0);
    assert_int_equal(bucket_take(&b, minute, 5100), 100);
    assert_int_equal(drain(&b, minute, 5100 + 1050), 10);
    assert_int_equal(bucket_take(&b, minute, 5100 + 1050), 50); /* the half one was not lost */
    assert_int_equal(drain(&b, minute, 100000), 600);
}

/* Asking does not make it longer, however often. */
static void test_waiting_as_told_is_enough(void **state)
{
    static const struct rate rates[] = {
        {1, 1}, {3, 1}, {7, 13}, {1000000, 1}, {1, 86400}, {1000000, 86400}, {999983, 86399},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rates); i++) {
        struct bucket b = {0};
        uint64_t now_ms = 12345, wait_ms;

        assert_int_equal(drain(&b, rates[i], now_ms), rates[i].count);
        for (unsigned n = 0; n < 100; n++) {
            wait_ms = bucket_take(&b, rates[i], now_ms);
            if (wait_ms == 0)
                continue; /* several in one millisecond */
            if (wait_ms > 1)
                assert_true(bucket_take(&b, rates[i], now_ms + wait_ms - 1) > 0);
            now_ms += wait_ms;
            assert_int_equal(bucket_take(&b, rates[i], now_ms), 0);
        }
    }
}

static void test_clocks(void **state)
{
    struct bucket b = {0};

    (void)state;
    assert_int_equal(drain(&b, minute, 0), 600);
    assert_int_equal(drain(&b, minute, UINT64_MAX), 600); /* all at once, and nothing overflows */
    /* Back again: nothing is given, and nobody waits for the time that was. */
    assert_int_equal(bucket_take(&b, minute, 1000), 100);
    assert_int_equal(bucket_take(&b, minute, 1100), 0);
    assert_int_equal(bucket_owed(&b, minute, 500), 600 * 60000);
    assert_int_equal(bucket_owed(&b, minute, 1100 + 59999), 600);
    assert_int_equal(bucket_owed(&b, minute, 1100 + 60000), 0);
}

static void test_no_limit(void **state)
{
    const struct rate off = {0, 0};
    struct bucket b = {0};

    (void)state;
    for (unsigned i = 0; i < 1000; i++)
        assert_int_equal(bucket_take(&b, off, 0), 0);
    assert_int_equal(bucket_owed(&b, off, 0), 0);
}

static void test_giving_back(void **state)
{
    struct bucket b = {0};

    (void)state;
    assert_int_equal(drain(&b, minute, 0), 600);
    bucket_give_back(&b, minute);
    assert_int_equal(drain(&b, minute, 0), 1);
    assert_int_equal(bucket_take(&b, minute, 59950), 0);
    bucket_give_back(&b, minute); /* it is not more than there was */
    bucket_give_back(&b, minute);
    assert_int_equal(drain(&b, minute, 59950), 600);
}

enum { SLOTS = 64, SETS = SLOTS / BUCKET_WAYS };

static void test_table(void **state)
{
    static struct bucket_slot slots[SLOTS];
    struct buckets t;

    (void)state;
    memset(slots, 0, sizeof slots);
    buckets_init(&t, (struct rate){2, 60}, slots, SLOTS);
    assert_null(buckets_find(&t, 5));
    assert_int_equal(buckets_take(&t, 5, 0), 0);
    assert_int_equal(buckets_take(&t, 5, 0), 0);
    assert_int_equal(buckets_take(&t, 5, 0), 30000);
    assert_int_equal(buckets_take(&t, 5 + SETS, 0), 0); /* a neighbor */
    assert_int_equal(buckets_take(&t, 0, 0), 0);        /* as good a key as any */
    assert_int_equal(buckets_take(&t, 0, 0), 0);
    assert_int_equal(buckets_take(&t, 0, 0), 30000);
    buckets_give_back(&t, 5);
    buckets_give_back(&t, 99);
    assert_int_equal(buckets_take(&t, 5, 0), 0);
}

/* A million keys that did one thing each do not flush those that did much. */
static void test_nobody_is_flushed(void **state)
{
    static struct bucket_slot slots[SLOTS];
    struct buckets t;

    (void)state;
    memset(slots, 0, sizeof slots);
    buckets_init(&t, (struct rate){10, 60}, slots, SLOTS);
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(buckets_take(&t, 1, 0), 0);
    for (uint64_t key = 2; key < 1000000; key++)
        assert_int_equal(buckets_take(&t, key, 0), 0);
    assert_int_equal(bucket_owed(buckets_find(&t, 1), t.rate, 0), 2 * 60000);
    /* Who owes nothing any more gives way first. */
    assert_int_equal(buckets_take(&t, SETS + 2, 60000), 0);
    assert_int_equal(buckets_take(&t, SETS + 2, 60000), 0);
    for (uint64_t key = 1000000; key < 2000000; key++)
        assert_int_equal(buckets_take(&t, key, 60000), 0);
    assert_null(buckets_find(&t, 1));
    assert_non_null(buckets_find(&t, SETS + 2));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_to_the_millisecond),
        cmocka_unit_test(test_waiting_as_told_is_enough),
        cmocka_unit_test(test_clocks),
        cmocka_unit_test(test_no_limit),
        cmocka_unit_test(test_giving_back),
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_nobody_is_flushed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
