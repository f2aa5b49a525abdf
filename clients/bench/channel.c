/* SPDX-License-Identifier: MIT */
/* channel.c - a channel with very many members, some of them online: what its posts do to those who
 * chat beside it, how long a post takes to reach the last one, and what a join costs.
 *
 * Both phases of a run are made on the same connections: first the channel is silent, then it
 * posts. */
#include "histogram.h"
#include "metrics.h"
#include "probe.h"
#include "process.h"
#include "report.h"
#include "scenario.h"
#include "seed.h"
#include "show.h"
#include "troupe.h"
#include "turnstile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SMALL_MEMBERS = 10 };

struct channel_run {
    const struct options *options;
    PGconn *db;
    struct cast pairs, channel, small;
    struct load_config pairs_config, channel_config;
    struct load_result pairs_result, channel_result; /* of the phase under way */
    struct troupe pairs_troupe, channel_troupe;
    unsigned *copies; /* of each post of the phase, so far */
    unsigned posts_max;
    struct histogram last_receiver_us;
    struct measurement *runs;
};

/* Receivers of posts share one clock with the sender: the last copy says how long it took. */
static void count_copy(void *owner, const struct stamp *stamp, uint64_t now_us)
{
    struct channel_run *r = owner;

    if (stamp->number >= r->posts_max)
        return;
    if (++r->copies[stamp->number] == r->channel.player_count - 1)
        histogram_record(&r->last_receiver_us, now_us - stamp->due_us);
}

static void configure(struct channel_run *r)
{
    const struct options *o = r->options;

    r->pairs_config = (struct load_config){.rate = o->direct_rate, .text_bytes = o->size};
    r->channel_config = (struct load_config){
        .rate = o->rate, .text_bytes = o->size, .heard = count_copy, .owner = r};
    r->posts_max = o->rate * (o->warm_up + o->seconds) + 1;
}

static bool prepare(struct channel_run *r)
{
    const struct options *o = r->options;
    const struct token_source tokens = {o->keys, o->issuer, o->audience};

    configure(r);
    r->copies = calloc(r->posts_max, sizeof(*r->copies));
    r->runs = calloc(o->repeat, sizeof(*r->runs));
    if (!r->copies || !r->runs || !cast_pairs(&r->pairs, o->pairs) ||
        !cast_channel(&r->channel, o->members, o->connected) ||
        !cast_channel(&r->small, SMALL_MEMBERS, SMALL_MEMBERS))
        return false;
    r->db = seed_connect(o->dsn);
    return r->db && seed_cast(r->db, &r->pairs) && seed_cast(r->db, &r->channel) &&
           seed_cast(r->db, &r->small) && seed_channel(r->db, &r->channel, o->members) &&
           seed_channel(r->db, &r->small, SMALL_MEMBERS) && seed_tokens(&tokens, &r->pairs) &&
           seed_tokens(&tokens, &r->channel) &&
           options_broker_address(o, &r->pairs_config.broker) &&
           options_broker_address(o, &r->channel_config.broker);
}

static bool play(struct channel_run *r, bool silent, struct measurement *m)
{
    struct probe probe = {.db = r->db,
                          .broker = r->options->broker_pid,
                          .bridge = r->options->bridge_pid,
                          .postgres = r->options->postgres_pid};
    const struct show show = {.troupes = {&r->pairs_troupe, &r->channel_troupe},
                              .silent = {false, silent},
                              .count = 2,
                              .warm_up_s = r->options->warm_up,
                              .seconds = r->options->seconds,
                              .mark = probe_mark,
                              .owner = &probe};

    memset(&r->pairs_result, 0, sizeof(r->pairs_result));
    memset(&r->channel_result, 0, sizeof(r->channel_result));
    memset(r->copies, 0, r->posts_max * sizeof(*r->copies));
    histogram_reset(&r->last_receiver_us);
    if (!show_play(&show))
        return false;
    measurement_add_faults(m, &r->pairs_result);
    measurement_add_faults(m, &r->channel_result);
    probe_report_machine(&probe, m);
    return true;
}

