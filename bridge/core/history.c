/* SPDX-License-Identifier: MIT */
/* history.c - see history.h. One query per page reads the head, the membership and the entries in
 * one snapshot; it follows the primary key inside one partition. `more` and `next` need no further
 * look, because seq has no gaps. */
#include "core/history.h"

#include "base/log.h"
#include "base/memory.h"
#include "core/entry_row.h"
#include "core/replica.h"
#include "db/db.h"
#include "wire/limits.h"

#include <assert.h>
#include <stdlib.h>

enum { RUNNING_MAX = 256 };

#define ERASED_SEQ                                                                                 \
    "coalesce((SELECT r.erased_seq FROM banter.retentions r WHERE r.conversation = c.id), 0)"

/* What struct state has, in its order. */
#define STATE                                                                                      \
    "c.last_seq, " ERASED_SEQ ", c.rights::text::bigint,"                                          \
    " (SELECT n.begun FROM banter.erasure_count n)"

#define IS_VISIBLE                                                                                 \
    " WHERE c.id = $1::uuid AND c.deleted_at IS NULL"                                              \
    "   AND ($2::bigint = 0 OR EXISTS (SELECT FROM banter.members o"                               \
    "                                   WHERE o.conversation = $1::uuid"                           \
    "                                     AND o.user_id = $2::bigint))"

/* $1 conversation, $2 reader or 0, $3 seq to start behind, $4 limit, $5 bytes. octet_length() reads
 * the length of a long text without reading the text. */
#define HISTORY_SQL(SOURCE, DATA, RANGE, DIRECTION)                                                \
    "SELECT " STATE ", e.*  FROM banter.conversations c"                                           \
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
    "        WHERE m.bytes IS NULL OR m.bytes < $5::bigint) e ON true" IS_VISIBLE                  \
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
    COLUMN_ERASED_SEQ,
    COLUMN_RIGHTS,
    COLUMN_ERASURES,
    COLUMN_ENTRY,
    COLUMN_SENDER = COLUMN_ENTRY + ENTRY_COLUMN_COUNT,
};

/* How far a conversation is. All that changes what a page shows moves one of these. The first three
 * do so under the lock of the conversation: an edit, a deletion and a reaction are entries
 * themselves, what has expired is erased in the order of the log, and what an erased user wrote is
 * emptied by transactions that leave their number in `rights`. The handle goes before all that,
 * when the erasure begins. */
struct state {
    int64_t last_seq;
    int64_t erased_seq;
    int64_t rights; /* the number of a transaction; not in the order of commits */
    int64_t erasures;
};

/* $1 conversation, $2 reader or 0. */
static const struct db_statement state_statement = {
    "history_state", "SELECT " STATE " FROM banter.conversations c" IS_VISIBLE, 2};

struct history {
    struct db_pool *pool;
    struct replica *replica; /* or NULL */
    unsigned running;
    bool closed;                /* freed once nothing is running */
    struct history_item *items; /* HISTORY_LIMIT_MAX of them, of the page being told */
};

struct history_request {
    struct history *history;
    struct history_query query;
    struct state least; /* of a page that counts */
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

/* Whether the owner still wants to hear of it; else it is over. */
static bool is_wanted(struct history_request *r)
{
    struct history *h = r->history;

    if (!h->closed)
        return true;
    free(r);
    if (--h->running == 0)
        free_history(h);
    return false;
}

static void end_request(struct history_request *r, enum code code, const struct history_page *page)
{
    r->history->running--;
    r->done(r->owner, code, page);
    free(r);
}

static void end_with_error(struct history_request *r, const struct db_reply *reply)
{
    if (reply->status == DB_ERROR)
        log_error("history", "query failed: %s %s", reply->sqlstate, reply->message);
    end_request(r, CODE_UNAVAILABLE, NULL);
}

static void end_with_page(struct history_request *r, const PGresult *result)
{
    struct history_page page;
    enum code code = read_page(r, result, &page);

    end_request(r, code, code == CODE_OK ? &page : NULL);
}

static void on_page(void *owner, const struct db_reply *reply)
{
    struct history_request *r = owner;

    if (!is_wanted(r))
        return;
    if (reply->status == DB_OK)
        end_with_page(r, reply->result);
    else
        end_with_error(r, reply);
}

static const struct db_statement *statement_of(const struct history_query *query)
{
    return &statements[query->folded][query->before > 0];
}

static struct db_params *params_of(const struct history_query *query)
{
    struct db_params *params = db_params_create();

