/* SPDX-License-Identifier: MIT */
/* inbox.c - a user with very many conversations comes back: how long one sync takes, from the
 * request to the last answer.
 *
 * Cold is the first sync of a connection, warm the next one. No sync is asked for before the last
 * one has been answered. */
#include "base/clock.h"
#include "guest.h"
#include "histogram.h"
#include "http.h"
#include "metrics.h"
#include "probe.h"
#include "report.h"
#include "scenario.h"
#include "seed.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ANSWER_DEADLINE_US = 30000000, ANSWER_MAX_BYTES = 256 << 20, URL_BYTES = 2048 };

struct inbox {
    const struct options *options;
    PGconn *db;
    struct cast cast;
    struct house house;
    struct http_client *client;
    struct histogram cold_us, warm_us, http_us;
    double mqtt_bytes, mqtt_pages, http_bytes;
    uint64_t incomplete;
    struct measurement *runs;
};

/* Whether an answer held every conversation, with its unread messages as far as the limit goes. */
static bool is_whole(const struct inbox *b, uint64_t heads, uint64_t entries)
{
    const struct options *o = b->options;
    uint64_t each = o->unread < o->limit ? o->unread : o->limit;

    return heads == o->conversations && entries == heads * (each + 1); /* the preview is one */
}

static bool wait_for(struct house *h, const bool *flag)
{
    uint64_t deadline_us = clock_monotonic_us() + ANSWER_DEADLINE_US;

    while (!*flag) {
        if (!house_turn(h, ANSWER_DEADLINE_US))
            return false;
        if (h->lost_count > 0 || clock_monotonic_us() > deadline_us) {
            fprintf(stderr, "banter-bench: no answer\n");
            return false;
        }
    }
    return true;
}

static bool sync_over_mqtt(struct inbox *b, struct histogram *us)
{
    struct guest *g = &b->house.guests[0];

    guest_sync(&b->house, g);
    if (!wait_for(&b->house, &g->synced))
        return false;
    histogram_record(us, g->synced_us - g->asked_us);
    b->mqtt_bytes = (double)g->sync_bytes;
    b->mqtt_pages = g->sync_pages;
    if (!is_whole(b, g->sync_heads, g->sync_entries))
        b->incomplete++;
    return true;
}

static bool take_answer(void *owner, struct slice piece)
{
    struct buf *answer = owner;

    buf_slice_put(answer, piece);
    return !answer->failed;
}

static uint64_t count_of(const char *text, const char *needle)
{
    uint64_t count = 0;

    for (; (text = strstr(text, needle)); text += strlen(needle))
        count++;
    return count;
}

static bool sync_over_http(struct inbox *b)
{
    char url[URL_BYTES], json[64];
    struct buf answer;
    struct http_call call = {.url = url,
                             .token = b->cast.players[0].token,
                             .json = json,
                             .body = take_answer,
                             .owner = &answer};
    bool done;

    snprintf(url, sizeof(url), "%s/v1/sync", b->options->http);
    snprintf(json, sizeof(json), "{\"limit\":%u}", b->options->limit);
    buf_init(&answer, ANSWER_MAX_BYTES);
    done = http_perform(b->client, &call);
    if (done) {
        histogram_record(&b->http_us, (uint64_t)llround(call.total_s * 1e6));
        b->http_bytes = (double)call.bytes;
        if (!is_whole(b, count_of(answer.data, "\"preview\":"), count_of(answer.data, "\"seq\":")))
            b->incomplete++;
    }
    buf_finish(&answer);
    return done;
}

static bool come_and_go(struct inbox *b)
{
    struct guest *g = &b->house.guests[0];
    bool done = guest_connect(&b->house, g) && wait_for(&b->house, &g->ready) &&
                sync_over_mqtt(b, &b->cold_us) && sync_over_mqtt(b, &b->warm_us);

    guest_cut(&b->house, g);
    return done && sync_over_http(b);
}

/* Syncs are few: their tail is their p99 and their maximum. */
static void report_latencies(struct measurement *m, enum metric first, const struct histogram *h)
{
    m->values[first] = (double)histogram_quantile(h, 0.5) / 1000;
    m->values[first + 1] = (double)histogram_quantile(h, 0.99) / 1000;
    m->values[first + 2] = (double)h->max / 1000;
}

static bool run_once(struct inbox *b, struct measurement *m)
{
    struct probe probe = {.broker = b->options->broker_pid,
                          .bridge = b->options->bridge_pid,
                          .postgres = b->options->postgres_pid};

    histogram_reset(&b->cold_us);
    histogram_reset(&b->warm_us);
    histogram_reset(&b->http_us);
    b->incomplete = 0;
    measurement_clear(m);
    probe_mark(&probe, true, 0);
    for (unsigned i = 0; i < b->options->syncs; i++) {
        if (!come_and_go(b))
            return false;
    }
    probe_mark(&probe, false, 0);
    probe_report_machine(&probe, m);
    report_latencies(m, METRIC_SYNC_COLD_P50_MS, &b->cold_us);
    report_latencies(m, METRIC_SYNC_WARM_P50_MS, &b->warm_us);
    report_latencies(m, METRIC_SYNC_HTTP_P50_MS, &b->http_us);
    m->values[METRIC_SYNC_MQTT_BYTES] = b->mqtt_bytes;
    m->values[METRIC_SYNC_MQTT_PAGES] = b->mqtt_pages;
    m->values[METRIC_SYNC_HTTP_BYTES] = b->http_bytes;
    m->values[METRIC_INCOMPLETE] = (double)b->incomplete;
    return true;
}

static bool prepare(struct inbox *b)
{
    const struct options *o = b->options;
    const struct token_source tokens = {o->keys, o->issuer, o->audience};
    struct sockaddr_in broker;

    b->runs = calloc(o->repeat, sizeof(*b->runs));
    if (!b->runs || !cast_inbox(&b->cast, o->conversations) || !options_broker_address(o, &broker))
        return false;
    b->db = seed_connect(o->dsn);
    b->client = http_client_create();
    if (!b->db || !b->client || !seed_cast(b->db, &b->cast) ||
        !seed_history(b->db, &b->cast, o->unread, o->size) || !seed_tokens(&tokens, &b->cast) ||
        !house_open(&b->house, &b->cast, &broker, 0))
        return false;
    b->house.sync_limit = o->limit;
    return true;
}

bool scenario_inbox(const struct options *o)
{
    struct inbox *b = calloc(1, sizeof(*b));
    char title[160];
    bool done;

    if (!b)
        return false;
    b->options = o;
    snprintf(title, sizeof(title),
             "an inbox of %u conversations, %u unread messages of %u bytes in each",
             o->conversations, o->unread, o->size);
    done = prepare(b);
    for (unsigned i = 0; done && i < o->repeat; i++)
        done = run_once(b, &b->runs[i]);
    done = done && report_scenario(o, "inbox", title, b->runs);
    house_close(&b->house);
    http_client_destroy(b->client);
    PQfinish(b->db);
    cast_finish(&b->cast);
    free(b->runs);
    free(b);
    return done;
}
