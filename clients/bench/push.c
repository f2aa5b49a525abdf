/* SPDX-License-Identifier: MIT */
/* push.c - one post to a very large channel, of whose members many want a push: what that does to
 * those who chat beside it, how long until all are told, and whether others who are away are told
 * of their direct messages in time meanwhile.
 *
 * The copy under test must push to webhooks on loopback: BANTER_PUSH_WEBHOOKS=true and
 * BANTER_PUSH_ALLOW_PRIVATE=true. */
#include "base/clock.h"
#include "histogram.h"
#include "http.h"
#include "metrics.h"
#include "probe.h"
#include "process.h"
#include "report.h"
#include "scenario.h"
#include "seed.h"
#include "show.h"
#include "sink.h"
#include "troupe.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    OWNER = 0,    /* of the channel: posts there, and writes to */
    FRIEND = 1,   /* who is away */
    STALL_S = 20, /* without a push: the rest is not coming */
    DIRECT_DEADLINE_S = 10,
    DIRECT_EVERY_MS = 1000,
    URL_BYTES = 2048,
};

struct push_run {
    const struct options *options;
    PGconn *db;
    struct cast pairs, channel;
    struct load_config config;
    struct load_result result;
    struct troupe troupe;
    struct sink *sink;
    struct http_client *client;
    struct histogram direct_us; /* from the message to its push */
    unsigned direct_missing;
    atomic_bool drained; /* tells the friend's thread to end */
    uint64_t posted_us;
    struct measurement *runs;
};

static void pause_ms(unsigned ms)
{
    const struct timespec wait = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L};
    nanosleep(&wait, NULL);
}

static bool execute(PGconn *db, const char *sql, int count, const char *const *values)
{
    PGresult *r = PQexecParams(db, sql, count, NULL, values, NULL, NULL, 0);
    bool done = PQresultStatus(r) == PGRES_COMMAND_OK;

    if (!done)
        fprintf(stderr, "banter-bench: %s", PQerrorMessage(db));
    PQclear(r);
    return done;
}

/* Of the last run nothing is left. */
static bool seed_registrations(const struct push_run *r)
{
    char port[16], count[16], friend[24];
    const char *values[] = {port, r->channel.stages[0].id_text, friend, count};
    static const char *const statements[] = {
        "DELETE FROM banter.push_registrations WHERE address LIKE 'http://127.0.0.1:%'",
        "DELETE FROM banter.push_jobs",
    };

    snprintf(port, sizeof(port), "%u", sink_port(r->sink));
    snprintf(count, sizeof(count), "%u", r->options->registered);
    snprintf(friend, sizeof(friend), "%llu", (unsigned long long)r->channel.players[FRIEND].uid);
    for (size_t i = 0; i < sizeof(statements) / sizeof(statements[0]); i++) {
        if (!execute(r->db, statements[i], 0, NULL))
            return false;
    }
    return execute(r->db,
                   "INSERT INTO banter.push_registrations (user_id, provider, address, secret)"
                   " SELECT user_id, 3, 'http://127.0.0.1:' || $1 ||"
                   "        CASE WHEN user_id = $3::bigint THEN '/direct'"
                   "             ELSE '/bulk/' || row_number() OVER (ORDER BY user_id) - 1 END,"
                   "        'the secret of the bench'"
                   "   FROM (SELECT user_id FROM banter.members"
                   "          WHERE conversation = $2::uuid AND role < 3"
                   "          ORDER BY user_id = $3::bigint DESC, user_id"
                   "          LIMIT $4::bigint + 1) m",
                   4, values) &&
           execute(r->db, "ANALYZE banter.push_registrations", 0, NULL) &&
           execute(r->db,
                   "UPDATE banter.members SET muted_until = 'infinity'"
                   " WHERE conversation = $1::uuid AND user_id = $2::bigint",
                   2, (const char *[]){values[1], friend});
}

static bool prepare(struct push_run *r)
{
    const struct options *o = r->options;
    const struct token_source tokens = {o->keys, o->issuer, o->audience};

    r->config = (struct load_config){.rate = o->direct_rate, .text_bytes = o->size};
    r->runs = calloc(o->repeat, sizeof(*r->runs));
    r->sink = sink_create(o->registered + 1);
    r->client = http_client_create();
    if (!r->runs || !r->sink || !r->client || !cast_pairs(&r->pairs, o->pairs) ||
        !cast_channel(&r->channel, o->members, 2))
        return false;
    r->db = seed_connect(o->dsn);
    return r->db && seed_cast(r->db, &r->pairs) && seed_cast(r->db, &r->channel) &&
           seed_channel(r->db, &r->channel, o->members) && seed_registrations(r) &&
           seed_tokens(&tokens, &r->pairs) && seed_tokens(&tokens, &r->channel) &&
           options_broker_address(o, &r->config.broker);
}

/* A message over HTTP from the owner of the channel. */
static bool post(struct push_run *r, struct http_client *client, const char *conversation)
{
    char url[URL_BYTES], json[128];
    struct http_call call = {.url = url, .token = r->channel.players[OWNER].token, .json = json};

    snprintf(url, sizeof(url), "%s/v1/conversations/%s/messages", r->options->http, conversation);
    snprintf(json, sizeof(json), "{\"id\":\"bench-%llu\",\"text\":\"is anybody there?\"}",
             (unsigned long long)clock_monotonic_us());
    return http_perform(client, &call);
}

