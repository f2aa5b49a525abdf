/* SPDX-License-Identifier: MIT */
/* audit_page.c - see audit_page.h. */
#include "core/audit_page.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "db/db.h"

#include <stdlib.h>

enum { PAGE_MAX_BYTES = 4 << 20 };

static const struct db_statement page = {
    "audit_page",
    "SELECT id, at, node, by, actor, action, \"user\", object, address, result, detail"
    "  FROM banter.audit_page($1::bigint, $2::integer, $3::text, $4::text)",
    4};
enum { COLUMN_ID, COLUMN_AT, COLUMN_FIRST_TEXT };
static const char *const text_columns[] = {"node",   "by",      "actor",  "action", "user",
                                           "object", "address", "result", "detail"};

struct audit_pages {
    struct db_pool *pool;
    unsigned running;
    bool closed; /* freed once nothing is running */
};

struct page_request {
    struct audit_pages *pages;
    int64_t limit;
    audit_page_fn *done;
    void *owner;
};

static void write_event(struct buf *b, const PGresult *result, int row)
{
    char at[RFC3339_MS_LENGTH + 1];

    rfc3339_ms(db_get_time_ms(result, row, COLUMN_AT), at);
    buf_char(b, '{');
    buf_json_key(b, "id");
    buf_i64(b, db_get_i64(result, row, COLUMN_ID));
    buf_json_key(b, "at");
    buf_json(b, slice_of(at, RFC3339_MS_LENGTH));
    for (int i = 0; i < (int)(sizeof text_columns / sizeof *text_columns); i++) {
        if (db_get_null(result, row, COLUMN_FIRST_TEXT + i))
            continue;
        buf_json_key(b, text_columns[i]);
        buf_json(b, db_get_text(result, row, COLUMN_FIRST_TEXT + i));
    }
    buf_char(b, '}');
}

/* A full page says where the next one begins. */
static void write_page(struct buf *b, const PGresult *result, int64_t limit)
{
    int rows = PQntuples(result);

    buf_str(b, "{\"events\":[");
    for (int row = 0; row < rows; row++) {
        if (row > 0)
            buf_char(b, ',');
        write_event(b, result, row);
    }
    buf_char(b, ']');
    if (rows == limit) {
        buf_json_key(b, "before");
        buf_i64(b, db_get_i64(result, rows - 1, COLUMN_ID));
    }
    buf_str(b, "}\n");
}

static void answer(const struct page_request *r, const struct db_reply *reply)
{
    struct buf json;

    if (reply->status != DB_OK) {
        if (reply->status == DB_ERROR)
            log_error("audit", "the page failed: %s %s", reply->sqlstate, reply->message);
        r->done(r->owner, reply->status == DB_ERROR ? CODE_INTERNAL : CODE_UNAVAILABLE, NULL);
        return;
    }
    buf_init(&json, PAGE_MAX_BYTES);
    write_page(&json, reply->result, r->limit);
    if (json.failed)
        r->done(r->owner, CODE_TOO_LARGE, NULL);
    else
        r->done(r->owner, CODE_OK, &json);
    buf_finish(&json);
}

static void on_reply(void *owner, const struct db_reply *reply)
{
    struct page_request *r = owner;
    struct audit_pages *p = r->pages;

    p->running--;
    if (!p->closed)
        answer(r, reply);
    else if (p->running == 0)
        free(p);
    free(r);
}

bool audit_page(struct audit_pages *p, const struct audit_query *query, audit_page_fn *done,
                void *owner)
{
    struct page_request *r = must_calloc(1, sizeof *r);
    struct db_params *params = db_params_create();

    *r = (struct page_request){.pages = p, .limit = query->limit, .done = done, .owner = owner};
    db_i64(params, query->before);
    db_i64(params, query->limit);
    db_text_or_null(params, query->action);
    db_text_or_null(params, query->user);
    if (!db_pool_query(p->pool, &page, params, on_reply, r)) {
        free(r);
        return false;
    }
    p->running++;
    return true;
}

struct audit_pages *audit_pages_create(struct db_pool *pool)
{
    struct audit_pages *p = must_calloc(1, sizeof *p);

    p->pool = pool;
    return p;
}

void audit_pages_destroy(struct audit_pages *p)
{
    if (!p)
        return;
    p->closed = true;
    if (p->running == 0)
        free(p);
}
