/* SPDX-License-Identifier: MIT */
/* expander.c - see expander.h. A slice is two statements: one reads rows of the outbox and who
 * might be told, the other one, after those have been left out who are online, stores what follows.
 *
 * Rows of one conversation go together as a pile, and what is told of a pile is its newest message:
 * who sent that, or has it muted, or has read it, is judged again when the job is taken
 * (banter.push_take). A pile with more members than a page goes on where it was after those that
 * have not had a turn, so that a large channel holds up nobody. */
#include "core/push/expander.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "core/push/online.h"
#include "db/db.h"

#include <assert.h>
#include <event2/event.h>
#include <inttypes.h>
#include <stdlib.h>

enum {
    ROWS_MAX = 2000,    /* of the outbox, looked at in a slice, */
    PILES_MAX = 128,    /* conversations that have a turn in it, */
    MEMBERS_MAX = 2000, /* and their members, shared out evenly */
    GATHER_MS = 20,     /* from the first note to the slice: a few rows at a time cost less */
    REST_FACTOR = 3,    /* rests so many times as long as the last slice took, */
    REST_MIN_MS = 2,    /* and at least this */
    IDLE_MS = 1000,     /* looks for what it was not told of this often */
    LOCK_MS = 1000,     /* another bridge expands: tries again to take its place */
    RETRY_FIRST_MS = 100,
    RETRY_MAX_MS = 10000,
    TIMEOUT_MS = 20000, /* above the statement_timeout of setup_sql */
    USERS_MAX_BYTES = 1 << 20,
};

/* Jobs that are lost in a crash of PostgreSQL come back as the rows that they were made of, lost
 * with them. The plans are right for a slice on tables of every size. */
static const char setup_sql[] =
    "SET synchronous_commit = off; SET statement_timeout = '15s'; SET lock_timeout = '5s';"
    "SET idle_in_transaction_session_timeout = '10s'; SET jit = off;"
    "SET max_parallel_workers_per_gather = 0; SET plan_cache_mode = force_generic_plan;"
    "SET enable_seqscan = off; SET enable_material = off;"
    "SET enable_bitmapscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off";

/* "push" in ASCII, beside migrate.c's lock. Held until the session ends. */
static const struct db_statement lock_statement = {
    .name = "push_lock",
    .sql = "SELECT pg_try_advisory_lock(x'70757368'::bigint)",
    .parameter_count = 0,
};

/* $1 rows, $2 piles, $3 members. Channels are kind 3. Subqueries that give a value, unlike EXISTS,
 * are never planned as one scan of all registrations. */
static const struct db_statement read_statement = {
    .name = "push_read",
    .sql =
        "WITH taken AS MATERIALIZED ("
        "  SELECT o.id, o.conversation, o.seq, coalesce(o.from_seq, o.seq) AS from_seq, o.sender,"
        "         coalesce(o.position, 0) AS position"
        "    FROM banter.push_outbox o ORDER BY o.id LIMIT $1::bigint"
        "), pile AS MATERIALIZED ("
        "  SELECT t.conversation, t.position, max(t.seq) AS seq, min(t.from_seq) AS from_seq,"
        "         CASE WHEN min(t.sender) = max(t.sender) THEN min(t.sender) ELSE 0 END AS sender,"
        "         array_agg(t.id ORDER BY t.id) AS ids"
        "    FROM taken t GROUP BY t.conversation, t.position"
        "   ORDER BY t.position > 0, min(t.id) LIMIT $2::bigint"
        "), page AS ("
        "  SELECT greatest($3::bigint / greatest(count(*), 1), 1) AS size FROM pile"
        ")"
        "SELECT p.ids::text, p.conversation, p.from_seq, p.seq, p.sender,"
        "       coalesce(c.kind = 3, false), m.last,"
        "       coalesce(m.scanned, 0) = (SELECT size FROM page), coalesce(m.users, '{}')"
        "  FROM pile p"
        "  LEFT JOIN banter.conversations c ON c.id = p.conversation AND c.deleted_at IS NULL"
        "  LEFT JOIN LATERAL ("
        "       SELECT max(n.user_id) AS last, count(*) AS scanned,"
        "              (array_agg(n.user_id) FILTER (WHERE n.wants))::text AS users"
        "         FROM (SELECT o.user_id,"
        "                      o.read_seq < p.seq AND o.user_id <> p.sender"
        "                      AND (o.muted_until IS NULL OR o.muted_until <= now())"
        "                      AND (SELECT true FROM banter.push_registrations r"
        "                            WHERE r.user_id = o.user_id LIMIT 1) IS NOT NULL"
        "                      AND (SELECT true FROM banter.blocks b"
        "                            WHERE b.blocker = o.user_id"
        "                              AND b.blocked = p.sender) IS NULL AS wants"
        "                 FROM banter.members o"
        "                WHERE o.conversation = p.conversation AND o.user_id > p.position"
        "                ORDER BY o.user_id LIMIT (SELECT size FROM page)) n) m"
        "    ON c.id IS NOT NULL",
    .parameter_count = 3,
};

