/* SPDX-License-Identifier: MIT */
/* replica.c - see replica.h. How far behind it is: the primary says how long its log is, and the
 * replica is asked until it has come there. That needs no clock but our own, and a primary on which
 * nothing happens has a replica that is not behind. A log that has become shorter is that of
 * another primary, which took over before it had all of the first one's: nobody will ever come to
 * a place beyond its end, so the replica need not. */
#include "core/replica.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"

#include <event2/event.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
    LOOK_MS = 500,
    REST_MS = 5000,
};

const char *const replica_outcome_names[REPLICA_OUTCOMES] = {
    [REPLICA_ANSWERED] = "answered",
    [REPLICA_BEHIND] = "behind",
    [REPLICA_AWAY] = "away",
    [REPLICA_FAILED] = "failed",
};

struct replica {
    struct replica_config config;
    struct event *timer;
    bool asking;       /* one of the two owes an answer */
    bool looked;       /* it has answered once */
    bool follows;      /* it says that it repeats somebody's log, and has come to a place in ours */
    int64_t wanted;    /* the place in the log that it is to come to; 0: none */
    uint64_t lag_ms;   /* how long it took to come to the last one */
    uint64_t since_ms; /* when the primary was asked for the place */
    uint64_t rest_until_ms;
    const char *excuse; /* why it was not of use at the last look, or NULL; static */
    uint64_t pages[REPLICA_OUTCOMES];
};

static const struct db_statement ask_primary_statement = {
    .name = "replica_wanted",
    .sql = "SELECT (pg_current_wal_flush_lsn() - '0/0')::bigint",
    .parameter_count = 0,
};

static const struct db_statement ask_replica_statement = {
    .name = "replica_replayed",
    .sql = "SELECT pg_is_in_recovery(), (pg_last_wal_replay_lsn() - '0/0')::bigint",
    .parameter_count = 0,
};

static const char unknown[] = "it has not been looked at";

static uint64_t lag_ms(const struct replica *r)
{
    uint64_t waited_ms = r->wanted ? clock_monotonic_ms() - r->since_ms : 0;

    return waited_ms > r->lag_ms ? waited_ms : r->lag_ms;
}

static const char *why_not(const struct replica *r)
{
    if (!db_pool_is_ready(r->config.pool))
        return "it cannot be reached";
    if (!r->looked)
        return unknown;
    if (!r->follows)
        return "it does not follow the primary";
    if (lag_ms(r) > r->config.lag_max_ms)
        return "it is too far behind";
    if (clock_monotonic_ms() < r->rest_until_ms)
        return "it has failed a moment ago";
    return NULL;
}

static void log_change(struct replica *r)
{
    const char *excuse = why_not(r);

    if (excuse == r->excuse || excuse == unknown)
        return;
    r->excuse = excuse;
    if (excuse)
        log_warning("replica", "not used: %s", excuse);
    else
        log_info("replica", "in use");
}

static void on_replayed(void *owner, const struct db_reply *reply)
{
    struct replica *r = owner;

    r->asking = false;
    if (reply->status != DB_OK)
        return;
    r->looked = true;
    if (!db_get_bool(reply->result, 0, 0)) {
        r->follows = false; /* somebody has made a primary of it */
        r->wanted = 0;
    } else if (db_get_i64(reply->result, 0, 1) >= r->wanted) {
        r->follows = true;
        r->lag_ms = clock_monotonic_ms() - r->since_ms;
        r->wanted = 0;
    }
}

static void ask_replica(struct replica *r)
{
    r->asking = db_pool_query(r->config.pool, &ask_replica_statement, NULL, on_replayed, r);
}

static void on_wanted(void *owner, const struct db_reply *reply)
{
    struct replica *r = owner;
    int64_t end = reply->status == DB_OK ? db_get_i64(reply->result, 0, 0) : 0;

    r->asking = false;
    if (end && (!r->wanted || end < r->wanted))
        r->wanted = end;
    if (r->wanted)
        ask_replica(r);
}

static void on_timer(evutil_socket_t fd, short what, void *argument)
{
    struct replica *r = argument;
    (void)fd;
    (void)what;

    log_change(r);
    if (r->asking)
        return;
    if (!r->wanted)
        r->since_ms = clock_monotonic_ms();
    r->asking = db_pool_query(r->config.primary, &ask_primary_statement, NULL, on_wanted, r);
    if (!r->asking && r->wanted) /* the primary is away */
        ask_replica(r);
}

struct replica *replica_create(struct event_base *base, const struct replica_config *config)
{
    const struct timeval interval = {.tv_usec = LOOK_MS * 1000};
    struct replica *r = must_calloc(1, sizeof *r);

    r->config = *config;
    r->excuse = unknown;
    r->timer = event_new(base, -1, EV_PERSIST, on_timer, r);
    if (r->timer && event_add(r->timer, &interval) == 0)
        return r;
    replica_destroy(r);
    return NULL;
}

void replica_destroy(struct replica *r)
{
    if (!r)
        return;
    if (r->timer)
        event_free(r->timer);
    free(r);
}

bool replica_is_usable(const struct replica *r)
{
    return !why_not(r);
}

bool replica_query(struct replica *r, const struct db_statement *statement,
                   struct db_params *params, db_reply_fn *reply, void *owner)
{
    if (replica_is_usable(r))
        return db_pool_query(r->config.pool, statement, params, reply, owner);
    db_params_destroy(params);
    return false;
}

void replica_count(struct replica *r, enum replica_outcome outcome)
{
    r->pages[outcome]++;
}

/* Canceled, because what it reads is about to be cleaned away by the log. */
static bool is_conflict(const struct db_reply *reply)
{
    return reply->status == DB_ERROR && strcmp(reply->sqlstate, "40001") == 0;
}

void replica_note_failure(struct replica *r, const struct db_reply *reply)
{
    r->pages[REPLICA_FAILED]++;
    if (is_conflict(reply))
        return;
    if (reply->status == DB_ERROR)
        log_warning("replica", "query failed: %s %s", reply->sqlstate, reply->message);
    r->rest_until_ms = clock_monotonic_ms() + REST_MS;
}

void replica_get_stats(const struct replica *r, struct replica_stats *out)
{
    *out = (struct replica_stats){.usable = replica_is_usable(r), .lag_ms = lag_ms(r)};
    memcpy(out->pages, r->pages, sizeof out->pages);
}
