/* SPDX-License-Identifier: MIT */
/* metrics.h - what a run yields, as one table that the printed report and the JSON are made from.
 *
 * A measurement holds one value per metric; NAN says that it does not apply. */
#ifndef BANTER_BENCH_METRICS_H
#define BANTER_BENCH_METRICS_H

#include <stdbool.h>

enum metric {
    METRIC_MESSAGES_PER_S,
    METRIC_DELIVERIES_PER_S,
    METRIC_RECEIPT_P50_MS,
    METRIC_RECEIPT_P90_MS,
    METRIC_RECEIPT_P99_MS,
    METRIC_RECEIPT_P999_MS,
    METRIC_RECEIPT_MAX_MS,
    METRIC_DELIVERY_P50_MS,
    METRIC_DELIVERY_P90_MS,
    METRIC_DELIVERY_P99_MS,
    METRIC_DELIVERY_P999_MS,
    METRIC_DELIVERY_MAX_MS,
    METRIC_ENTRIES_PER_S,
    METRIC_MIB_PER_S,
    METRIC_FIRST_BYTE_MS,
    METRIC_CPU_BROKER_US,
    METRIC_CPU_BRIDGE_US,
    METRIC_CPU_POSTGRES_US,
    METRIC_CPU_SYSTEM_US,
    METRIC_CPU_BENCH_US,
    METRIC_COMMITS_PER_S,
    METRIC_MESSAGES_PER_COMMIT,
    METRIC_WAL_BYTES,
    METRIC_CONNECTS_PER_S,
    METRIC_READY_P99_MS,
    METRIC_BROKER_RSS_MIB,
    METRIC_BRIDGE_RSS_MIB,
    METRIC_BRIDGE_RSS_GROWTH_MIB,
    METRIC_REFUSED,
    METRIC_FAILED,
    METRIC_UNANSWERED,
    METRIC_MISSING,
    METRIC_GAPS,
    METRIC_DUPLICATES,
    METRIC_REPEATED,
    METRIC_DISORDER,
    METRIC_DISCONNECTED,
    METRIC_COUNT
};

struct metric_info {
    const char *name;  /* in JSON */
    const char *label; /* in the table */
    int decimals;
    bool is_fault; /* 0 in a good run, and then not worth a line */
};

extern const struct metric_info metric_table[METRIC_COUNT];

struct measurement {
    double values[METRIC_COUNT];
};

struct load_result;

/* All values NAN. */
void measurement_clear(struct measurement *m);
/* Fills in what a run of load.h yields. */
void measurement_add_load(struct measurement *m, const struct load_result *r);

/* Over several runs of the same thing; NAN where the metric does not apply. */
struct spread {
    double median, min, max;
};
struct spread measurement_spread(const struct measurement *runs, unsigned count,
                                 enum metric metric);

#endif