/* Posts are few: their tail is their maximum. */
static void report_posts(const struct channel_run *r, struct measurement *m)
{
    const struct histogram *last = &r->last_receiver_us;
    double *v = m->values;

    v[METRIC_POSTS] = (double)last->count;
    v[METRIC_CHANNEL_DELIVERIES_PER_S] = (double)r->channel_result.delivered / r->options->seconds;
    v[METRIC_LAST_RECEIVER_P50_MS] = (double)histogram_quantile(last, 0.5) / 1000;
    v[METRIC_LAST_RECEIVER_P90_MS] = (double)histogram_quantile(last, 0.9) / 1000;
    v[METRIC_LAST_RECEIVER_MAX_MS] = (double)last->max / 1000;
}

static bool run_once(struct channel_run *r, struct measurement *m)
{
    const struct turnstile turnstile = {.http = r->options->http,
                                        .token = r->pairs.players[0].token,
                                        .large = r->channel.stages[0].id_text,
                                        .small = r->small.stages[0].id_text,
                                        .rounds = r->options->joins};

    measurement_clear(m);
    if (!play(r, true, m))
        return false;
    measurement_add_latencies(m, METRIC_ALONE_P50_MS, &r->pairs_result.delivered_us);
    if (!play(r, false, m))
        return false;
    measurement_add_latencies(m, METRIC_BESIDE_P50_MS, &r->pairs_result.delivered_us);
    report_posts(r, m);
    return turnstile_measure(&turnstile, m);
}

/* Everybody connects once and stays for all the runs. */
static bool run_all(struct channel_run *r)
{
    const struct options *o = r->options;
    bool done =
        troupe_init(&r->pairs_troupe, &r->pairs_config, &r->pairs, &r->pairs_result) &&
        troupe_init(&r->channel_troupe, &r->channel_config, &r->channel, &r->channel_result) &&
        troupe_connect(&r->pairs_troupe) && troupe_connect(&r->channel_troupe);

    for (unsigned i = 0; done && i < o->repeat; i++)
        done = run_once(r, &r->runs[i]);
    if (done) {
        troupe_bow(&r->pairs_troupe);
        troupe_bow(&r->channel_troupe);
    }
    troupe_finish(&r->pairs_troupe);
    troupe_finish(&r->channel_troupe);
    if (!done)
        fprintf(stderr, "banter-bench: the run could not be made\n");
    return done;
}

static bool is_possible(const struct options *o)
{
    if (o->members <= SMALL_MEMBERS || o->connected < 2 || o->connected > o->members) {
        fprintf(stderr,
                "banter-bench: a channel of more than %d members, 2 or more of them connected\n",
                SMALL_MEMBERS);
        return false;
    }
    if (o->rate == 0 || o->direct_rate == 0) {
        fprintf(stderr, "banter-bench: this scenario knows no saturation: the rates are not 0\n");
        return false;
    }
    return process_may_open(2 * o->pairs + o->connected);
}

bool scenario_channel(const struct options *o)
{
    struct channel_run *r = calloc(1, sizeof(*r));
    char title[256];
    bool done = false;

    snprintf(title, sizeof(title),
             "a channel of %u, %u connected, %u posts/s of %u bytes; %u pairs, %u messages/s",
             o->members, o->connected, o->rate, o->size, o->pairs, o->direct_rate);
    if (r && is_possible(o)) {
        r->options = o;
        done = prepare(r) && run_all(r) && report_scenario(o, "channel", title, r->runs);
        PQfinish(r->db);
        cast_finish(&r->pairs);
        cast_finish(&r->channel);
        cast_finish(&r->small);
        free(r->copies);
        free(r->runs);
    }
    free(r);
    return done;
}
