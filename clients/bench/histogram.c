/* SPDX-License-Identifier: MIT */
/* histogram.c - see histogram.h.
 *
 * Bucket 0..127 hold the values 0..127. A value with its highest bit at position p >= 7 falls into
 * group p - 6, at the step that its next seven bits name. */
#include "histogram.h"

#include <assert.h>
#include <math.h>
#include <string.h>

enum { STEPS = 1 << HISTOGRAM_STEP_BITS };

static unsigned bucket_of(uint64_t value)
{
    if (value >> HISTOGRAM_VALUE_BITS)
        return HISTOGRAM_BUCKETS - 1;
    if (value < STEPS)
        return (unsigned)value;

    unsigned shift = 63 - (unsigned)__builtin_clzll(value) - HISTOGRAM_STEP_BITS;

    return ((shift + 1) << HISTOGRAM_STEP_BITS) + (unsigned)(value >> shift & (STEPS - 1));
}

/* The largest value that falls into this bucket. */
static uint64_t bucket_end(unsigned bucket)
{
    if (bucket < STEPS)
        return bucket;

    unsigned shift = (bucket >> HISTOGRAM_STEP_BITS) - 1;
    uint64_t start = (uint64_t)(STEPS + (bucket & (STEPS - 1))) << shift;

    return start + ((uint64_t)1 << shift) - 1;
}

void histogram_reset(struct histogram *h)
{
    memset(h, 0, sizeof(*h));
}

void histogram_record(struct histogram *h, uint64_t value)
{
    h->count++;
    h->sum += value;
    if (value > h->max)
        h->max = value;
    h->buckets[bucket_of(value)]++;
}

uint64_t histogram_quantile(const struct histogram *h, double fraction)
{
    uint64_t rank = (uint64_t)ceil(fraction * (double)h->count);
    uint64_t seen = 0;

    assert(fraction >= 0 && fraction <= 1);
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS - 1; i++) {
        seen += h->buckets[i];
        if (seen >= rank && seen > 0)
            return bucket_end(i) < h->max ? bucket_end(i) : h->max;
    }
    return h->max;
}

double histogram_mean(const struct histogram *h)
{
    return h->count > 0 ? (double)h->sum / (double)h->count : 0;
}
