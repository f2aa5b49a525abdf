/* SPDX-License-Identifier: MIT */
/* replay.c - reads a long log over HTTP as NDJSON: how fast, and at what cost in memory. */
#include "http.h"
#include "metrics.h"
#include "process.h"
#include "report.h"
#include "scenario.h"
#include "seed.h"
#include "stamp.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_MAX_BYTES = 1 << 20 };

struct reader {
    struct buf line; /* the start of a line whose end has not come */
    int64_t last_seq;
    uint64_t entries;
    uint64_t disorder; /* seq that did not follow the one before */
    pid_t bridge;
    uint64_t rss_peak_kib;
};

static void take_line(struct reader *r, struct slice line)
{
    struct glance g;

    glance_read(line, &g);
    r->entries++;
    if (g.seq != r->last_seq + 1)
        r->disorder++;
    r->last_seq = g.seq;
}

static void watch_memory(struct reader *r)
{
    uint64_t rss = process_rss_kib(r->bridge);

    if (rss > r->rss_peak_kib)
        r->rss_peak_kib = rss;
}

static bool take_piece(void *owner, struct slice piece)
{
    struct reader *r = owner;
    const char *end;

    while (piece.length > 0 && (end = memchr(piece.data, '\n', piece.length))) {
        size_t length = (size_t)(end - piece.data);

        if (r->line.length > 0) {
            buf_bytes(&r->line, piece.data, length);
            take_line(r, buf_slice(&r->line));
            buf_reset(&r->line);
        } else {
            take_line(r, slice_of(piece.data, length));
        }
        if (r->entries % 10000 == 0)
            watch_memory(r);
        piece = slice_of(end + 1, piece.length - length - 1);
    }
    if (piece.length > 0)
        buf_slice_put(&r->line, piece);
    return !r->line.failed;
}

static bool read_log(const struct options *o, const struct cast *cast, struct measurement *m)
{
    struct reader r = {.bridge = o->bridge_pid};
    char url[OPTION_TEXT_MAX + 128];
    struct http_call get = {.url = url,
                            .token = cast->players[0].token,
                            .accept = "application/x-ndjson",
                            .body = take_piece,
                            .owner = &r};
    struct http_client *client = http_client_create();
    uint64_t before_kib = process_rss_kib(o->bridge_pid);
    bool done;

    buf_init(&r.line, LINE_MAX_BYTES);
    snprintf(url, sizeof(url), "%s/v1/conversations/%s/messages?after=0", o->http,
             cast->stages[0].id_text);
    done = client && http_perform(client, &get);
    watch_memory(&r);
    m->values[METRIC_ENTRIES_PER_S] = (double)r.entries / get.total_s;
    m->values[METRIC_MIB_PER_S] = (double)get.bytes / get.total_s / (1 << 20);
    m->values[METRIC_FIRST_BYTE_MS] = get.first_byte_s * 1000;
    if (before_kib > 0) {
        m->values[METRIC_BRIDGE_RSS_MIB] = (double)r.rss_peak_kib / 1024;
        m->values[METRIC_BRIDGE_RSS_GROWTH_MIB] =
            ((double)r.rss_peak_kib - (double)before_kib) / 1024;
    }
    m->values[METRIC_MISSING] = fabs((double)cast->stages[0].last_seq - (double)r.entries);
    m->values[METRIC_DISORDER] = (double)r.disorder;
    http_client_destroy(client);
    buf_finish(&r.line);
    return done;
}

bool scenario_replay(const struct options *o)
{
    const struct token_source tokens = {o->keys, o->issuer, o->audience};
    struct cast cast;
    struct measurement *runs = calloc(o->repeat, sizeof(*runs));
    char title[128];
    PGconn *db = NULL;
    bool done;

    snprintf(title, sizeof(title), "replay of %u messages of %u bytes over HTTP (NDJSON)",
             o->messages, o->size);
    done = runs && cast_log(&cast, o->messages);
    if (done) {
        db = seed_connect(o->dsn);
        done = db && seed_cast(db, &cast) && seed_tokens(&tokens, &cast) &&
               seed_history(db, &cast, o->messages, o->size);
        for (unsigned i = 0; done && i < o->repeat; i++) {
            measurement_clear(&runs[i]);
            done = read_log(o, &cast, &runs[i]);
        }
        done = done && report_scenario(o, "replay", title, runs);
        cast_finish(&cast);
    }
    PQfinish(db);
    free(runs);
    return done;
}
