/* SPDX-License-Identifier: MIT */
/* lease.c - see lease.h. */
#include "core/cluster/lease.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "db/db.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

enum { TURN_TIMEOUT_MS = 4000 };

static const char setup_sql[] =
    "SET client_connection_check_interval = '1s'; SET statement_timeout = '3500ms';"
    "SET idle_in_transaction_session_timeout = '5s'; SET jit = off";

static const struct db_statement turn_statement = {
    "cluster_turn",
    "SELECT * FROM banter.node_turn($1::text, $2::bigint, $3::bigint, $4::bigint, $5::bigint,"
    " $6::bytea, $7::text, $8::bigint, $9::bytea, $10::text[], $11::bigint[], $12::bigint[])",
    12,
};
enum {
    COLUMN_NAME,
    COLUMN_INCARNATION,
    COLUMN_ENDED,
    COLUMN_LEFT_AS,
    COLUMN_LEFT_NUMBER,
    COLUMN_SILENT,
    COLUMN_FIRST,
    COLUMN_NUMBER,
    COLUMN_APPLIED,
    COLUMN_ABOUT,
    COLUMN_UPTO,
    COLUMN_BODY,
};

static const struct db_statement leave_statement = {
    "cluster_leave",
    "SELECT banter.node_leaves($1::text, $2::bigint)",
    2,
};

struct lease {
    struct db_conn *conn;
    struct node_id own;
    struct lease_handlers handlers;
    uint64_t sent_ms;  /* of the turn under way */
    uint64_t until_ms; /* monotonic: the lease is held until then; 0: not */
    bool busy;
    bool left;
    bool closing;
};

static void on_state(void *owner, bool ready)
{
    (void)owner;
    (void)ready;
}

static bool take_key(const PGresult *r, struct cluster_key *key)
{
    struct slice bytes = db_get_text(r, 0, COLUMN_BODY);

    if (bytes.length != sizeof key->bytes)
        return false;
    memcpy(key->bytes, bytes.data, bytes.length);
    return true;
}

static bool take_row(const PGresult *r, int row, struct lease_row *out)
{
    struct slice name = db_get_text(r, row, COLUMN_NAME);

    *out = (struct lease_row){
        .node = {.incarnation = (uint64_t)db_get_i64(r, row, COLUMN_INCARNATION)},
        .ended = db_get_bool(r, row, COLUMN_ENDED),
        .left_as = (uint64_t)db_get_i64(r, row, COLUMN_LEFT_AS),
        .left_number = (uint64_t)db_get_i64(r, row, COLUMN_LEFT_NUMBER),
        .silent_ms = (uint64_t)db_get_i64(r, row, COLUMN_SILENT),
        .first = (uint64_t)db_get_i64(r, row, COLUMN_FIRST),
        .number = (uint64_t)db_get_i64(r, row, COLUMN_NUMBER),
        .applied = db_get_text(r, row, COLUMN_APPLIED),
        .about = db_get_text(r, row, COLUMN_ABOUT),
        .body = db_get_text(r, row, COLUMN_BODY),
    };
    if (name.length == 0 || name.length > CLUSTER_NAME_MAX)
        return false;
    memcpy(out->node.name, name.data, name.length);
    return true;
}

static void tell(struct lease *l, const PGresult *r)
{
    struct cluster_key key;
    struct lease_row row;

    if (!take_key(r, &key)) {
        log_error("cluster", "the key in the database is not one");
        l->handlers.failed(l->handlers.owner);
        return;
    }
    l->until_ms = l->sent_ms + LEASE_MS - LEASE_MARGIN_MS;
    l->handlers.begun(l->handlers.owner, &key, db_get_bool(r, 0, COLUMN_ENDED));
    for (int i = 1; i < PQntuples(r); i++) {
        if (take_row(r, i, &row))
            l->handlers.row(l->handlers.owner, &row);
    }
    l->handlers.done(l->handlers.owner);
}

static void on_turn(void *owner, const struct db_reply *reply)
{
    struct lease *l = owner;

    l->busy = false;
    if (l->closing)
        return;
    if (reply->status == DB_OK) {
        tell(l, reply->result);
        return;
    }
    if (reply->status == DB_ERROR)
        log_error("cluster", "no turn: %s %s", reply->sqlstate, reply->message);
    l->handlers.failed(l->handlers.owner);
}

static void on_left(void *owner, const struct db_reply *reply)
{
    struct lease *l = owner;
    (void)reply;

    l->busy = false;
    l->left = true;
}

struct lease *lease_create(struct event_base *base, const char *dsn, const struct node_id *own,
                           const struct lease_handlers *handlers)
{
    const struct db_conn_config config = {
        .dsn = dsn,
        .application_name = "banter-cluster",
        .setup_sql = setup_sql,
        .timeout_ms = TURN_TIMEOUT_MS,
    };
    struct lease *l = must_calloc(1, sizeof *l);

    l->own = *own;
    l->handlers = *handlers;
    l->conn = db_conn_create(base, &config, on_state, l);
    if (l->conn)
        return l;
    free(l);
    return NULL;
}

void lease_destroy(struct lease *l)
{
    if (!l)
        return;
    l->closing = true;
    db_conn_destroy(l->conn);
    free(l);
}

bool lease_is_busy(const struct lease *l)
{
    return l->busy;
}

static void put_known(struct db_params *p, const struct lease_turn *t)
{
    db_array_begin(p, DB_TEXT_ARRAY);
    for (unsigned i = 0; i < t->known_count; i++)
        db_array_text(p, slice_str(t->known[i].node.name));
    db_array_end(p);
    db_array_begin(p, DB_I64_ARRAY);
    for (unsigned i = 0; i < t->known_count; i++)
        db_array_i64(p, (int64_t)t->known[i].node.incarnation);
    db_array_end(p);
    db_array_begin(p, DB_I64_ARRAY);
    for (unsigned i = 0; i < t->known_count; i++)
        db_array_i64(p, (int64_t)t->known[i].number);
    db_array_end(p);
}

bool lease_turn(struct lease *l, const struct lease_turn *t)
{
    struct db_params *p;

    if (l->busy || l->left || !db_conn_is_ready(l->conn))
        return false;
    p = db_params_create();
    db_text(p, slice_str(l->own.name));
    db_i64(p, (int64_t)l->own.incarnation);
    db_i64(p, LEASE_MS);
    db_i64(p, (int64_t)t->first);
    db_i64(p, (int64_t)t->number);
    db_bytes(p, t->applied);
    db_text(p, t->about);
    db_i64(p, (int64_t)t->upto);
    if (t->body.length > 0)
        db_bytes(p, t->body);
    else
        db_null(p);
    put_known(p, t);
    l->sent_ms = clock_monotonic_ms();
    l->busy = db_conn_run(l->conn, &turn_statement, p, on_turn, l);
    return l->busy;
}

void lease_leave(struct lease *l)
{
    struct db_params *p;

    if (l->busy || l->left)
        return;
    l->until_ms = 0;
    if (!db_conn_is_ready(l->conn)) {
        l->left = true; /* the lease runs out by itself */
        return;
    }
    p = db_params_create();
    db_text(p, slice_str(l->own.name));
    db_i64(p, (int64_t)l->own.incarnation);
    l->busy = db_conn_run(l->conn, &leave_statement, p, on_left, l);
    l->left = !l->busy;
}

bool lease_has_left(const struct lease *l)
{
    return l->left;
}

bool lease_is_held(const struct lease *l)
{
    return clock_monotonic_ms() < l->until_ms;
}
