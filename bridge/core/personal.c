/* SPDX-License-Identifier: MIT */
/* personal.c - see personal.h. The JSON is PostgreSQL's work; here lines are put together. */
#include "core/personal.h"

#include "base/buf.h"
#include "base/log.h"
#include "base/memory.h"
#include "core/effects.h"
#include "db/db.h"

#include <assert.h>
#include <stdlib.h>

enum {
    RUNNING_MAX = 64,
    LINES_PER_PAGE = 500,
    PAGE_MAX_BYTES = 32 << 20, /* 256 KiB of texts and one that is longer, as JSON; many blocks */
};

static const struct db_statement export_page = {
    "personal_export",
    "SELECT line, place FROM banter.export_page($1::bigint, $2::text, $3::integer)", 3};

/* Each page of somebody else's anew: an administrator may be none any more by then. */
static const struct db_statement export_page_of = {
    "personal_export_of",
    "SELECT p.line, p.place FROM banter.operators_target($1::bigint, $4::text) u,"
    " LATERAL banter.export_page(u, $2::text, $3::integer) p",
    4};

static const struct db_statement receipt = {
    "personal_receipt",
    "SELECT json_build_object('erasure', r.erasure, 'author', r.author,"
    "         'begun_at', banter.export_time(r.begun_at),"
    "         'finished_at', banter.export_time(r.finished_at),"
    "         'conversations', r.conversations, 'entries', r.entries, 'rows', r.rows)::text"
    "  FROM banter.erasure_receipts r WHERE r.erasure = $1::uuid",
    1};

enum { COLUMN_LINE, COLUMN_PLACE };

struct personal {
    struct db_pool *pool;
    unsigned running;
    bool closed; /* freed once nothing is running */
};

struct personal_request {
    struct personal *personal;
    bool exports; /* else: a receipt */
    personal_done_fn *done;
    void *owner;
};

static void answer_error(const struct personal_request *r, const struct db_reply *reply)
{
    enum code code = effects_refusal(reply->sqlstate);

    if (reply->status == DB_ERROR && code == CODE_OK)
        log_error("personal", "query failed: %s %s", reply->sqlstate, reply->message);
    r->done(r->owner, code == CODE_OK ? CODE_UNAVAILABLE : code, slice_of("", 0), slice_of("", 0));
}

static void answer_page(const struct personal_request *r, const PGresult *result)
{
    int rows = PQntuples(result);
    struct buf lines;

    assert(rows > 0);
    buf_init(&lines, PAGE_MAX_BYTES);
    for (int row = 0; row < rows; row++) {
        if (db_get_null(result, row, COLUMN_LINE))
            continue;
        buf_slice_put(&lines, db_get_text(result, row, COLUMN_LINE));
        buf_char(&lines, '\n');
    }
    if (lines.failed)
        r->done(r->owner, CODE_INTERNAL, slice_of("", 0), slice_of("", 0));
    else
        r->done(r->owner, CODE_OK, buf_slice(&lines), db_get_text(result, rows - 1, COLUMN_PLACE));
    buf_finish(&lines);
}

static void answer_receipt(const struct personal_request *r, const PGresult *result)
{
    bool found = PQntuples(result) > 0;

    r->done(r->owner, found ? CODE_OK : CODE_NOT_FOUND,
            found ? db_get_text(result, 0, COLUMN_LINE) : slice_of("", 0), slice_of("", 0));
}

static void on_reply(void *owner, const struct db_reply *reply)
{
    struct personal_request *r = owner;
    struct personal *p = r->personal;

    p->running--;
    if (p->closed) {
        if (p->running == 0)
            free(p);
    } else if (reply->status != DB_OK) {
        answer_error(r, reply);
    } else if (r->exports) {
        answer_page(r, reply->result);
    } else {
        answer_receipt(r, reply->result);
    }
    free(r);
}

/* Takes `params`. */
static bool ask(struct personal *p, const struct db_statement *statement, struct db_params *params,
                personal_done_fn *done, void *owner)
{
    struct personal_request *r;

    assert(!p->closed);
    if (p->running >= RUNNING_MAX) {
        db_params_destroy(params);
        return false;
    }
    r = must_calloc(1, sizeof *r);
    *r = (struct personal_request){p, statement != &receipt, done, owner};
    if (!db_pool_query(p->pool, statement, params, on_reply, r)) {
        free(r);
        return false;
    }
    p->running++;
    return true;
}

bool personal_export(struct personal *p, uint64_t uid, struct slice of, struct slice cursor,
                     personal_done_fn *done, void *owner)
{
    struct db_params *params = db_params_create();

    db_i64(params, (int64_t)uid);
    db_text(params, cursor);
    db_i64(params, LINES_PER_PAGE);
    if (of.length > 0)
        db_text(params, of);
    return ask(p, of.length > 0 ? &export_page_of : &export_page, params, done, owner);
}

bool personal_receipt(struct personal *p, const struct uuid *erasure, personal_done_fn *done,
                      void *owner)
{
    struct db_params *params = db_params_create();

    db_uuid(params, erasure);
    return ask(p, &receipt, params, done, owner);
}

struct personal *personal_create(struct db_pool *pool)
{
    struct personal *p = must_calloc(1, sizeof *p);

    p->pool = pool;
    return p;
}

void personal_destroy(struct personal *p)
{
    if (!p)
        return;
    p->closed = true;
    if (p->running == 0)
        free(p);
}
