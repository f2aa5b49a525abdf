/* SPDX-License-Identifier: MIT */
/* history.c - see history.h. One query per page reads the head, the membership and the entries in
 * one snapshot; it follows the primary key inside one partition. `more` and `next` need no further
 * look, because seq has no gaps. */
#include "core/history.h"

#include "base/log.h"
#include "base/memory.h"
#include "core/entry_row.h"
#include "db/db.h"
#include "wire/limits.h"

#include <assert.h>
#include <stdlib.h>

enum { RUNNING_MAX = 256 };

/* $1 conversation, $2 reader or 0, $3 seq to start behind, $4 limit, $5 bytes. octet_length() reads
 * the length of a long text without reading the text. */
#define HISTORY_SQL(SOURCE, DATA, RANGE, DIRECTION)                                                \
    "SELECT c.last_seq, e.*"                                                                       \
    "  FROM banter.conversations c"                                                                \
    "  LEFT JOIN LATERAL ("                                                                        \
    "       SELECT m.seq, m.at, m.kind, u.handle, m.id, m.text, m.reply_to, " DATA ", m.target,"   \
    "              m.sender"                                                                       \
    "         FROM (SELECT *, sum(coalesce(octet_length(text), 0)"                                 \
    "                             + coalesce(octet_length(data), 0))"                              \
    "                         OVER (ORDER BY seq " DIRECTION                                       \
    "                               ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS bytes"    \
    "                 FROM " SOURCE "                WHERE conversation = $1::uuid AND " RANGE     \
    "                ORDER BY seq " DIRECTION " LIMIT $4::bigint) m"                               \
    "         JOIN banter.users u ON u.id = m.sender"                                              \
    "        WHERE m.bytes IS NULL OR m.bytes < $5::bigint) e ON true"                             \
    " WHERE c.id = $1::uuid AND c.deleted_at IS NULL"                                              \
    "   AND ($2::bigint = 0 OR EXISTS (SELECT FROM banter.members o"                               \
    "                                   WHERE o.conversation = $1::uuid"                           \
    "                                     AND o.user_id = $2::bigint))"                            \
    " ORDER BY e.seq"

#define RAW_SQL(RANGE, DIRECTION) HISTORY_SQL("banter.messages", "m.data", RANGE, DIRECTION)

/* $6 how many seqs to look through: there may be any number of reactions between two messages. */
#define FOLDED_SQL(RANGE, DIRECTION)                                                               \
    HISTORY_SQL("banter.folded_messages",                                                          \
                "banter.folded_data($1::uuid, m.seq, m.kind, m.data, m.edited_at, $2::bigint)",    \
                RANGE, DIRECTION)

/* Indexed by folded and backwards. */
static const struct db_statement statements[2][2] = {
    {{"history_after", RAW_SQL("seq > $3::bigint", "ASC"), 5},
     {"history_before", RAW_SQL("seq < $3::bigint", "DESC"), 5}},
    {{"history_folded_after",
      FOLDED_SQL("seq > least($3::bigint, c.last_seq)"
                 " AND seq <= least($3::bigint, c.last_seq) + $6::bigint",
                 "ASC"),
      6},
     {"history_folded_before",
      FOLDED_SQL("seq < least($3::bigint, c.last_seq + 1)"
                 " AND seq >= least($3::bigint, c.last_seq + 1) - $6::bigint",
                 "DESC"),
      6}},
};

enum history_column {
    COLUMN_LAST_SEQ,
    COLUMN_ENTRY,
    COLUMN_SENDER = COLUMN_ENTRY + ENTRY_COLUMN_COUNT,
};

struct history {
    struct db_pool *pool;
    unsigned running;
    bool closed;                /* freed once nothing is running */
    struct history_item *items; /* HISTORY_LIMIT_MAX of them, of the page being told */
};

struct history_request {
    struct history *history;
    struct history_query query;
    history_done_fn *done;
    void *owner;
};

static void free_history(struct history *h)
{
    assert(h->running == 0);
    free(h->items);
    free(h);
}