enum read_column {
    COLUMN_IDS,
    COLUMN_CONVERSATION,
    COLUMN_FROM_SEQ,
    COLUMN_SEQ,
    COLUMN_SENDER,
    COLUMN_IS_BULK,
    COLUMN_LAST,    /* of the members in this page */
    COLUMN_IS_MORE, /* there may be members after it */
    COLUMN_USERS,   /* who may want to be told: "{1,2,3}" */
};

static const struct db_statement write_statement = {
    .name = "push_write",
    .sql = "SELECT banter.push_expand($1::text[], $2::bigint[], $3::uuid[], $4::bigint[],"
           " $5::bigint[], $6::bigint[], $7::text[]::boolean[], $8::text[], $9::bigint)",
    .parameter_count = 9,
};

struct push_expander {
    struct db_conn *conn;
    const struct push_online *online;
    unsigned gather_ms;
    struct event *timer; /* the next turn */
    bool busy;           /* a statement is under way */
    bool locked;         /* this session expands */
    bool resting;        /* until the timer */
    bool noted;          /* something has come since the last look */
    uint64_t began_ms;   /* this slice */
    unsigned failures;   /* since something succeeded */
    struct push_expander_stats stats;
};

static void schedule(struct push_expander *x, uint64_t ms)
{
    const struct timeval wait = {.tv_sec = (time_t)(ms / 1000),
                                 .tv_usec = (suseconds_t)(ms % 1000 * 1000)};

    event_add(x->timer, &wait);
}

static void fail(struct push_expander *x, const struct db_reply *reply)
{
    unsigned shift = x->failures < 10 ? x->failures : 10;
    uint64_t ms = (uint64_t)RETRY_FIRST_MS << shift;

    x->busy = false;
    x->stats.failures++;
    if (x->failures++ == 0)
        log_warning("push", "a slice of the outbox failed, it will be done again: %s %s",
                    reply->sqlstate, reply->message);
    schedule(x, ms < RETRY_MAX_MS ? ms : RETRY_MAX_MS);
}

/* Takes `params`. */
static void ask(struct push_expander *x, const struct db_statement *statement,
                struct db_params *params, db_reply_fn *reply)
{
    static const struct db_reply lost = {.status = DB_LOST, .sqlstate = "", .message = ""};

    x->busy = true;
    if (!db_conn_run(x->conn, statement, params, reply, x))
        fail(x, &lost);
}

/* The slice is done: the next one after a rest, or when there is something to do. */
static void rest(struct push_expander *x, bool found)
{
    uint64_t rest_ms = REST_FACTOR * (clock_monotonic_ms() - x->began_ms);

    x->busy = false;
    x->failures = 0;
    x->resting = found;
    if (found)
        schedule(x, rest_ms > REST_MIN_MS ? rest_ms : REST_MIN_MS);
    else
        schedule(x, x->noted ? GATHER_MS : IDLE_MS);
}

static void on_written(void *owner, const struct db_reply *reply)
{
    struct push_expander *x = owner;

    if (reply->status != DB_OK) {
        fail(x, reply);
        return;
    }
    x->stats.slices++;
    x->stats.jobs += (uint64_t)db_get_i64(reply->result, 0, 0);
    rest(x, true);
}

/* The users of a row, written as an array again without those who are online. */
static void put_away(struct push_expander *x, struct buf *out, struct slice users)
{
    const char *at = users.data;
    const char *end = users.data + users.length;

    buf_reset(out);
    buf_char(out, '{');
    while (at < end) {
        uint64_t uid = 0;

        while (at < end && (*at < '0' || *at > '9'))
            at++;
        while (at < end && *at >= '0' && *at <= '9')
            uid = 10 * uid + (uint64_t)(*at++ - '0');
        if (uid == 0)
            break;
        if (x->online->is_online(x->online->owner, uid)) {
            x->stats.online++;
            continue;
        }
        if (out->length > 1)
            buf_char(out, ',');
        buf_u64(out, uid);
    }
    buf_char(out, '}');
    assert(!out->failed);
}

static void put_seqs(struct db_params *p, const PGresult *result, int column)
{
    db_array_begin(p, DB_I64_ARRAY);
    for (int row = 0; row < PQntuples(result); row++)
        db_array_i64(p, db_get_i64(result, row, column));
    db_array_end(p);
}

