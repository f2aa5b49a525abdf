/* SPDX-License-Identifier: MIT */
/* connect.c - many users, each with many conversations, connect one after the other as fast as the
 * broker takes them, and then stay idle: how long until they are ready, and what they weigh.
 *
 * What a user weighs is how much the processes have grown. The first run against a broker that has
 * just been started tells; later ones find memory that those before them have left. */
#include "base/clock.h"
#include "guest.h"
#include "histogram.h"
#include "metrics.h"
#include "probe.h"
#include "process.h"
#include "report.h"
#include "scenario.h"
#include "seed.h"

#include <stdio.h>
#include <stdlib.h>

enum { ALL_READY_DEADLINE_US = 120000000, TURN_US = 1000 };

struct arrival {
    const struct options *options;
    PGconn *db;
    struct cast cast;
    struct house house;
    struct sockaddr_in broker;
    uint64_t *started_us; /* when each guest began to connect */
    struct histogram ready_us;
    struct measurement *runs;
};

/* False: said why. */
static bool come_all(struct arrival *a)
{
    struct house *h = &a->house;
    uint64_t begin_us = clock_monotonic_us();
    unsigned next = 0;

    while (h->ready_count < a->cast.player_count) {
        for (; next < a->cast.player_count && h->connecting < a->options->handshakes; next++) {
            a->started_us[next] = clock_monotonic_us();
            if (!guest_connect(h, &h->guests[next]))
                return false;
        }
        if (!house_turn(h, TURN_US))
            return false;
        if (h->lost_count > 0 || clock_monotonic_us() - begin_us > ALL_READY_DEADLINE_US) {
            fprintf(stderr, "banter-bench: %u of %u ready, %u connections lost\n", h->ready_count,
                    a->cast.player_count, h->lost_count);
            return false;
        }
    }
    return true;
}

/* For whoever waits for that: other work may begin beside them. */
static void say_ready(const struct arrival *a)
{
    printf("%u users are ready\n", a->house.ready_count);
    fflush(stdout);
}

static bool stay(struct arrival *a, uint64_t time_us)
{
    uint64_t until_us = clock_monotonic_us() + time_us;

    while (clock_monotonic_us() < until_us) {
        if (!house_turn(&a->house, TURN_US))
            return false;
    }
    return true;
}

static void report_arrival(struct arrival *a, const struct probe *probe, uint64_t begin_us,
                           struct measurement *m)
{
    uint64_t last_us = begin_us;

    histogram_reset(&a->ready_us);
    for (unsigned i = 0; i < a->cast.player_count; i++) {
        uint64_t ready_us = a->house.guests[i].ready_us;

        histogram_record(&a->ready_us, ready_us - a->started_us[i]);
        last_us = ready_us > last_us ? ready_us : last_us;
    }
    m->values[METRIC_CONNECTS_PER_S] =
        (double)a->cast.player_count * 1e6 / (double)(last_us - begin_us);
    m->values[METRIC_READY_P50_MS] = (double)histogram_quantile(&a->ready_us, 0.5) / 1000;
    m->values[METRIC_READY_P99_MS] = (double)histogram_quantile(&a->ready_us, 0.99) / 1000;
    m->values[METRIC_DISCONNECTED] = a->house.lost_count;
    probe_report(probe, m);
}

/* KiB that the process has grown by, for each user. */
static double growth_kib(const struct arrival *a, uint64_t before_kib, pid_t pid)
{
    return ((double)process_rss_kib(pid) - (double)before_kib) / a->cast.player_count;
}

static bool run_once(struct arrival *a, struct measurement *m)
{
    const struct options *o = a->options;
    struct probe probe = {
        .db = a->db, .broker = o->broker_pid, .bridge = o->bridge_pid, .postgres = o->postgres_pid};
    uint64_t broker_kib = process_rss_kib(o->broker_pid);
    uint64_t bridge_kib = process_rss_kib(o->bridge_pid);
    uint64_t begin_us;
    bool done;

    measurement_clear(m);
    if (!house_open(&a->house, &a->cast, &a->broker, 0))
        return false;
    probe_mark(&probe, true, 0);
    begin_us = clock_monotonic_us();
    done = come_all(a);
    probe_mark(&probe, false, a->cast.player_count);
    if (done)
        say_ready(a);
    done = done && stay(a, (uint64_t)o->idle * 1000000);
    if (done) {
        report_arrival(a, &probe, begin_us, m);
        if (broker_kib > 0)
            m->values[METRIC_BROKER_KIB_PER_USER] = growth_kib(a, broker_kib, o->broker_pid);
        if (bridge_kib > 0)
            m->values[METRIC_BRIDGE_KIB_PER_USER] = growth_kib(a, bridge_kib, o->bridge_pid);
    }
    house_close(&a->house);
    return done;
}

static bool prepare(struct arrival *a)
{
    const struct options *o = a->options;
    const struct token_source tokens = {o->keys, o->issuer, o->audience};

    if (!process_may_open(o->clients) || !options_broker_address(o, &a->broker) ||
        !cast_ring(&a->cast, o->clients, o->conversations / 2))
        return false;
    a->runs = calloc(o->repeat, sizeof(*a->runs));
    a->started_us = calloc(o->clients, sizeof(*a->started_us));
    a->db = seed_connect(o->dsn);
    return a->runs && a->started_us && a->db && seed_cast(a->db, &a->cast) &&
           seed_tokens(&tokens, &a->cast);
}

bool scenario_connect(const struct options *o)
{
    struct arrival *a;
    char title[160];
    bool done;

    if (o->conversations < 2 || o->conversations >= o->clients) {
        fprintf(stderr, "banter-bench: --conversations must be from 2 to below --clients\n");
        return false;
    }
    a = calloc(1, sizeof(*a));
    if (!a)
        return false;
    a->options = o;
    snprintf(title, sizeof(title), "%u users with %u direct conversations each connect", o->clients,
             o->conversations / 2 * 2);
    done = prepare(a);
    for (unsigned i = 0; done && i < o->repeat; i++)
        done = run_once(a, &a->runs[i]);
    done = done && report_scenario(o, "connect", title, a->runs);
    PQfinish(a->db);
    cast_finish(&a->cast);
    free(a->started_us);
    free(a->runs);
    free(a);
    return done;
}