static size_t bytes_of(const struct history_page *page)
{
    size_t bytes = 0;

    for (size_t i = 0; i < page->count; i++)
        bytes += page->items[i].entry.text.length + page->items[i].entry.data.length;
    return bytes;
}

/* Where the next page begins. A page that is neither full nor cut has seen all that it looked
 * through. */
static void find_next(const struct history_query *query, struct history_page *page)
{
    bool backwards = query->before > 0;
    bool ends_early = page->count == query->limit || bytes_of(page) >= query->bytes_max;
    int64_t span = query->folded ? HISTORY_FOLD_SPAN : page->last_seq;
    int64_t start = backwards ? query->before : query->after;

    if (page->count > 0 && ends_early)
        page->next = page->items[backwards ? 0 : page->count - 1].entry.seq;
    else if (backwards)
        page->next = start <= page->last_seq ? start - span : page->last_seq + 1 - span;
    else
        page->next = start <= page->last_seq - span ? start + span : page->last_seq;
    if (backwards && page->next < 1)
        page->next = 1;
    page->more = backwards ? page->next > 1 : page->next < page->last_seq;
}

/* No row: not visible to this reader. One row without an entry: nothing in this direction. */
static enum code read_page(struct history_request *r, const PGresult *result,
                           struct history_page *page)
{
    struct history_item *items = r->history->items;
    int rows = PQntuples(result);

    if (rows == 0)
        return CODE_NOT_FOUND;
    assert(rows <= HISTORY_LIMIT_MAX);
    *page =
        (struct history_page){.items = items, .last_seq = db_get_i64(result, 0, COLUMN_LAST_SEQ)};
    if (db_get_null(result, 0, COLUMN_ENTRY + ENTRY_COLUMN_SEQ))
        rows = 0;
    for (int row = 0; row < rows; row++) {
        items[row].entry = entry_of_row(result, row, COLUMN_ENTRY, &r->query.conversation);
        items[row].sender = (uint64_t)db_get_i64(result, row, COLUMN_SENDER);
    }
    page->count = (size_t)rows;
    find_next(&r->query, page);
    return CODE_OK;
}

static void on_reply(void *owner, const struct db_reply *reply)
{
    struct history_request *r = owner;
    struct history *h = r->history;
    struct history_page page;
    enum code code = CODE_UNAVAILABLE;

    h->running--;
    if (h->closed) {
        if (h->running == 0)
            free_history(h);
        free(r);
        return;
    }
    if (reply->status == DB_OK)
        code = read_page(r, reply->result, &page);
    else if (reply->status == DB_ERROR)
        log_error("history", "query failed: %s %s", reply->sqlstate, reply->message);
    r->done(r->owner, code, code == CODE_OK ? &page : NULL);
    free(r);
}

struct history *history_create(struct db_pool *pool)
{
    struct history *h = must_calloc(1, sizeof *h);

    h->pool = pool;
    h->items = must_calloc(HISTORY_LIMIT_MAX, sizeof *h->items);
    return h;
}

void history_destroy(struct history *h)
{
    if (!h)
        return;
    h->closed = true;
    if (h->running == 0)
        free_history(h);
}

bool history_read(struct history *h, const struct history_query *query, history_done_fn *done,
                  void *owner)
{
    struct history_request *r;
    struct db_params *params;
    bool backwards = query->before > 0;

    assert(query->limit >= 1 && query->limit <= HISTORY_LIMIT_MAX && query->bytes_max > 0);
    assert(!h->closed);
    if (h->running >= RUNNING_MAX)
        return false;
    r = must_calloc(1, sizeof *r);
    *r = (struct history_request){h, *query, done, owner};
    params = db_params_create();
    db_uuid(params, &query->conversation);
    db_i64(params, (int64_t)query->reader);
    db_i64(params, backwards ? query->before : query->after);
    db_i64(params, query->limit);
    db_i64(params, (int64_t)query->bytes_max);
    if (query->folded)
        db_i64(params, HISTORY_FOLD_SPAN);
    if (!db_pool_query(h->pool, &statements[query->folded][backwards], params, on_reply, r)) {
        free(r);
        return false;
    }
    h->running++;
    return true;
}