/* One message to the friend; waits for the push that tells of it. */
static bool tell_friend(struct push_run *r, struct http_client *client, const char *conversation)
{
    struct sink_count before, now;
    uint64_t sent_us = clock_monotonic_us();

    sink_look(r->sink, &before);
    if (!post(r, client, conversation))
        return false;
    do {
        pause_ms(2);
        sink_look(r->sink, &now);
    } while (now.direct == before.direct &&
             clock_monotonic_us() < sent_us + DIRECT_DEADLINE_S * 1000000u);
    if (now.direct == before.direct)
        r->direct_missing++;
    else
        histogram_record(&r->direct_us, now.direct_us - sent_us);
    return true;
}

static void *write_to_friend(void *argument)
{
    struct push_run *r = argument;
    struct http_client *client = http_client_create();
    char conversation[HANDLE_MAX_LENGTH + 2];

    snprintf(conversation, sizeof(conversation), "@%s", r->channel.players[FRIEND].handle);
    while (client && !atomic_load(&r->drained) && tell_friend(r, client, conversation))
        pause_ms(DIRECT_EVERY_MS);
    http_client_destroy(client);
    return NULL;
}

static bool play(struct push_run *r, struct measurement *m, bool beside)
{
    struct probe probe = {.db = r->db,
                          .broker = r->options->broker_pid,
                          .bridge = r->options->bridge_pid,
                          .postgres = r->options->postgres_pid};
    const struct show show = {.troupes = {&r->troupe},
                              .count = 1,
                              .warm_up_s = beside ? 0 : r->options->warm_up,
                              .seconds = r->options->seconds,
                              .mark = probe_mark,
                              .owner = &probe};

    memset(&r->result, 0, sizeof(r->result));
    if (!show_play(&show))
        return false;
    measurement_add_faults(m, &r->result);
    if (beside)
        probe_report_machine(&probe, m);
    return true;
}

static void wait_until_told(struct push_run *r)
{
    struct sink_count count;
    unsigned last = 0;
    uint64_t progress_us = clock_monotonic_us();

    do {
        sink_look(r->sink, &count);
        if (count.bulk != last)
            progress_us = clock_monotonic_us();
        last = count.bulk;
        pause_ms(20);
    } while (count.bulk < r->options->registered &&
             clock_monotonic_us() < progress_us + STALL_S * 1000000u);
}

static void report_pushes(struct push_run *r, struct measurement *m)
{
    const struct histogram *direct = &r->direct_us;
    struct sink_count count;
    double *v = m->values;

    sink_look(r->sink, &count);
    v[METRIC_PUSHES] = count.bulk;
    v[METRIC_PUSH_FIRST_MS] = (double)(count.first_us - r->posted_us) / 1000;
    v[METRIC_PUSH_ALL_MS] = (double)(count.last_us - r->posted_us) / 1000;
    v[METRIC_PUSH_DIRECT_P50_MS] = (double)histogram_quantile(direct, 0.5) / 1000;
    v[METRIC_PUSH_DIRECT_MAX_MS] = (double)direct->max / 1000;
    v[METRIC_PUSH_AGAIN] = count.again;
    v[METRIC_PUSH_MISSING] = (double)(r->options->registered - count.bulk) + r->direct_missing;
}

static bool run_once(struct push_run *r, struct measurement *m)
{
    pthread_t thread;
    bool done;

    measurement_clear(m);
    if (!play(r, m, false))
        return false;
    measurement_add_latencies(m, METRIC_ALONE_P50_MS, &r->result.delivered_us);
    sink_clear(r->sink);
    histogram_reset(&r->direct_us);
    r->direct_missing = 0;
    atomic_store(&r->drained, false);
    r->posted_us = clock_monotonic_us();
    if (!post(r, r->client, r->channel.stages[0].id_text) ||
        pthread_create(&thread, NULL, write_to_friend, r) != 0)
        return false;
    done = play(r, m, true);
    wait_until_told(r);
    atomic_store(&r->drained, true);
    pthread_join(thread, NULL);
    measurement_add_latencies(m, METRIC_BESIDE_P50_MS, &r->result.delivered_us);
    report_pushes(r, m);
    return done;
}

static bool run_all(struct push_run *r)
{
    bool done =
        troupe_init(&r->troupe, &r->config, &r->pairs, &r->result) && troupe_connect(&r->troupe);

    for (unsigned i = 0; done && i < r->options->repeat; i++)
        done = run_once(r, &r->runs[i]);
    if (done)
        troupe_bow(&r->troupe);
    troupe_finish(&r->troupe);
    if (!done)
        fprintf(stderr, "banter-bench: the run could not be made\n");
    return done;
}

static bool is_possible(const struct options *o)
{
    if (o->registered == 0 || o->registered + 2 > o->members || o->direct_rate == 0) {
        fprintf(stderr, "banter-bench: 1 or more registered, fewer than members; a rate\n");
        return false;
    }
    return process_may_open(2 * o->pairs + 1024);
}

bool scenario_push(const struct options *o)
{
    struct push_run *r = calloc(1, sizeof(*r));
    char title[256];
    bool done = false;

    snprintf(title, sizeof(title),
             "one post to a channel of %u, %u of them away and registered; %u pairs, %u messages/s",
             o->members, o->registered, o->pairs, o->direct_rate);
    if (r && is_possible(o)) {
        r->options = o;
        done = prepare(r) && run_all(r) && report_scenario(o, "push", title, r->runs);
        PQfinish(r->db);
        cast_finish(&r->pairs);
        cast_finish(&r->channel);
        http_client_destroy(r->client);
        sink_destroy(r->sink);
        free(r->runs);
    }
    free(r);
    return done;
}
