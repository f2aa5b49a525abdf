/* SPDX-License-Identifier: MIT */
/* metrics.c - see metrics.h. */
#include "metrics.h"

#include "load.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

enum { RUNS_MAX = 1000 };

const struct metric_info metric_table[METRIC_COUNT] = {
    [METRIC_MESSAGES_PER_S] = {"messages_per_s", "messages/s (banter: durable)", 0, false},
    [METRIC_DELIVERIES_PER_S] = {"deliveries_per_s", "deliveries/s", 0, false},
    [METRIC_RECEIPT_P50_MS] = {"receipt_p50_ms", "send to receipt p50, ms", 2, false},
    [METRIC_RECEIPT_P90_MS] = {"receipt_p90_ms", "send to receipt p90, ms", 2, false},
    [METRIC_RECEIPT_P99_MS] = {"receipt_p99_ms", "send to receipt p99, ms", 2, false},
    [METRIC_RECEIPT_P999_MS] = {"receipt_p999_ms", "send to receipt p99.9, ms", 2, false},
    [METRIC_RECEIPT_MAX_MS] = {"receipt_max_ms", "send to receipt max, ms", 2, false},
    [METRIC_DELIVERY_P50_MS] = {"delivery_p50_ms", "send to delivery p50, ms", 2, false},
    [METRIC_DELIVERY_P90_MS] = {"delivery_p90_ms", "send to delivery p90, ms", 2, false},
    [METRIC_DELIVERY_P99_MS] = {"delivery_p99_ms", "send to delivery p99, ms", 2, false},
    [METRIC_DELIVERY_P999_MS] = {"delivery_p999_ms", "send to delivery p99.9, ms", 2, false},
    [METRIC_DELIVERY_MAX_MS] = {"delivery_max_ms", "send to delivery max, ms", 2, false},
    [METRIC_ENTRIES_PER_S] = {"entries_per_s", "entries/s", 0, false},
    [METRIC_MIB_PER_S] = {"mib_per_s", "MiB/s", 1, false},
    [METRIC_FIRST_BYTE_MS] = {"first_byte_ms", "first byte after, ms", 2, false},
    [METRIC_ALONE_P50_MS] = {"alone_p50_ms", "direct, channel silent: p50, ms", 2, false},
    [METRIC_ALONE_P90_MS] = {"alone_p90_ms", "direct, channel silent: p90, ms", 2, false},
    [METRIC_ALONE_P99_MS] = {"alone_p99_ms", "direct, channel silent: p99, ms", 2, false},
    [METRIC_ALONE_P999_MS] = {"alone_p999_ms", "direct, channel silent: p99.9, ms", 2, false},
    [METRIC_ALONE_MAX_MS] = {"alone_max_ms", "direct, channel silent: max, ms", 2, false},
    [METRIC_BESIDE_P50_MS] = {"beside_p50_ms", "direct, beside its posts: p50, ms", 2, false},
    [METRIC_BESIDE_P90_MS] = {"beside_p90_ms", "direct, beside its posts: p90, ms", 2, false},
    [METRIC_BESIDE_P99_MS] = {"beside_p99_ms", "direct, beside its posts: p99, ms", 2, false},
    [METRIC_BESIDE_P999_MS] = {"beside_p999_ms", "direct, beside its posts: p99.9, ms", 2, false},
    [METRIC_BESIDE_MAX_MS] = {"beside_max_ms", "direct, beside its posts: max, ms", 2, false},
    [METRIC_POSTS] = {"posts", "posts measured", 0, false},
    [METRIC_CHANNEL_DELIVERIES_PER_S] = {"channel_deliveries_per_s", "channel: deliveries/s", 0,
                                         false},
    [METRIC_LAST_RECEIVER_P50_MS] = {"last_receiver_p50_ms", "post to last receiver p50, ms", 1,
                                     false},
    [METRIC_LAST_RECEIVER_P90_MS] = {"last_receiver_p90_ms", "post to last receiver p90, ms", 1,
                                     false},
    [METRIC_LAST_RECEIVER_MAX_MS] = {"last_receiver_max_ms", "post to last receiver max, ms", 1,
                                     false},
    [METRIC_JOIN_LARGE_MS] = {"join_large_ms", "join, the large channel, median ms", 2, false},
    [METRIC_JOIN_SMALL_MS] = {"join_small_ms", "join, the small channel, median ms", 2, false},
    [METRIC_JOIN_RATIO] = {"join_ratio", "join, large to small", 2, false},
    [METRIC_LEAVE_LARGE_MS] = {"leave_large_ms", "leave, the large channel, median ms", 2, false},
    [METRIC_LEAVE_SMALL_MS] = {"leave_small_ms", "leave, the small channel, median ms", 2, false},
    [METRIC_LEAVE_RATIO] = {"leave_ratio", "leave, large to small", 2, false},
    [METRIC_SYNC_COLD_P50_MS] = {"sync_cold_p50_ms", "sync over MQTT, first, p50, ms", 1, false},
    [METRIC_SYNC_COLD_P99_MS] = {"sync_cold_p99_ms", "sync over MQTT, first, p99, ms", 1, false},
    [METRIC_SYNC_COLD_MAX_MS] = {"sync_cold_max_ms", "sync over MQTT, first, max, ms", 1, false},
    [METRIC_SYNC_WARM_P50_MS] = {"sync_warm_p50_ms", "sync over MQTT, again, p50, ms", 1, false},
    [METRIC_SYNC_WARM_P99_MS] = {"sync_warm_p99_ms", "sync over MQTT, again, p99, ms", 1, false},
    [METRIC_SYNC_WARM_MAX_MS] = {"sync_warm_max_ms", "sync over MQTT, again, max, ms", 1, false},
    [METRIC_SYNC_HTTP_P50_MS] = {"sync_http_p50_ms", "sync over HTTP, p50, ms", 1, false},
    [METRIC_SYNC_HTTP_P99_MS] = {"sync_http_p99_ms", "sync over HTTP, p99, ms", 1, false},
    [METRIC_SYNC_HTTP_MAX_MS] = {"sync_http_max_ms", "sync over HTTP, max, ms", 1, false},
    [METRIC_SYNC_MQTT_BYTES] = {"sync_mqtt_bytes", "sync over MQTT, bytes", 0, false},
    [METRIC_SYNC_MQTT_PAGES] = {"sync_mqtt_pages", "sync over MQTT, pages", 0, false},
    [METRIC_SYNC_HTTP_BYTES] = {"sync_http_bytes", "sync over HTTP, bytes", 0, false},
    [METRIC_STORM_READY_P50_MS] = {"storm_ready_p50_ms", "cut to ready, p50, ms", 0, false},
    [METRIC_STORM_READY_P99_MS] = {"storm_ready_p99_ms", "cut to ready, p99, ms", 0, false},
    [METRIC_STORM_READY_ALL_MS] = {"storm_ready_all_ms", "cut to all ready, ms", 0, false},
    [METRIC_STORM_SYNCED_P50_MS] = {"storm_synced_p50_ms", "cut to synced, p50, ms", 0, false},
    [METRIC_STORM_SYNCED_P99_MS] = {"storm_synced_p99_ms", "cut to synced, p99, ms", 0, false},
    [METRIC_STORM_SYNCED_ALL_MS] = {"storm_synced_all_ms", "cut to all synced, ms", 0, false},
    [METRIC_STORM_ANSWERED_ALL_MS] = {"storm_answered_all_ms", "cut to all watches answered, ms", 0,
                                      false},
    [METRIC_STORM_SYNCS_REFUSED] = {"storm_syncs_refused", "syncs refused and asked again", 0,
                                    false},
    [METRIC_STORM_ANSWERS] = {"storm_answers", "storm: answers to watches", 0, false},
    [METRIC_STORM_CHANGES] = {"storm_changes", "storm: presence messages besides", 0, false},
    [METRIC_AWAY_DUE] = {"away_due", "absence: changes due", 0, false},
    [METRIC_AWAY_SEEN] = {"away_seen", "absence: changes seen", 0, false},
    [METRIC_AWAY_AFTER_MS] = {"away_after_ms", "absence: last one after the cut, ms", 0, false},
    [METRIC_BACK_SEEN] = {"back_seen", "return: changes seen", 0, false},
    [METRIC_BACK_AFTER_MS] = {"back_after_ms", "return: last one after the first connect, ms", 0,
                              false},
    [METRIC_PUSHES] = {"pushes", "pushes of the post", 0, false},
    [METRIC_PUSH_FIRST_MS] = {"push_first_ms", "post to its first push, ms", 0, false},
    [METRIC_PUSH_ALL_MS] = {"push_all_ms", "post to its last push, ms", 0, false},
    [METRIC_PUSH_DIRECT_P50_MS] = {"push_direct_p50_ms", "direct message to its push p50, ms", 0,
                                   false},
    [METRIC_PUSH_DIRECT_MAX_MS] = {"push_direct_max_ms", "direct message to its push max, ms", 0,
                                   false},
    [METRIC_CPU_BROKER_US] = {"cpu_broker_us", "processor per message, broker, us", 1, false},
    [METRIC_CPU_BRIDGE_US] = {"cpu_bridge_us", "processor per message, bridge, us", 1, false},
    [METRIC_CPU_POSTGRES_US] = {"cpu_postgres_us", "processor per message, postgres, us", 1, false},
    [METRIC_CPU_REDIS_US] = {"cpu_redis_us", "processor per message, redis, us", 1, false},
    [METRIC_CPU_SYSTEM_US] = {"cpu_system_us", "processor per message, these three, us", 1, false},
    [METRIC_CPU_BENCH_US] = {"cpu_bench_us", "processor per message, this bench, us", 1, false},
    [METRIC_CPU_OTHERS] = {"cpu_others", "cores taken by what is none of these", 2, false},
    [METRIC_COMMITS_PER_S] = {"commits_per_s", "commits/s", 0, false},
    [METRIC_MESSAGES_PER_COMMIT] = {"messages_per_commit", "messages per commit", 1, false},
    [METRIC_WAL_BYTES] = {"wal_bytes", "WAL bytes per message", 0, false},
    [METRIC_CONNECTS_PER_S] = {"connects_per_s", "connects to ready/s", 0, false},
    [METRIC_READY_P50_MS] = {"ready_p50_ms", "connect to ready p50, ms", 1, false},
    [METRIC_READY_P99_MS] = {"ready_p99_ms", "connect to ready p99, ms", 1, false},
    [METRIC_BROKER_KIB_PER_USER] = {"broker_kib_per_user", "broker, growth per user, KiB", 1,
                                    false},
    [METRIC_BRIDGE_KIB_PER_USER] = {"bridge_kib_per_user", "bridge, growth per user, KiB", 1,
                                    false},
    [METRIC_BROKER_RSS_MIB] = {"broker_rss_mib", "memory of the broker, MiB", 1, false},
    [METRIC_BRIDGE_RSS_MIB] = {"bridge_rss_mib", "memory of the bridge, MiB", 1, false},
    [METRIC_BRIDGE_RSS_GROWTH_MIB] = {"bridge_rss_growth_mib", "its growth meanwhile, MiB", 1,
                                      false},
    [METRIC_REFUSED] = {"refused", "refused and sent again", 0, true},
    [METRIC_FAILED] = {"failed", "refused for good", 0, true},
    [METRIC_UNANSWERED] = {"unanswered", "without an outcome", 0, true},
    [METRIC_MISSING] = {"missing", "missing copies", 0, true},
    [METRIC_GAPS] = {"gaps", "jumps of seq seen on the way", 0, true},
    [METRIC_DUPLICATES] = {"duplicates", "copies twice or out of order", 0, true},
    [METRIC_REPEATED] = {"repeated", "repeated receipts", 0, true},
    [METRIC_DISORDER] = {"disorder", "outcomes out of order", 0, true},
    [METRIC_DISCONNECTED] = {"disconnected", "connections lost", 0, true},
    [METRIC_INCOMPLETE] = {"incomplete", "syncs that were not whole", 0, true},
    [METRIC_PUSH_AGAIN] = {"push_again", "pushes that came twice", 0, true},
    [METRIC_PUSH_MISSING] = {"push_missing", "pushes that never came", 0, true},
    [METRIC_PRESENCE_STRAY] = {"presence_stray", "presence messages that were no change", 0, true},
    [METRIC_PRESENCE_MISSING] = {"presence_missing", "presence changes that did not come", 0, true},
    [METRIC_PRESENCE_ECHOES] = {"presence_echoes", "presence messages of no news", 0, true},
    [METRIC_PRESENCE_WRONG] = {"presence_wrong", "users shown as what they are not", 0, true},
    [METRIC_WATCHES_REFUSED] = {"watches_refused", "watches refused", 0, true},
};