    db_uuid(params, &query->conversation);
    db_i64(params, (int64_t)query->reader);
    db_i64(params, query->before > 0 ? query->before : query->after);
    db_i64(params, query->limit);
    db_i64(params, (int64_t)query->bytes_max);
    if (query->folded)
        db_i64(params, HISTORY_FOLD_SPAN);
    return params;
}

static bool ask_primary(struct history_request *r)
{
    return db_pool_query(r->history->pool, statement_of(&r->query), params_of(&r->query), on_page,
                         r);
}

/* Not from inside history_read(). */
static void ask_primary_after_all(struct history_request *r)
{
    if (!ask_primary(r))
        end_request(r, CODE_UNAVAILABLE, NULL);
}

static struct state read_state(const PGresult *result)
{
    return (struct state){
        .last_seq = db_get_i64(result, 0, COLUMN_LAST_SEQ),
        .erased_seq = db_get_i64(result, 0, COLUMN_ERASED_SEQ),
        .rights = db_get_i64(result, 0, COLUMN_RIGHTS),
        .erasures = db_get_i64(result, 0, COLUMN_ERASURES),
    };
}

/* Other `rights` may be newer ones: then the primary is asked for nothing. */
static bool has_come_so_far(const struct history_request *r, const PGresult *result)
{
    struct state its;

    if (PQntuples(result) == 0)
        return false;
    its = read_state(result);
    return its.last_seq >= r->least.last_seq && its.erased_seq >= r->least.erased_seq &&
           its.rights == r->least.rights && its.erasures >= r->least.erasures;
}

static void on_replicas_page(void *owner, const struct db_reply *reply)
{
    struct history_request *r = owner;
    struct replica *replica = r->history->replica;

    if (!is_wanted(r))
        return;
    if (reply->status != DB_OK) {
        replica_note_failure(replica, reply);
        ask_primary_after_all(r);
    } else if (!has_come_so_far(r, reply->result)) {
        replica_count(replica, REPLICA_BEHIND);
        ask_primary_after_all(r);
    } else {
        replica_count(replica, REPLICA_ANSWERED);
        end_with_page(r, reply->result);
    }
}

static void ask_replica(struct history_request *r)
{
    struct replica *replica = r->history->replica;

    if (replica_query(replica, statement_of(&r->query), params_of(&r->query), on_replicas_page, r))
        return;
    replica_count(replica, REPLICA_AWAY);
    ask_primary_after_all(r);
}

static void on_state(void *owner, const struct db_reply *reply)
{
    struct history_request *r = owner;

    if (!is_wanted(r))
        return;
    if (reply->status != DB_OK) {
        end_with_error(r, reply);
    } else if (PQntuples(reply->result) == 0) {
        end_request(r, CODE_NOT_FOUND, NULL);
    } else {
        r->least = read_state(reply->result);
        ask_replica(r);
    }
}

static bool ask_state(struct history_request *r)
{
    struct db_params *params = db_params_create();

    db_uuid(params, &r->query.conversation);
    db_i64(params, (int64_t)r->query.reader);
    return db_pool_query(r->history->pool, &state_statement, params, on_state, r);
}

static bool ask(struct history_request *r)
{
    struct replica *replica = r->history->replica;

    if (!r->query.spares || !replica)
        return ask_primary(r);
    if (replica_is_usable(replica))
        return ask_state(r);
    replica_count(replica, REPLICA_AWAY);
    return ask_primary(r);
}

struct history *history_create(struct db_pool *pool, struct replica *replica)
{
    struct history *h = must_calloc(1, sizeof *h);

    h->pool = pool;
    h->replica = replica;
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

    assert(query->limit >= 1 && query->limit <= HISTORY_LIMIT_MAX && query->bytes_max > 0);
    assert(!h->closed);
    if (h->running >= RUNNING_MAX)
        return false;
    r = must_calloc(1, sizeof *r);
    *r = (struct history_request){.history = h, .query = *query, .done = done, .owner = owner};
    if (!ask(r)) {
        free(r);
        return false;
    }
    h->running++;
    return true;
}