static void put_progress(struct db_params *p, const PGresult *result)
{
    db_array_begin(p, DB_TEXT_ARRAY);
    for (int row = 0; row < PQntuples(result); row++)
        db_array_text(p, db_get_text(result, row, COLUMN_IDS));
    db_array_end(p);
    db_array_begin(p, DB_I64_ARRAY);
    for (int row = 0; row < PQntuples(result); row++) {
        if (db_get_bool(result, row, COLUMN_IS_MORE))
            db_array_i64(p, db_get_i64(result, row, COLUMN_LAST));
        else
            db_array_null(p);
    }
    db_array_end(p);
}

static struct db_params *write_params(struct push_expander *x, const PGresult *result)
{
    struct db_params *p = db_params_create();
    struct buf users;

    buf_init(&users, USERS_MAX_BYTES);
    put_progress(p, result);
    db_array_begin(p, DB_UUID_ARRAY);
    for (int row = 0; row < PQntuples(result); row++) {
        struct uuid conversation = db_get_uuid(result, row, COLUMN_CONVERSATION);
        db_array_uuid(p, &conversation);
    }
    db_array_end(p);
    put_seqs(p, result, COLUMN_FROM_SEQ);
    put_seqs(p, result, COLUMN_SEQ);
    put_seqs(p, result, COLUMN_SENDER);
    db_array_begin(p, DB_TEXT_ARRAY);
    for (int row = 0; row < PQntuples(result); row++)
        db_array_text(p, slice_str(db_get_bool(result, row, COLUMN_IS_BULK) ? "t" : "f"));
    db_array_end(p);
    db_array_begin(p, DB_TEXT_ARRAY);
    for (int row = 0; row < PQntuples(result); row++) {
        put_away(x, &users, db_get_text(result, row, COLUMN_USERS));
        db_array_text(p, buf_slice(&users));
    }
    db_array_end(p);
    db_i64(p, x->gather_ms);
    buf_finish(&users);
    return p;
}

static void on_read(void *owner, const struct db_reply *reply)
{
    struct push_expander *x = owner;

    if (reply->status != DB_OK)
        fail(x, reply);
    else if (PQntuples(reply->result) == 0)
        rest(x, false);
    else
        ask(x, &write_statement, write_params(x, reply->result), on_written);
}

static void read_slice(struct push_expander *x)
{
    struct db_params *params = db_params_create();

    x->resting = false;
    x->noted = false;
    x->began_ms = clock_monotonic_ms();
    db_i64(params, ROWS_MAX);
    db_i64(params, PILES_MAX);
    db_i64(params, MEMBERS_MAX);
    ask(x, &read_statement, params, on_read);
}

static void on_locked(void *owner, const struct db_reply *reply)
{
    struct push_expander *x = owner;

    if (reply->status != DB_OK) {
        fail(x, reply);
        return;
    }
    x->busy = false;
    x->locked = db_get_bool(reply->result, 0, 0);
    schedule(x, x->locked ? 0 : LOCK_MS);
}

static void on_timer(evutil_socket_t fd, short what, void *argument)
{
    struct push_expander *x = argument;
    (void)fd;
    (void)what;

    if (x->busy || !db_conn_is_ready(x->conn))
        return;
    if (!x->online->is_known(x->online->owner))
        schedule(x, RETRY_FIRST_MS);
    else if (!x->locked)
        ask(x, &lock_statement, db_params_create(), on_locked);
    else
        read_slice(x);
}

/* The lock ends with the session. */
static void on_connection_changed(void *owner, bool ready)
{
    struct push_expander *x = owner;

    x->locked = false;
    if (ready && !x->busy)
        schedule(x, 0);
}

struct push_expander *push_expander_create(struct event_base *base, const char *dsn,
                                           const struct push_online *online, unsigned gather_ms)
{
    const struct db_conn_config config = {
        .dsn = dsn,
        .application_name = "banter-push-expander",
        .setup_sql = setup_sql,
        .timeout_ms = TIMEOUT_MS,
    };
    struct push_expander *x = must_calloc(1, sizeof *x);

    x->online = online;
    x->gather_ms = gather_ms;
    x->timer = evtimer_new(base, on_timer, x);
    if (x->timer)
        x->conn = db_conn_create(base, &config, on_connection_changed, x);
    if (!x->conn) {
        push_expander_destroy(x);
        return NULL;
    }
    return x;
}

void push_expander_destroy(struct push_expander *x)
{
    if (!x)
        return;
    db_conn_destroy(x->conn);
    if (x->timer)
        event_free(x->timer);
    free(x);
}

/* Once for many entries: while a turn is under way, or due soon, there is nothing to do. */
void push_expander_note(struct push_expander *x)
{
    bool idle = !x->busy && !x->resting && x->failures == 0 && x->locked;

    if (idle && !x->noted && db_conn_is_ready(x->conn))
        schedule(x, GATHER_MS);
    x->noted = true;
}

void push_expander_get_stats(const struct push_expander *x, struct push_expander_stats *out)
{
    *out = x->stats;
}
