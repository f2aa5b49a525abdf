/* SPDX-License-Identifier: MIT */
/* histogram.h - counts of latencies at a fixed relative precision, in constant memory.
 *
 * Log-linear: every power of two is cut into equal steps, so that a value is known to better than
 * 1 %; values below 128 are exact, and the maximum always is. Recording costs a few instructions
 * and never allocates. Units are the caller's. */
#ifndef BANTER_BENCH_HISTOGRAM_H
#define BANTER_BENCH_HISTOGRAM_H

#include <stdint.h>

enum {
    HISTOGRAM_STEP_BITS = 7, /* 128 steps per power of two */
    HISTOGRAM_VALUE_BITS = 40,
    HISTOGRAM_BUCKETS = (HISTOGRAM_VALUE_BITS - HISTOGRAM_STEP_BITS + 1) << HISTOGRAM_STEP_BITS
};

struct histogram {
    uint64_t count;
    uint64_t sum;
    uint64_t max;
    uint64_t buckets[HISTOGRAM_BUCKETS];
};

/* All zero is an empty histogram. */
void histogram_reset(struct histogram *h);
/* Values of 2^HISTOGRAM_VALUE_BITS and more are counted in the last bucket. */
void histogram_record(struct histogram *h, uint64_t value);
/* The smallest recorded value v such that `fraction` (0..1) of all values are <= v, rounded up to
 * the end of its bucket but never beyond the maximum. 0 when empty. */
uint64_t histogram_quantile(const struct histogram *h, double fraction);
double histogram_mean(const struct histogram *h);

#endif
