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
    METRIC_ALONE_P50_MS, /* five in a row, as above */
    METRIC_ALONE_P90_MS,
    METRIC_ALONE_P99_MS,
    METRIC_ALONE_P999_MS,
    METRIC_ALONE_MAX_MS,
    METRIC_BESIDE_P50_MS, /* and again */
    METRIC_BESIDE_P90_MS,
    METRIC_BESIDE_P99_MS,
    METRIC_BESIDE_P999_MS,
    METRIC_BESIDE_MAX_MS,
    METRIC_POSTS,
    METRIC_CHANNEL_DELIVERIES_PER_S,
    METRIC_LAST_RECEIVER_P50_MS,
    METRIC_LAST_RECEIVER_P90_MS,
    METRIC_LAST_RECEIVER_MAX_MS,
    METRIC_JOIN_LARGE_MS,
    METRIC_JOIN_SMALL_MS,
    METRIC_JOIN_RATIO,
    METRIC_LEAVE_LARGE_MS,
    METRIC_LEAVE_SMALL_MS,
    METRIC_LEAVE_RATIO,
    METRIC_SYNC_COLD_P50_MS, /* three in a row: p50, p99, maximum */
    METRIC_SYNC_COLD_P99_MS,
    METRIC_SYNC_COLD_MAX_MS,
    METRIC_SYNC_WARM_P50_MS,
    METRIC_SYNC_WARM_P99_MS,
    METRIC_SYNC_WARM_MAX_MS,
    METRIC_SYNC_HTTP_P50_MS,
    METRIC_SYNC_HTTP_P99_MS,
    METRIC_SYNC_HTTP_MAX_MS,
    METRIC_SYNC_MQTT_BYTES,
    METRIC_SYNC_MQTT_PAGES,
    METRIC_SYNC_HTTP_BYTES,
    METRIC_STORM_READY_P50_MS, /* three in a row, from the cut on */
    METRIC_STORM_READY_P99_MS,
    METRIC_STORM_READY_ALL_MS,
    METRIC_STORM_SYNCED_P50_MS,
    METRIC_STORM_SYNCED_P99_MS,
    METRIC_STORM_SYNCED_ALL_MS,
    METRIC_STORM_ANSWERED_ALL_MS,
    METRIC_STORM_SYNCS_REFUSED,
    METRIC_STORM_ANSWERS,
    METRIC_STORM_CHANGES,
    METRIC_AWAY_DUE,
    METRIC_AWAY_SEEN,
    METRIC_AWAY_AFTER_MS,
    METRIC_BACK_SEEN,
    METRIC_BACK_AFTER_MS,
    METRIC_PUSHES,
    METRIC_PUSH_FIRST_MS,
    METRIC_PUSH_ALL_MS,
    METRIC_PUSH_DIRECT_P50_MS,
    METRIC_PUSH_DIRECT_MAX_MS,
    METRIC_CPU_BROKER_US,
    METRIC_CPU_BRIDGE_US,
    METRIC_CPU_POSTGRES_US,
    METRIC_CPU_REDIS_US,
    METRIC_CPU_SYSTEM_US,
    METRIC_CPU_BENCH_US,
    METRIC_CPU_OTHERS,
    METRIC_COMMITS_PER_S,
    METRIC_MESSAGES_PER_COMMIT,
    METRIC_WAL_BYTES,
    METRIC_CONNECTS_PER_S,
    METRIC_READY_P50_MS,
    METRIC_READY_P99_MS,
    METRIC_BROKER_KIB_PER_USER,
    METRIC_BRIDGE_KIB_PER_USER,
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
    METRIC_INCOMPLETE,
    METRIC_PRESENCE_STRAY,
    METRIC_PRESENCE_MISSING,
    METRIC_PRESENCE_ECHOES,
    METRIC_PRESENCE_WRONG,
    METRIC_WATCHES_REFUSED,
    METRIC_PUSH_AGAIN,
    METRIC_PUSH_MISSING,
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

struct histogram;
struct load_result;

/* All values NAN. */
void measurement_clear(struct measurement *m);
/* Fills in what a run of load.h yields. */
void measurement_add_load(struct measurement *m, const struct load_result *r);

/* Adds up what went wrong in several of them. */
void measurement_add_faults(struct measurement *m, const struct load_result *r);
/* Fills in p50, p90, p99, p99.9 and the maximum, which are five metrics in a row from `first` on,
 * of a histogram in microseconds; nothing if it is empty. */
void measurement_add_latencies(struct measurement *m, enum metric first, const struct histogram *h);
/* Whether the run found anything that must not be; a gap that closed is none. */
bool measurement_has_fault(const struct measurement *m);

/* Over several runs of the same thing; NAN where the metric does not apply. */
struct spread {
    double median, min, max;
};
struct spread measurement_spread(const struct measurement *runs, unsigned count,
                                 enum metric metric);

#endif
