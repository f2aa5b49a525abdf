/* SPDX-License-Identifier: MIT */
/* rounds.c - the same work on a bare broker and on Banter, in turns, so that a machine that slows
 * down slows both. */
#include "baseline.h"
#include "load.h"
#include "metrics.h"
#include "probe.h"
#include "report.h"
#include "scenario.h"
#include "seed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WINDOW_DEFAULT = 8, OPTIONS_MAX_BYTES = 65536 };

struct rounds {
    const struct options *options;
    struct cast *cast;
    PGconn *db;
    struct load_config config;
    struct load_result result; /* of the run under way */
    struct measurement *banter, *bare;
};

static bool run_bare(struct rounds *r, struct measurement *out)
{
    struct baseline baseline;
    struct probe probe = {0};
    struct load_config config = r->config;
    bool done;

    if (!baseline_start(&baseline, r->options->baseline))
        return false;
    probe.broker = baseline.pid;
    config.bare = true;
    config.broker = baseline.address;
    config.mark = probe_mark;
    config.owner = &probe;
    done = load_run(&config, r->cast, &r->result);
    if (done) {
        measurement_add_load(out, &r->result);
        probe_report(&probe, out);
    }
    baseline_stop(&baseline);
    return done;
}

static bool run_banter(struct rounds *r, struct measurement *out)
{
    struct probe probe = {.db = r->db,
                          .broker = r->options->broker_pid,
                          .bridge = r->options->bridge_pid,
                          .postgres = r->options->postgres_pid,
                          .further = &r->options->further};
    struct load_config config = r->config;

    if (!seed_cast(r->db, r->cast) || !options_broker_address(r->options, &config.broker))
        return false;
    config.further = &r->options->further;
    config.mark = probe_mark;
    config.owner = &probe;
    if (!load_run(&config, r->cast, &r->result))
        return false;
    measurement_add_load(out, &r->result);
    probe_report(&probe, out);
    return true;
}

/* What some scenarios need beside users and conversations. */
static bool enlarge(const struct rounds *r)
{
    const struct options *o = r->options;

    if (r->cast->stages[0].kind == CONVERSATION_CHANNEL)
        return seed_channel(r->db, r->cast, r->cast->player_count);
    return o->history == 0 || seed_history(r->db, r->cast, o->history, o->size);
}

static bool prepare(struct rounds *r)
{
    const struct options *o = r->options;
    const struct token_source tokens = {o->keys, o->issuer, o->audience};

    r->config = (struct load_config){.rate = o->rate,
                                     .window = o->window ? o->window : WINDOW_DEFAULT,
                                     .warm_up_s = o->warm_up,
                                     .seconds = o->seconds,
                                     .text_bytes = o->size};
    r->banter = calloc(o->repeat, sizeof(*r->banter));
    r->bare = calloc(o->repeat, sizeof(*r->bare));
    if (!r->banter || !r->bare)
        return false;
    for (unsigned i = 0; i < o->repeat; i++) {
        measurement_clear(&r->banter[i]);
        measurement_clear(&r->bare[i]);
    }
    if (o->baseline_only)
        return true;
    r->db = seed_connect(o->dsn);
    return r->db && seed_cast(r->db, r->cast) && seed_tokens(&tokens, r->cast) && enlarge(r);
}

static bool report(const struct rounds *r, const char *bench, const char *title)
{
    const struct options *o = r->options;
    struct buf options_json;
    bool written;

    buf_init(&options_json, OPTIONS_MAX_BYTES);
    options_write_json(o, &options_json);
    written = !options_json.failed &&
              report_write(&(struct report){.bench = bench,
                                            .title = title,
                                            .options_json = options_json.data,
                                            .banter = r->banter,
                                            .bare = o->baseline[0] ? r->bare : NULL,
                                            .runs = o->repeat},
                           o->json[0] ? o->json : NULL);
    buf_finish(&options_json);
    return written;
}

bool rounds_run(const struct options *o, const char *bench, const char *title, struct cast *cast)
{
    struct rounds *r = calloc(1, sizeof(*r));
    bool done = false;

    if (r) {
        r->options = o;
        r->cast = cast;
        done = prepare(r);
        for (unsigned i = 0; done && i < o->repeat; i++)
            done = (o->baseline[0] == '\0' || run_bare(r, &r->bare[i])) &&
                   (o->baseline_only || run_banter(r, &r->banter[i]));
        done = done && report(r, bench, title);
        PQfinish(r->db);
        free(r->banter);
        free(r->bare);
    }
    free(r);
    cast_finish(cast);
    return done;
}
