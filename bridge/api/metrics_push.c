/* SPDX-License-Identifier: MIT */
/* metrics_push.c - the numbers of push: what the senders did, by provider, and what waits for them.
 */
#include "api/metrics.h"
#include "core/push_service.h"

#include <inttypes.h>
#include <stddef.h>

/* A number that there is of each provider. */
struct series {
    const char *name;
    const char *type;
    const char *help;
    size_t offset; /* in struct push_stats */
};

#define AT(field) offsetof(struct push_stats, field)

static const struct series of_senders[] = {
    {"push_in_flight", "gauge", "Pushes under way.", AT(in_flight)},
    {"push_sent_total", "counter", "Pushes that the provider took.", AT(sent)},
    {"push_gone_total", "counter", "Registrations that the provider called gone.", AT(gone)},
    {"push_retried_total", "counter", "Pushes that failed in passing.", AT(retried)},
    {"push_refused_total", "counter", "Pushes that failed for good.", AT(failed)},
    {"push_busy_total", "counter", "Pushes that found no room.", AT(busy)},
};

static void put_head(struct buf *b, const char *name, const char *type, const char *help)
{
    buf_printf(b, "# HELP banter_%s %s\n# TYPE banter_%s %s\n", name, help, name, type);
}

static void put_of_provider(struct buf *b, const char *name, enum push_provider provider,
                            uint64_t value)
{
    buf_printf(b, "banter_%s{provider=\"%s\"} %" PRIu64 "\n", name, push_provider_name(provider),
               value);
}

static void put_seconds(struct buf *b, const char *name, enum push_provider provider, uint64_t ms)
{
    buf_printf(b, "banter_%s{provider=\"%s\"} %" PRIu64 ".%03u\n", name,
               push_provider_name(provider), ms / 1000, (unsigned)(ms % 1000));
}

static void put_senders(struct buf *b, const struct push_stats *stats)
{
    for (size_t i = 0; i < sizeof of_senders / sizeof *of_senders; i++) {
        const struct series *s = &of_senders[i];

        put_head(b, s->name, s->type, s->help);
        for (unsigned p = 0; p < PUSH_PROVIDER_COUNT; p++)
            put_of_provider(b, s->name, (enum push_provider)p,
                            *(const uint64_t *)((const char *)&stats[p] + s->offset));
    }
}

static void put_reasons(struct buf *b, const struct push_stats *stats)
{
    put_head(b, "push_failed_total", "counter", "Attempts that did not succeed, by reason.");
    for (unsigned p = 0; p < PUSH_PROVIDER_COUNT; p++) {
        for (unsigned reason = PUSH_REASON_NONE + 1; reason < PUSH_REASON_COUNT; reason++)
            buf_printf(b, "banter_push_failed_total{provider=\"%s\",reason=\"%s\"} %" PRIu64 "\n",
                       push_provider_name((enum push_provider)p),
                       push_reason_name((enum push_reason)reason), stats[p].by_reason[reason]);
    }
}

static void put_latency(struct buf *b, enum push_provider provider, const struct push_stats *s)
{
    static const unsigned bounds[] = PUSH_LATENCY_BOUNDS_MS;
    const char *name = push_provider_name(provider);
    uint64_t count = 0;

    _Static_assert(sizeof bounds / sizeof *bounds + 1 == PUSH_LATENCY_BUCKETS, "push.h");
    for (unsigned i = 0; i < PUSH_LATENCY_BUCKETS - 1; i++) {
        count += s->latency[i];
        buf_printf(
            b, "banter_push_latency_seconds_bucket{provider=\"%s\",le=\"%u.%03u\"} %" PRIu64 "\n",
            name, bounds[i] / 1000, bounds[i] % 1000, count);
    }
    count += s->latency[PUSH_LATENCY_BUCKETS - 1];
    buf_printf(b, "banter_push_latency_seconds_bucket{provider=\"%s\",le=\"+Inf\"} %" PRIu64 "\n",
               name, count);
    put_seconds(b, "push_latency_seconds_sum", provider, s->latency_sum_ms);
    put_of_provider(b, "push_latency_seconds_count", provider, count);
}

static void put_queues(struct buf *b, const struct push_worker_stats *worker)
{
    put_head(b, "push_jobs", "gauge", "Pushes waiting or under way, counted up to 100,000.");
    for (unsigned p = 0; p < PUSH_PROVIDER_COUNT; p++)
        put_of_provider(b, "push_jobs", (enum push_provider)p, worker->queues[p].jobs);
    put_head(b, "push_overdue_seconds", "gauge", "How long the first of them has been due.");
    for (unsigned p = 0; p < PUSH_PROVIDER_COUNT; p++)
        put_seconds(b, "push_overdue_seconds", (enum push_provider)p, worker->queues[p].overdue_ms);
    put_head(b, "push_dead", "gauge", "Pushes given up and kept, counted up to 100,000.");
    for (unsigned p = 0; p < PUSH_PROVIDER_COUNT; p++)
        put_of_provider(b, "push_dead", (enum push_provider)p, worker->queues[p].dead);
    put_head(b, "push_age_seconds_sum", "counter",
             "Time from the first message of a push to its being sent, summed up.");
    for (unsigned p = 0; p < PUSH_PROVIDER_COUNT; p++)
        put_seconds(b, "push_age_seconds_sum", (enum push_provider)p, worker->age_ms[p]);
    put_head(b, "push_age_seconds_count", "counter", "How many these were.");
    for (unsigned p = 0; p < PUSH_PROVIDER_COUNT; p++)
        put_of_provider(b, "push_age_seconds_count", (enum push_provider)p, worker->told[p]);
}

void metrics_push(struct buf *b, const struct push_service *push)
{
    const struct push_senders *senders = push_service_senders(push);
    struct push_stats stats[PUSH_PROVIDER_COUNT];
    struct push_expander_stats expander;
    struct push_worker_stats worker;

    if (!senders)
        return;
    for (unsigned p = 0; p < PUSH_PROVIDER_COUNT; p++)
        push_get_stats(senders, (enum push_provider)p, &stats[p]);
    push_service_get_stats(push, &expander, &worker);
    put_senders(b, stats);
    put_reasons(b, stats);
    put_head(b, "push_latency_seconds", "histogram", "How long the providers took to answer.");
    for (unsigned p = 0; p < PUSH_PROVIDER_COUNT; p++)
        put_latency(b, (enum push_provider)p, &stats[p]);
    put_queues(b, &worker);
    metrics_gauge(b, "push_outbox_rows", "Messages whose members have not been gone through.",
                  worker.outbox.jobs);
    put_head(b, "push_outbox_age_seconds", "gauge", "How old the first of them is.");
    buf_printf(b, "banter_push_outbox_age_seconds %" PRIu64 ".%03u\n",
               worker.outbox.overdue_ms / 1000, (unsigned)(worker.outbox.overdue_ms % 1000));
    metrics_counter(b, "push_jobs_total", "Pushes that were due, or joined one that was.",
                    expander.jobs);
    metrics_counter(b, "push_slices_total", "Slices in which they were found.", expander.slices);
    metrics_counter(b, "push_taken_total", "Pushes taken, again and again if need be.",
                    worker.taken);
    metrics_counter(b, "push_online_total", "Users who needed none: a device was there.",
                    expander.online);
    metrics_counter(b, "push_dropped_total", "Pushes that nobody needed any more.", worker.dropped);
    metrics_counter(b, "push_died_total", "Pushes given up.", worker.died);
    metrics_counter(b, "push_database_failures_total", "Statements that had to be done again.",
                    expander.failures + worker.failures);
}
