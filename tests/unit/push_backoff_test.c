/* SPDX-License-Identifier: MIT */
/* push_backoff_test.c - how long a push waits for its next attempt. */
#include "unit/unit.h"

#include "core/push/backoff.h"

#include <stdbool.h>
#include <stdlib.h>

enum { TRIES = 200, FIRST_MS = 1000 };

static void test_each_wait_is_at_most_doubled(void **state)
{
    uint64_t most_ms = FIRST_MS;
    (void)state;

    for (unsigned attempts = 1; attempts < 9; attempts++, most_ms *= 2) {
        for (unsigned i = 0; i < TRIES; i++) {
            uint64_t wait_ms = push_backoff_ms(FIRST_MS, attempts, -1);

            assert_true(wait_ms >= most_ms / 2 && wait_ms <= most_ms);
        }
    }
}

static void test_waits_differ(void **state)
{
    uint64_t first = push_backoff_ms(FIRST_MS, 5, -1);
    bool differs = false;
    (void)state;

    for (unsigned i = 0; i < TRIES; i++)
        differs = differs || push_backoff_ms(FIRST_MS, 5, -1) != first;
    assert_true(differs);
}

static void test_there_is_a_longest_wait(void **state)
{
    (void)state;

    assert_true(push_backoff_ms(FIRST_MS, 100, -1) <= PUSH_BACKOFF_MAX_MS);
    assert_true(push_backoff_ms(600000, 100, -1) >= PUSH_BACKOFF_MAX_MS / 2);
}

static void test_the_provider_is_given_the_time_it_asks_for(void **state)
{
    const int64_t day_ms = 86400000;
    (void)state;

    for (unsigned i = 0; i < TRIES; i++) {
        assert_true(push_backoff_ms(FIRST_MS, 1, 5000) >= 5000);
        assert_true(push_backoff_ms(FIRST_MS, 1, day_ms) >= (uint64_t)day_ms);
        assert_true(push_backoff_ms(FIRST_MS, 8, 1) >= 64000);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_wait_is_at_most_doubled),
        cmocka_unit_test(test_waits_differ),
        cmocka_unit_test(test_there_is_a_longest_wait),
        cmocka_unit_test(test_the_provider_is_given_the_time_it_asks_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
