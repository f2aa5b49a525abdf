/* SPDX-License-Identifier: MIT */
/* pipeline.c - the queries of one connection, in libpq's pipeline mode.
 *
 * A ring remembers what was sent; the results come back in the same order. After an error libpq
 * reports everything up to the next sync as aborted. An error of the commit itself arrives as a
 * result before the sync's own. */
#include "db/conn.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "db/params.h"

#include <assert.h>
#include <stdlib.h>

enum { EXPECTED_CAPACITY_FIRST = 64 };

static struct expected *expected_at(struct db_conn *c, size_t index)
{
    return &c->expected[(c->expected_head + index) & (c->expected_capacity - 1)];
}

static void grow_ring(struct db_conn *c)
{
    size_t capacity = c->expected_capacity ? 2 * c->expected_capacity : EXPECTED_CAPACITY_FIRST;
    struct expected *ring = must_calloc(capacity, sizeof *ring);

    for (size_t i = 0; i < c->expected_count; i++)
        ring[i] = *expected_at(c, i);
    free(c->expected);
    c->expected = ring;
    c->expected_capacity = capacity;
    c->expected_head = 0;
}

static void expect(struct db_conn *c, struct expected what)
{
    if (c->expected_count == c->expected_capacity)
        grow_ring(c);
    if (c->expected_count == 0)
        c->turn_ms = clock_monotonic_ms();
    *expected_at(c, c->expected_count++) = what;
}

static struct expected take_expected(struct db_conn *c)
{
    assert(c->expected_count > 0);
    struct expected first = *expected_at(c, 0);
    c->expected_head = (c->expected_head + 1) & (c->expected_capacity - 1);
    c->expected_count--;
    return first;
}

uint64_t pipeline_turn_ms(const struct db_conn *c)
{
    return c->expected_count > 0 ? c->turn_ms : 0;
}

size_t db_conn_backlog(const struct db_conn *c)
{
    return c->expected_count;
}

static bool is_prepared(const struct db_conn *c, const struct db_statement *statement)
{
    for (size_t i = 0; i < c->prepared_count; i++) {
        if (c->prepared[i] == statement)
            return true;
    }
    return false;
}

static void remember_prepared(struct db_conn *c, const struct db_statement *statement)
{
    c->prepared =
        must_realloc(c->prepared, (c->prepared_count + 1) * sizeof(const struct db_statement *));
    c->prepared[c->prepared_count++] = statement;
}

static void forget_prepared(struct db_conn *c, const struct db_statement *statement)
{
    for (size_t i = 0; i < c->prepared_count; i++) {
        if (c->prepared[i] == statement)
            c->prepared[i] = c->prepared[--c->prepared_count];
    }
}

static bool prepare(struct db_conn *c, const struct db_statement *statement)
{
    if (is_prepared(c, statement))
        return true;
    if (!PQsendPrepare(c->pg, statement->name, statement->sql, 0, NULL))
        return false;
    remember_prepared(c, statement);
    expect(c, (struct expected){.kind = EXPECTED_PREPARE, .statement = statement});
    return true;
}

static bool send_query(struct db_conn *c, const struct db_statement *statement,
                       struct db_params *params, struct expected what)
{
    struct params_pointers pointers;
    bool sent = false;

    assert(params_count(params) == statement->parameter_count);
    if (c->state != CONN_READY || c->broken)
        goto done;
    params_point(params, &pointers);
    sent = prepare(c, statement) &&
           PQsendQueryPrepared(c->pg, statement->name, pointers.count, pointers.values,
                               pointers.lengths, pointers.formats, 1);
    if (sent)
        expect(c, what);
    else
        conn_mark_broken(c);
done:
    db_params_destroy(params);
    return sent;
}

static bool send_sync(struct db_conn *c, struct expected what)
{
    if (c->state != CONN_READY || c->broken)
        return false;
    if (!PQpipelineSync(c->pg)) {
        conn_mark_broken(c);
        return false;
    }
    expect(c, what);
    conn_watch_deadline(c);
    if (!pipeline_flush(c))
        conn_mark_broken(c); /* the reply will be DB_LOST */
    return true;
}

bool db_conn_query(struct db_conn *c, const struct db_statement *statement,
                   struct db_params *params, db_reply_fn *reply, void *owner)
{
    struct expected what = {.kind = EXPECTED_QUERY, .reply = reply, .owner = owner};
    return send_query(c, statement, params, what);
}

bool db_conn_sync(struct db_conn *c, db_reply_fn *reply, void *owner)
{
    struct expected what = {.kind = EXPECTED_SYNC, .reply = reply, .owner = owner};
    return send_sync(c, what);
}

bool db_conn_run(struct db_conn *c, const struct db_statement *statement, struct db_params *params,
                 db_reply_fn *reply, void *owner)
{
    struct expected query = {.kind = EXPECTED_QUERY, .held = true};
    struct expected sync = {.kind = EXPECTED_SYNC, .reply = reply, .owner = owner, .held = true};

    /* A query without its sync is in a transaction that never commits on a broken connection. */
    return send_query(c, statement, params, query) && send_sync(c, sync);
}

