/* SPDX-License-Identifier: MIT */
/* probe.c - see probe.h. */
#include "probe.h"

#include "base/clock.h"
#include "process.h"

#include <math.h>
#include <stdlib.h>
#include <sys/resource.h>

static const char select_counters[] =
    "SELECT pg_snapshot_xmax(pg_current_snapshot()), pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')";

/* Not by process_cpu_us(): the baseline is a child of ours. */
static uint64_t own_cpu_us(void)
{
    struct rusage usage;

    if (getrusage(RUSAGE_SELF, &usage) != 0)
        return 0;
    return (uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000 +
           (uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

static void ask_database(PGconn *db, struct probe_sample *s)
{
    PGresult *r = PQexec(db, select_counters);

    if (PQresultStatus(r) == PGRES_TUPLES_OK && PQntuples(r) == 1) {
        s->transactions = strtoull(PQgetvalue(r, 0, 0), NULL, 10);
        s->wal_bytes = strtoull(PQgetvalue(r, 0, 1), NULL, 10);
    }
    PQclear(r);
}

void probe_mark(void *owner, bool begins, uint64_t acknowledged)
{
    struct probe *p = owner;
    struct probe_sample *s = begins ? &p->begin : &p->end;

    s->acknowledged = acknowledged;
    s->at_us = clock_monotonic_us();
    s->broker_us = process_cpu_us(p->broker);
    s->bridge_us = process_cpu_us(p->bridge);
    s->postgres_us = process_cpu_us(p->postgres);
    if (p->further) {
        s->broker_us += further_brokers_us(p->further);
        s->bridge_us += further_bridges_us(p->further);
        s->redis_us = process_cpu_us(p->further->redis);
    }
    s->bench_us = own_cpu_us();
    s->machine_us = process_machine_cpu_us();
    if (p->db)
        ask_database(p->db, s);
}

/* NAN when nothing was measured, or the process was another one at the end. */
static double difference(uint64_t begin, uint64_t end)
{
    return begin > 0 && end >= begin ? (double)(end - begin) : NAN;
}

static double or_nothing(double value)
{
    return isnan(value) ? 0 : value;
}

/* Seconds of processor time that went to nobody who takes part. The counters of the machine and
 * those of the processes tick apart: the difference may be a little below 0. */
static double others(const struct probe *p)
{
    double ours = (double)(p->end.bench_us - p->begin.bench_us) +
                  or_nothing(difference(p->begin.broker_us, p->end.broker_us)) +
                  or_nothing(difference(p->begin.bridge_us, p->end.bridge_us)) +
                  or_nothing(difference(p->begin.postgres_us, p->end.postgres_us)) +
                  or_nothing(difference(p->begin.redis_us, p->end.redis_us));
    double rest = difference(p->begin.machine_us, p->end.machine_us) - ours;

    return rest > 0 ? rest / 1e6 : 0;
}

void probe_report_machine(const struct probe *p, struct measurement *m)
{
    double seconds = (double)(p->end.at_us - p->begin.at_us) / 1e6;

    if (seconds > 0)
        m->values[METRIC_CPU_OTHERS] = others(p) / seconds;
    m->values[METRIC_BROKER_RSS_MIB] = p->broker ? (double)process_rss_kib(p->broker) / 1024 : NAN;
    m->values[METRIC_BRIDGE_RSS_MIB] = p->bridge ? (double)process_rss_kib(p->bridge) / 1024 : NAN;
}

void probe_report(const struct probe *p, struct measurement *m)
{
    double messages = (double)(p->end.acknowledged - p->begin.acknowledged);
    double seconds = (double)(p->end.at_us - p->begin.at_us) / 1e6;
    double broker = difference(p->begin.broker_us, p->end.broker_us);
    double bridge = difference(p->begin.bridge_us, p->end.bridge_us);
    double postgres = difference(p->begin.postgres_us, p->end.postgres_us);
    double redis = difference(p->begin.redis_us, p->end.redis_us);
    double commits = difference(p->begin.transactions, p->end.transactions);

    probe_report_machine(p, m);
    if (messages <= 0)
        return;
    m->values[METRIC_CPU_BROKER_US] = broker / messages;
    m->values[METRIC_CPU_BRIDGE_US] = bridge / messages;
    m->values[METRIC_CPU_POSTGRES_US] = postgres / messages;
    m->values[METRIC_CPU_REDIS_US] = redis / messages;
    m->values[METRIC_CPU_SYSTEM_US] =
        (or_nothing(broker) + or_nothing(bridge) + or_nothing(postgres) + or_nothing(redis)) /
        messages;
    m->values[METRIC_CPU_BENCH_US] = (double)(p->end.bench_us - p->begin.bench_us) / messages;
    if (isnan(commits) || commits == 0)
        return;
    m->values[METRIC_COMMITS_PER_S] = commits / seconds;
    m->values[METRIC_MESSAGES_PER_COMMIT] = messages / commits;
    m->values[METRIC_WAL_BYTES] = difference(p->begin.wal_bytes, p->end.wal_bytes) / messages;
}
