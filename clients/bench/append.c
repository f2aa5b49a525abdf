/* SPDX-License-Identifier: MIT */
/* append.c - what PostgreSQL alone makes of the rows that pairs come to: batches of the same size,
 * as many of them in flight, into a table of the same columns and indexes, over one pipelined
 * connection. Nothing is checked, nobody is told, and no conversation's head moves.
 *
 * The table is the bench's own, emptied before each run and gone in the end. */
#include "base/buf.h"
#include "base/clock.h"
#include "metrics.h"
#include "probe.h"
#include "report.h"
#include "scenario.h"
#include "seed.h"
#include "stamp.h"
#include "words.h"

#include <stdio.h>
#include <stdlib.h>

enum { LIST_MAX_BYTES = 64 << 20, PARAMETERS = 5, FIRST_SENDER = 1000 };

static const char create_table[] =
    "SET client_min_messages = warning; CREATE SCHEMA IF NOT EXISTS banter_bench; "
    "DROP TABLE IF EXISTS banter_bench.messages; "
    "CREATE TABLE banter_bench.messages (LIKE banter.messages INCLUDING CONSTRAINTS"
    "                                    INCLUDING INDEXES)";
static const char drop_table[] = "DROP SCHEMA banter_bench CASCADE";
static const char empty_table[] = "TRUNCATE banter_bench.messages";
static const char append_rows[] =
    "INSERT INTO banter_bench.messages (conversation, seq, sender, at, kind, id, text) "
    "SELECT conversation, seq, sender, clock_timestamp()::timestamptz(3), 1, id, text "
    "  FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::text[], $5::text[]) "
    "    AS d (conversation, seq, sender, id, text)";

struct append {
    const struct options *options;
    PGconn *db;    /* appends */
    PGconn *probe; /* counts */
    struct cast cast;
    struct buf lists[PARAMETERS]; /* array literals of the batch that is written next */
    struct buf text;
    uint64_t rows; /* sent since the table was emptied */
    struct measurement *runs;
};

static bool command(PGconn *db, const char *sql)
{
    PGresult *r = PQexec(db, sql);
    bool done = PQresultStatus(r) == PGRES_COMMAND_OK;

    if (!done)
        fprintf(stderr, "banter-bench: %s", PQerrorMessage(db));
    PQclear(r);
    return done;
}

/* The next row of the conversation whose turn it is. */
static void add_row(struct append *a, const char *comma)
{
    unsigned n = (unsigned)(a->rows % a->cast.stage_count);
    const struct stamp stamp = {.due_us = clock_monotonic_us(),
                                .number = (uint32_t)(a->rows / a->cast.stage_count) & STAMP_MASK,
                                .sender = n,
                                .run = 1};
    char id[UUID_TEXT_LENGTH];

    stamp_format(&stamp, id);
    buf_printf(&a->lists[0], "%s%s", comma, a->cast.stages[n].id_text);
    buf_printf(&a->lists[1], "%s%llu", comma,
               (unsigned long long)(a->rows / a->cast.stage_count + 1));
    buf_printf(&a->lists[2], "%s%u", comma, FIRST_SENDER + n);
    buf_str(&a->lists[3], comma);
    buf_bytes(&a->lists[3], id, sizeof(id));
    buf_str(&a->lists[4], comma);
    buf_slice_put(&a->lists[4], buf_slice(&a->text));
    a->rows++;
}

static bool send_batch(struct append *a)
{
    const char *values[PARAMETERS];

    for (unsigned i = 0; i < PARAMETERS; i++)
        buf_reset(&a->lists[i]);
    for (unsigned i = 0; i < a->options->batch; i++)
        add_row(a, i == 0 ? "{" : ",");
    for (unsigned i = 0; i < PARAMETERS; i++) {
        buf_char(&a->lists[i], '}');
        if (a->lists[i].failed)
            return false;
        values[i] = a->lists[i].data;
    }
    return PQsendQueryPrepared(a->db, "append", PARAMETERS, values, NULL, NULL, 0) == 1 &&
           PQpipelineSync(a->db) == 1;
}