bool pipeline_flush(struct db_conn *c)
{
    int left = PQflush(c->pg);

    if (left < 0)
        return false;
    return left == 0 || event_add(c->writable, NULL) == 0;
}

static bool is_success(const PGresult *r)
{
    ExecStatusType status = PQresultStatus(r);
    return status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK || status == PGRES_EMPTY_QUERY;
}

static const char *error_field(const PGresult *r, int field)
{
    const char *value = PQresultErrorField(r, field);
    return value ? value : "";
}

static struct db_reply reply_of_error(const PGresult *r)
{
    return (struct db_reply){.status = DB_ERROR,
                             .sqlstate = error_field(r, PG_DIAG_SQLSTATE),
                             .message = error_field(r, PG_DIAG_MESSAGE_PRIMARY),
                             .detail = error_field(r, PG_DIAG_MESSAGE_DETAIL)};
}

static struct db_reply reply_without_result(enum db_status status)
{
    return (struct db_reply){.status = status, .sqlstate = "", .message = "", .detail = ""};
}

static void answer(const struct expected *what, struct db_reply reply)
{
    if (what->reply)
        what->reply(what->owner, &reply);
}

static void end_transaction(struct db_conn *c)
{
    PQclear(c->first_error);
    PQclear(c->held_result);
    c->first_error = NULL;
    c->held_result = NULL;
    c->prepare_failed = false;
}

/* Keeps the first error of the transaction; gives the result back to be freed otherwise. */
static PGresult *keep_error(struct db_conn *c, PGresult *r)
{
    if (c->first_error || PQresultStatus(r) == PGRES_PIPELINE_ABORTED)
        return r;
    c->first_error = r;
    return NULL;
}

static void on_prepare_result(struct db_conn *c, PGresult *r)
{
    struct expected what = take_expected(c);

    if (!is_success(r)) {
        forget_prepared(c, what.statement);
        c->prepare_failed = PQresultStatus(r) == PGRES_FATAL_ERROR;
        r = keep_error(c, r);
    }
    PQclear(r);
}

static void on_query_result(struct db_conn *c, PGresult *r)
{
    struct expected what = take_expected(c);
    struct db_reply reply = reply_without_result(DB_OK);

    if (is_success(r)) {
        reply.result = r;
    } else if (PQresultStatus(r) == PGRES_FATAL_ERROR) {
        reply = reply_of_error(r);
    } else if (c->prepare_failed) {
        reply = reply_of_error(c->first_error);
    } else {
        reply.status = DB_ABORTED;
    }
    c->prepare_failed = false;
    answer(&what, reply);
    if (reply.status != DB_OK) {
        r = keep_error(c, r);
    } else if (what.held) {
        c->held_result = r;
        r = NULL;
    }
    PQclear(r);
}

static void on_sync_result(struct db_conn *c)
{
    struct expected what = take_expected(c);
    struct db_reply reply = reply_without_result(DB_OK);

    c->turn_ms = clock_monotonic_ms(); /* of the next one */
    if (c->first_error) {
        reply = reply_of_error(c->first_error);
        if (!what.held) /* whose queries have been told */
            reply.status = DB_ABORTED;
    } else {
        reply.result = c->held_result;
    }
    answer(&what, reply);
    end_transaction(c);
}

/* False: a result that nothing explains. */
static bool on_result(struct db_conn *c, PGresult *r)
{
    enum expected_kind head = expected_at(c, 0)->kind;

    if (PQresultStatus(r) == PGRES_PIPELINE_SYNC) {
        PQclear(r);
        if (head != EXPECTED_SYNC)
            return false;
        on_sync_result(c);
    } else if (head == EXPECTED_PREPARE) {
        on_prepare_result(c, r);
    } else if (head == EXPECTED_QUERY) {
        on_query_result(c, r);
    } else { /* the commit failed; the sync's own result follows */
        PQclear(keep_error(c, r));
    }
    return true;
}

bool pipeline_read(struct db_conn *c)
{
    bool readable = PQconsumeInput(c->pg) == 1;
    unsigned ends = 0;

    /* What came before the connection broke is still good. */
    while (c->expected_count > 0 && !c->broken && !PQisBusy(c->pg)) {
        PGresult *r = PQgetResult(c->pg);
        if (r) {
            ends = 0;
            if (!on_result(c, r))
                return false;
        } else if (++ends > 2) { /* each query's results end with one NULL; more means lost step */
            return readable && PQstatus(c->pg) == CONNECTION_OK;
        }
    }
    return readable && PQstatus(c->pg) == CONNECTION_OK;
}

void pipeline_abandon(struct db_conn *c, enum db_status status)
{
    c->prepared_count = 0;
    end_transaction(c);
    while (c->expected_count > 0) {
        struct expected what = take_expected(c);
        answer(&what, reply_without_result(status));
    }
}