void measurement_clear(struct measurement *m)
{
    for (int i = 0; i < METRIC_COUNT; i++)
        m->values[i] = NAN;
}

void measurement_add_latencies(struct measurement *m, enum metric first, const struct histogram *h)
{
    static const double fractions[] = {0.5, 0.9, 0.99, 0.999, 1.0};

    for (unsigned i = 0; i < sizeof(fractions) / sizeof(fractions[0]); i++) {
        if (h->count > 0)
            m->values[first + i] = (double)histogram_quantile(h, fractions[i]) / 1000;
    }
}

static void add(struct measurement *m, enum metric metric, uint64_t count)
{
    double before = m->values[metric];

    m->values[metric] = (isnan(before) ? 0 : before) + (double)count;
}

void measurement_add_faults(struct measurement *m, const struct load_result *r)
{
    add(m, METRIC_REFUSED, r->refused);
    add(m, METRIC_FAILED, r->failed);
    add(m, METRIC_UNANSWERED, r->unanswered);
    add(m, METRIC_MISSING, r->missing);
    add(m, METRIC_GAPS, r->gaps);
    add(m, METRIC_DUPLICATES, r->duplicates);
    add(m, METRIC_REPEATED, r->repeated);
    add(m, METRIC_DISORDER, r->disorder);
    add(m, METRIC_DISCONNECTED, r->disconnected);
}

