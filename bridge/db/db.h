/* SPDX-License-Identifier: MIT */
/* db.h - asynchronous PostgreSQL over libpq's pipeline mode, on the loop thread.
 *
 * A `db_conn` is one connection that reconnects by itself (back-off 100 ms to 5 s, with jitter).
 * Statements are prepared on first use of each connection. Queries are sent in order; everything
 * between two db_conn_sync() calls is one transaction, and after an error in it the rest of it
 * fails too (DB_ABORTED). Every accepted query gets exactly one call of its reply function, on the
 * loop thread, never from inside the call that submitted it. */
#ifndef BANTER_BRIDGE_DB_H
#define BANTER_BRIDGE_DB_H

#include "base/compiler.h"
#include "base/slice.h"
#include "base/uuid.h"

#include <libpq-fe.h>
#include <stdbool.h>
#include <stdint.h>

struct event_base;

enum db_status {
    DB_OK = 0,
    DB_ERROR,   /* the server refused this statement: see sqlstate */
    DB_ABORTED, /* an earlier statement of the same transaction failed */
    DB_LOST,    /* the connection broke, or was not there: if a commit was under way, its outcome is
                   unknown */
    DB_TIMED_OUT, /* no answer within the deadline; the connection is dropped, outcome unknown */
};

struct db_reply {
    enum db_status status;
    const PGresult
        *result;          /* DB_OK only, binary format; borrowed until the reply function returns */
    const char *sqlstate; /* DB_ERROR, and db_conn_sync()'s DB_ABORTED: that of the transaction's
                             first error, five characters; else "" */
    const char *message;  /* with sqlstate: the server's primary message; else "" */
    const char *detail;   /* the same of the server's detail */
};

typedef void db_reply_fn(void *owner, const struct db_reply *reply);

/* A statement: one static object each. `sql` uses $1 …; results come in binary format. Parameter
 * types are written as casts in the SQL ($1::uuid[]), so that text-format parameters are
 * unambiguous. */
struct db_statement {
    const char *name; /* unique; the prepared statement's name */
    const char *sql;
    int parameter_count;
};

enum { DB_PARAMETERS_MAX = 12 };

/* Parameters are built in order and copied: bytea and arrays in binary format, the rest as text. */
struct db_params;
struct db_params *db_params_create(void);
void db_params_destroy(
    struct db_params *p); /* NULL is fine; the db_* submit calls take ownership */
void db_null(struct db_params *p);
void db_i64(struct db_params *p, int64_t value);
void db_bool(struct db_params *p, bool value);
void db_text(struct db_params *p, struct slice value); /* must hold no NUL */
/* The same, or NULL: of an empty text, or of one that was not given (no data), while an empty one
 * that was given is one. */
void db_text_or_null(struct db_params *p, struct slice value);
void db_text_if_given(struct db_params *p, struct slice value);
void db_uuid(struct db_params *p, const struct uuid *value);
void db_bytes(struct db_params *p, struct slice value);
/* An array in one parameter: begin, items, end. NULL items are allowed. The cast in the SQL must be
 * to this very type: bigint[], text[], uuid[] or xid8[]. */
enum db_array_type { DB_I64_ARRAY, DB_TEXT_ARRAY, DB_UUID_ARRAY, DB_XID8_ARRAY };
void db_array_begin(struct db_params *p, enum db_array_type type);
void db_array_null(struct db_params *p);
void db_array_i64(struct db_params *p, int64_t value);
void db_array_text(struct db_params *p, struct slice value);
void db_array_uuid(struct db_params *p, const struct uuid *value);
void db_array_xid8(struct db_params *p, uint64_t value);
void db_array_end(struct db_params *p);

/* Reading binary results. NULL columns give 0, false, empty. */
int64_t db_get_i64(const PGresult *r, int row, int column); /* int2, int4 or int8 by length */
uint64_t db_get_xid8(const PGresult *r, int row, int column);
bool db_get_bool(const PGresult *r, int row, int column);
struct slice db_get_text(const PGresult *r, int row, int column); /* borrowed; also bytea */
struct uuid db_get_uuid(const PGresult *r, int row, int column);
int64_t db_get_time_ms(const PGresult *r, int row, int column); /* timestamptz to Unix ms */
bool db_get_null(const PGresult *r, int row, int column);

/* The connections of this node whose statements must not commit after their end: see db/node.h.
 * Another node of the same database has another name. Outlives its connections. */
struct db_node;
struct db_node *db_node_create(const char *name) MUST_USE;
void db_node_destroy(struct db_node *n);
/* Its name and this process's incarnation as the names of its connections have them:
 * NAME/INCARNATION.NUMBER, the latter in eight hexadecimal digits. Borrowed. */
const char *db_node_key(const struct db_node *n);
uint32_t db_node_incarnation(const struct db_node *n);
/* True when no statement can commit any more that was sent by an earlier bridge of this node or
 * over a connection that was lost meanwhile. */
bool db_node_is_settled(const struct db_node *n);
/* Told on the loop thread, a loss before the reply functions of what was under way hear of it. */
typedef void db_node_changed_fn(void *owner, bool settled);
void db_node_on_changed(struct db_node *n, db_node_changed_fn *changed, void *owner);

/* One connection, for a user that needs order: the writer. */
struct db_conn;
struct db_conn_config {
    const char *dsn;      /* libpq connection string; borrowed for the connection's life */
    struct db_node *node; /* borrowed; NULL: what it leaves behind may commit */
    const char *application_name;
    const char *setup_sql; /* run after each connect, or NULL; may hold several statements */
    unsigned timeout_ms;   /* deadline of one transaction, from when those before it are answered */
};
/* Told on the loop thread when the connection is ready for queries, and when it is gone (after the
 * reply functions of everything that was under way have been called with DB_LOST). */
typedef void db_conn_state_fn(void *owner, bool ready);

struct db_conn *db_conn_create(struct event_base *base, const struct db_conn_config *config,
                               db_conn_state_fn *state_changed, void *owner) MUST_USE;
void db_conn_destroy(struct db_conn *c);
bool db_conn_is_ready(const struct db_conn *c);
/* Queues a query in the current transaction. Takes `params` (NULL: none). False when the connection
 * is not ready: no callback. */
bool db_conn_query(struct db_conn *c, const struct db_statement *statement,
                   struct db_params *params, db_reply_fn *reply, void *owner) MUST_USE;
/* Ends the transaction (commits it). `reply` tells whether all of it is committed: DB_OK, or
 * DB_ABORTED after an error. May be NULL. */
bool db_conn_sync(struct db_conn *c, db_reply_fn *reply, void *owner) MUST_USE;
/* One query as a transaction of its own, with one reply: after the commit. */
bool db_conn_run(struct db_conn *c, const struct db_statement *statement, struct db_params *params,
                 db_reply_fn *reply, void *owner) MUST_USE;

/* Several connections for work without order: each query is a transaction of its own, answered
 * after its commit, and goes to the least busy connection. */
struct db_pool;
struct db_pool *db_pool_create(struct event_base *base, const struct db_conn_config *config,
                               unsigned connections, unsigned queue_max) MUST_USE;
void db_pool_destroy(struct db_pool *p);
/* Takes `params`. False when `queue_max` queries are waiting or no connection is there: no
 * callback, answer `unavailable`. */
bool db_pool_query(struct db_pool *p, const struct db_statement *statement,
                   struct db_params *params, db_reply_fn *reply, void *owner) MUST_USE;
/* True when at least one connection is ready: for /readyz. */
bool db_pool_is_ready(const struct db_pool *p);

#endif
