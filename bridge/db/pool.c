/* SPDX-License-Identifier: MIT */
/* pool.c - several connections for work without order. Nothing queues here: a query is sent at once
 * on the connection that has the least unanswered, where the server takes it in turn. */
#include "db/conn.h"

#include "base/memory.h"

#include <assert.h>
#include <stdlib.h>

struct db_pool {
    struct db_conn **connections;
    unsigned connection_count;
    size_t queue_max;
};

/* The pool asks each connection when it needs to know. */
static void on_state_changed(void *owner, bool ready)
{
    (void)owner;
    (void)ready;
}

struct db_pool *db_pool_create(struct event_base *base, const struct db_conn_config *config,
                               unsigned connections, unsigned queue_max)
{
    struct db_pool *p = must_calloc(1, sizeof *p);

    assert(connections > 0 && queue_max > 0);
    p->queue_max = queue_max;
    p->connections = must_calloc(connections, sizeof(struct db_conn *));
    for (unsigned i = 0; i < connections; i++) {
        p->connections[i] = db_conn_create(base, config, on_state_changed, p);
        if (!p->connections[i]) {
            db_pool_destroy(p);
            return NULL;
        }
        p->connection_count++;
    }
    return p;
}

void db_pool_destroy(struct db_pool *p)
{
    if (!p)
        return;
    for (unsigned i = 0; i < p->connection_count; i++) {
        struct db_conn *c = p->connections[i];
        /* A reply function called from here may ask again: it must not find this connection. */
        p->connections[i] = NULL;
        db_conn_destroy(c);
    }
    free(p->connections);
    free(p);
}

static struct db_conn *least_busy(const struct db_pool *p, size_t *backlog)
{
    struct db_conn *best = NULL;

    *backlog = 0;
    for (unsigned i = 0; i < p->connection_count; i++) {
        struct db_conn *c = p->connections[i];
        if (!c)
            continue;
        *backlog += db_conn_backlog(c);
        if (db_conn_is_ready(c) && (!best || db_conn_backlog(c) < db_conn_backlog(best)))
            best = c;
    }
    return best;
}

bool db_pool_query(struct db_pool *p, const struct db_statement *statement,
                   struct db_params *params, db_reply_fn *reply, void *owner)
{
    size_t backlog;
    struct db_conn *c = least_busy(p, &backlog);

    /* A query counts twice in the backlog: itself and its sync. */
    if (!c || backlog >= 2 * p->queue_max) {
        db_params_destroy(params);
        return false;
    }
    return db_conn_run(c, statement, params, reply, owner);
}

bool db_pool_is_ready(const struct db_pool *p)
{
    size_t backlog;
    return least_busy(p, &backlog) != NULL;
}
