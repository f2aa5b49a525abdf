/* SPDX-License-Identifier: MIT */
/* app_replica.c - see app_replica.h. */
#include "app_replica.h"

#include "base/memory.h"
#include "config.h"
#include "core/replica.h"
#include "db/db.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    QUEUE_MAX = 256,
    SETUP_MAX_BYTES = 256,
    GRACE_MS = 500, /* in which PostgreSQL itself ends a statement that takes too long */
};

struct app_replica {
    char setup_sql[SETUP_MAX_BYTES];
    struct db_pool *pool;
    struct replica *replica;
};

struct app_replica *app_replica_create(struct event_base *base, const struct config *config,
                                       struct db_pool *primary)
{
    struct app_replica *a = must_calloc(1, sizeof *a);
    const struct db_conn_config pool_config = {
        .dsn = config->replica_database,
        .application_name = "banter-replica",
        .setup_sql = a->setup_sql,
        .timeout_ms = config->replica_timeout_ms + GRACE_MS,
    };
    struct replica_config replica_config = {
        .primary = primary,
        .lag_max_ms = config->replica_lag_max_ms,
    };

    if (!config->replica_database[0])
        return a;
    snprintf(a->setup_sql, sizeof a->setup_sql,
             "SET default_transaction_read_only = on; SET statement_timeout = %u; SET jit = off;"
             "SET client_connection_check_interval = '1s'",
             config->replica_timeout_ms);
    a->pool = db_pool_create(base, &pool_config, config->replica_connections, QUEUE_MAX);
    replica_config.pool = a->pool;
    if (a->pool && (a->replica = replica_create(base, &replica_config)))
        return a;
    app_replica_destroy(a);
    return NULL;
}

void app_replica_destroy(struct app_replica *a)
{
    if (!a)
        return;
    db_pool_destroy(a->pool);
    replica_destroy(a->replica);
    free(a);
}

struct replica *app_replica_of(const struct app_replica *a)
{
    return a->replica;
}
