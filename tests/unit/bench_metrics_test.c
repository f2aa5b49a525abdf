/* SPDX-License-Identifier: MIT */
/* bench_metrics_test.c - medians and spreads of runs, and what counts as a fault. */
#include "unit/unit.h"

#include "metrics.h"

#include <math.h>

enum { RUNS = 4 };

static struct measurement runs[RUNS];

static int set_up(void **state)
{
    (void)state;
    for (unsigned i = 0; i < RUNS; i++)
        measurement_clear(&runs[i]);
    return 0;
}

static void assert_spread(unsigned count, double median, double min, double max)
{
    struct spread s = measurement_spread(runs, count, METRIC_MESSAGES_PER_S);

    assert_true(s.median == median && s.min == min && s.max == max);
}

static void test_the_median_of_odd_and_even_counts(void **state)
{
    const double values[RUNS] = {40, 10, 30, 20};
    (void)state;

    for (unsigned i = 0; i < RUNS; i++)
        runs[i].values[METRIC_MESSAGES_PER_S] = values[i];
    assert_spread(1, 40, 40, 40);
    assert_spread(3, 30, 10, 40);
    assert_spread(4, 25, 10, 40);
}

static void test_what_does_not_apply_counts_as_none(void **state)
{
    (void)state;
    assert_true(isnan(measurement_spread(runs, RUNS, METRIC_MESSAGES_PER_S).median));
    runs[2].values[METRIC_MESSAGES_PER_S] = 7;
    assert_spread(RUNS, 7, 7, 7);
}

static void test_faults(void **state)
{
    (void)state;
    assert_false(measurement_has_fault(&runs[0]));
    runs[0].values[METRIC_MISSING] = 0;
    runs[0].values[METRIC_GAPS] = 5; /* they closed */
    runs[0].values[METRIC_MESSAGES_PER_S] = 5;
    assert_false(measurement_has_fault(&runs[0]));
    runs[0].values[METRIC_MISSING] = 1;
    assert_true(measurement_has_fault(&runs[0]));
}

static void test_every_metric_has_a_name_of_its_own(void **state)
{
    (void)state;
    for (unsigned i = 0; i < METRIC_COUNT; i++) {
        assert_non_null(metric_table[i].name);
        assert_non_null(metric_table[i].label);
        for (unsigned k = 0; k < i; k++)
            assert_string_not_equal(metric_table[i].name, metric_table[k].name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_the_median_of_odd_and_even_counts, set_up),
        cmocka_unit_test_setup(test_what_does_not_apply_counts_as_none, set_up),
        cmocka_unit_test_setup(test_faults, set_up),
        cmocka_unit_test(test_every_metric_has_a_name_of_its_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