void measurement_add_load(struct measurement *m, const struct load_result *r)
{
    double *v = m->values;

    v[METRIC_MESSAGES_PER_S] = (double)r->messages / r->seconds;
    v[METRIC_DELIVERIES_PER_S] = (double)r->delivered / r->seconds;
    measurement_add_latencies(m, METRIC_RECEIPT_P50_MS, &r->acknowledged_us);
    measurement_add_latencies(m, METRIC_DELIVERY_P50_MS, &r->delivered_us);
    v[METRIC_CONNECTS_PER_S] = (double)r->ready_us.count / r->connect_s;
    v[METRIC_READY_P99_MS] = (double)histogram_quantile(&r->ready_us, 0.99) / 1000;
    measurement_add_faults(m, r);
}

bool measurement_has_fault(const struct measurement *m)
{
    for (int i = 0; i < METRIC_COUNT; i++) {
        if (metric_table[i].is_fault && i != METRIC_GAPS && m->values[i] > 0)
            return true;
    }
    return false;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;

    return (x > y) - (x < y);
}

struct spread measurement_spread(const struct measurement *runs, unsigned count, enum metric metric)
{
    double sorted[RUNS_MAX];
    unsigned n = 0;

    assert(count <= RUNS_MAX);
    for (unsigned i = 0; i < count; i++) {
        if (!isnan(runs[i].values[metric]))
            sorted[n++] = runs[i].values[metric];
    }
    if (n == 0)
        return (struct spread){NAN, NAN, NAN};
    qsort(sorted, n, sizeof(sorted[0]), compare);
    return (struct spread){(sorted[(n - 1) / 2] + sorted[n / 2]) / 2, sorted[0], sorted[n - 1]};
}
