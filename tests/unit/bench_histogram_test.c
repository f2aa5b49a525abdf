/* SPDX-License-Identifier: MIT */
/* bench_histogram_test.c - quantiles against those of the sorted values. */
#include "unit/unit.h"

#include "base/hash.h"
#include "histogram.h"

#include <math.h>
#include <stdlib.h>

enum { VALUES = 20000 };

static struct histogram h; /* large: not for the stack */

static void test_small_values_are_exact(void **state)
{
    (void)state;
    histogram_reset(&h);
    assert_int_equal(histogram_quantile(&h, 0.5), 0);
    for (uint64_t v = 1; v <= 100; v++)
        histogram_record(&h, v);
    assert_int_equal(histogram_quantile(&h, 0.01), 1);
    assert_int_equal(histogram_quantile(&h, 0.5), 50);
    assert_int_equal(histogram_quantile(&h, 0.99), 99);
    assert_int_equal(histogram_quantile(&h, 1), 100);
    assert_int_equal(histogram_mean(&h) * 10, 505);
}

static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a;
    uint64_t y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

/* Values spread evenly over the powers of two, as latencies are. */
static void test_quantiles_are_within_one_percent(void **state)
{
    static const double fractions[] = {0.001, 0.1, 0.5, 0.9, 0.99, 0.999, 1};
    static uint64_t values[VALUES];

    (void)state;
    histogram_reset(&h);
    for (uint64_t i = 0; i < VALUES; i++) {
        values[i] = (uint64_t)exp2(39.0 * (double)(hash_u64(i) >> 11) * 0x1p-53);
        histogram_record(&h, values[i]);
    }
    qsort(values, VALUES, sizeof(values[0]), compare);
    for (size_t i = 0; i < sizeof(fractions) / sizeof(fractions[0]); i++) {
        uint64_t exact = values[(size_t)ceil(fractions[i] * VALUES) - 1];
        uint64_t found = histogram_quantile(&h, fractions[i]);

        assert_true(found >= exact);
        assert_true((double)found <= (double)exact * 1.01);
    }
    assert_int_equal(histogram_quantile(&h, 1), values[VALUES - 1]);
}

static void test_takes_values_of_any_size(void **state)
{
    (void)state;
    histogram_reset(&h);
    for (unsigned bit = 0; bit < 64; bit++) {
        histogram_record(&h, UINT64_C(1) << bit);
        histogram_record(&h, (UINT64_C(1) << bit) - 1);
    }
    assert_int_equal(h.count, 128);
    assert_int_equal(histogram_quantile(&h, 1), UINT64_C(1) << 63);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_small_values_are_exact),
        cmocka_unit_test(test_quantiles_are_within_one_percent),
        cmocka_unit_test(test_takes_values_of_any_size),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