/* Waits for the oldest batch: its outcome, the NULL that ends it, and its sync. */
static bool take_answer(struct append *a)
{
    bool stored = false;
    bool synced = false;

    for (unsigned i = 0; i < 3; i++) {
        PGresult *r = PQgetResult(a->db);

        stored = stored || PQresultStatus(r) == PGRES_COMMAND_OK;
        synced = synced || PQresultStatus(r) == PGRES_PIPELINE_SYNC;
        if (r && PQresultStatus(r) == PGRES_FATAL_ERROR)
            fprintf(stderr, "banter-bench: %s", PQresultErrorMessage(r));
        PQclear(r);
    }
    return stored && synced;
}

/* Until then, with as many batches in flight as the writer has; adds the rows that were committed.
 * The last ones are waited for, too, but not counted. */
static bool append_until(struct append *a, uint64_t until_us, uint64_t *committed)
{
    unsigned flying = 0;
    bool going;

    do {
        going = clock_monotonic_us() < until_us;
        for (; going && flying < a->options->flights; flying++) {
            if (!send_batch(a))
                return false;
        }
        if (flying > 0 && !take_answer(a))
            return false;
        if (flying > 0)
            flying--;
        if (going)
            *committed += a->options->batch;
    } while (going || flying > 0);
    return true;
}

static bool run_once(struct append *a, struct measurement *m)
{
    const struct options *o = a->options;
    struct probe probe = {.db = a->probe, .postgres = o->postgres_pid};
    uint64_t committed = 0;
    bool done;

    measurement_clear(m);
    a->rows = 0;
    if (!command(a->probe, empty_table) || PQenterPipelineMode(a->db) != 1)
        return false;
    done = append_until(a, clock_monotonic_us() + (uint64_t)o->warm_up * 1000000, &committed);
    committed = 0;
    probe_mark(&probe, true, 0);
    done =
        done && append_until(a, clock_monotonic_us() + (uint64_t)o->seconds * 1000000, &committed);
    probe_mark(&probe, false, committed);
    if (!done || PQexitPipelineMode(a->db) != 1)
        return false;
    m->values[METRIC_MESSAGES_PER_S] =
        (double)committed * 1e6 / (double)(probe.end.at_us - probe.begin.at_us);
    probe_report(&probe, m);
    return true;
}

static bool prepare(struct append *a)
{
    const struct options *o = a->options;
    bool done;

    for (unsigned i = 0; i < PARAMETERS; i++)
        buf_init(&a->lists[i], LIST_MAX_BYTES);
    buf_init(&a->text, LIST_MAX_BYTES);
    words_put(&a->text, o->size);
    a->runs = calloc(o->repeat, sizeof(*a->runs));
    a->db = seed_connect(o->dsn);
    a->probe = seed_connect(o->dsn);
    if (!a->runs || !a->db || !a->probe || !cast_pairs(&a->cast, o->pairs) ||
        !command(a->probe, create_table))
        return false;

    PGresult *r = PQprepare(a->db, "append", append_rows, PARAMETERS, NULL);

    done = PQresultStatus(r) == PGRES_COMMAND_OK;
    if (!done)
        fprintf(stderr, "banter-bench: %s", PQerrorMessage(a->db));
    PQclear(r);
    return done;
}

bool scenario_append(const struct options *o)
{
    struct append *a = calloc(1, sizeof(*a));
    char title[160];
    bool done;

    if (!a)
        return false;
    a->options = o;
    snprintf(title, sizeof(title),
             "PostgreSQL alone: rows of %u bytes, %u in a commit, %u commits in flight", o->size,
             o->batch, o->flights);
    done = prepare(a);
    for (unsigned i = 0; done && i < o->repeat; i++)
        done = run_once(a, &a->runs[i]);
    done = done && report_scenario(o, "append", title, a->runs);
    if (a->probe)
        done = command(a->probe, drop_table) && done;
    PQfinish(a->db);
    PQfinish(a->probe);
    cast_finish(&a->cast);
    for (unsigned i = 0; i < PARAMETERS; i++)
        buf_finish(&a->lists[i]);
    buf_finish(&a->text);
    free(a->runs);
    free(a);
    return done;
}
