/* SPDX-License-Identifier: MIT */
/* conn.c - the life of one connection: connect, set up, end what lost ones left behind, be ready,
 * be lost, wait, again.
 *
 * libpq may close its socket and open another inside PQconnectPoll(), so both events are made anew
 * around every such call. Resolving a host name blocks in libpq: the DSN should name a socket
 * directory or an address. */
#include "db/conn.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"

#include <assert.h>
#include <event2/util.h>
#include <stdlib.h>
#include <string.h>

enum {
    CONNECT_TIMEOUT_MS = 10000,
    BACKOFF_FIRST_MS = 100,
    BACKOFF_MAX_MS = 5000,
};

static void on_socket(evutil_socket_t fd, short what, void *argument);
static void on_timer(evutil_socket_t fd, short what, void *argument);

static void set_timer(struct db_conn *c, uint64_t ms)
{
    struct timeval wait = {.tv_sec = (time_t)(ms / 1000),
                           .tv_usec = (suseconds_t)(ms % 1000 * 1000)};
    event_add(c->timer, &wait);
}

/* Doubles from BACKOFF_FIRST_MS on; the upper half is random, so that a crowd spreads out. */
static uint64_t backoff_ms(unsigned failures)
{
    uint64_t ms = BACKOFF_MAX_MS;
    uint16_t random;

    if (failures < 6)
        ms = (uint64_t)BACKOFF_FIRST_MS << failures;
    evutil_secure_rng_get_bytes(&random, sizeof random);
    return ms / 2 + ms / 2 * random / UINT16_MAX;
}

static void unwatch(struct db_conn *c)
{
    if (c->readable)
        event_free(c->readable);
    if (c->writable)
        event_free(c->writable);
    c->readable = NULL;
    c->writable = NULL;
}

/* Makes the events for the socket of now; the caller adds what it waits for. */
static bool watch(struct db_conn *c)
{
    int fd = PQsocket(c->pg);

    unwatch(c);
    if (fd < 0)
        return false;
    c->readable = event_new(c->base, fd, EV_READ | EV_PERSIST, on_socket, c);
    c->writable = event_new(c->base, fd, EV_WRITE, on_socket, c);
    return c->readable && c->writable;
}

static void log_loss(const struct db_conn *c)
{
    const char *reason = c->pg ? PQerrorMessage(c->pg) : "out of memory";

    if (reason[0] == '\0')
        reason = c->state == CONN_READY ? "given up" : "no answer in time";
    int length = (int)strcspn(reason, "\n");

    /* Only the first of a row of failures is news. */
    if (c->failures == 0)
        log_warning("db", "%s: not connected: %.*s", c->config.application_name, length, reason);
    else
        log_debug("db", "%s: not connected: %.*s", c->config.application_name, length, reason);
}

static void drop(struct db_conn *c, enum db_status status)
{
    bool was_ready = c->state == CONN_READY;
    bool unanswered = was_ready && c->expected_count > 0;

    if (!c->closing)
        log_loss(c);
    unwatch(c);
    PQfinish(c->pg);
    c->pg = NULL;
    c->broken = false;
    c->state = CONN_WAITING;
    node_lose(c->config.node, &c->member, unanswered && !c->closing); /* before it is told */
    pipeline_abandon(c, status);
    if (was_ready)
        c->state_changed(c->owner, false);
    if (!c->closing)
        set_timer(c, backoff_ms(c->failures++));
}

static void become_ready(struct db_conn *c)
{
    if (!PQenterPipelineMode(c->pg)) {
        drop(c, DB_LOST);
        return;
    }
    c->state = CONN_READY;
    c->failures = 0;
    event_del(c->timer);
    log_info("db", "%s: connected, server %d", c->config.application_name, PQserverVersion(c->pg));
    c->state_changed(c->owner, true);
}

static void start_sweep(struct db_conn *c)
{
    if (!c->config.node) {
        become_ready(c);
        return;
    }
    c->state = CONN_SWEEPING;
    c->swept_count = 0;
    if (!node_send_sweep(c->config.node, &c->member, c->pg) || !pipeline_flush(c))
        drop(c, DB_LOST);
}

static void start_setup(struct db_conn *c)
{
    if (PQsetnonblocking(c->pg, 1) != 0 || !watch(c) || event_add(c->readable, NULL) != 0) {
        drop(c, DB_LOST);
        return;
    }
    if (!c->config.setup_sql) {
        start_sweep(c);
        return;
    }
    c->state = CONN_SETTING_UP;
    if (!PQsendQuery(c->pg, c->config.setup_sql) || !pipeline_flush(c))
        drop(c, DB_LOST);
}

/* The results of the setup, or of the sweep, have all come. */
static void end_step(struct db_conn *c)
{
    if (c->state == CONN_SWEEPING && c->swept_count == 0) {
        node_swept(c->config.node, &c->member);
        become_ready(c);
    } else { /* whether all of them are gone, the next one tells */
        start_sweep(c);
    }
}

static void note_strays(struct db_conn *c, const PGresult *r)
{
    for (int row = 0; row < PQntuples(r); row++)
        log_info("db", "%s: %s %s, pid %s, which nobody hears any more", c->config.application_name,
                 strcmp(PQgetvalue(r, row, 2), "t") == 0 ? "ended" : "cannot end yet",
                 PQgetvalue(r, row, 1), PQgetvalue(r, row, 0));
    c->swept_count += PQntuples(r);
}

static void advance_setup(struct db_conn *c)
{
    if (!pipeline_flush(c) || !PQconsumeInput(c->pg)) {
        drop(c, DB_LOST);
        return;
    }
    while (!PQisBusy(c->pg)) {
        PGresult *r = PQgetResult(c->pg);
        if (!r) {
            end_step(c);
            return;
        }
        bool failed = PQresultStatus(r) == PGRES_FATAL_ERROR;
        if (!failed && c->state == CONN_SWEEPING)
            note_strays(c, r);
        PQclear(r);
        if (failed) {
            drop(c, DB_LOST);
            return;
        }
    }
}

static void advance_connect(struct db_conn *c)
{
    unwatch(c);
    switch (PQconnectPoll(c->pg)) {
    case PGRES_POLLING_OK:
        start_setup(c);
        return;
    case PGRES_POLLING_READING:
        if (watch(c) && event_add(c->readable, NULL) == 0)
            return;
        break;
    case PGRES_POLLING_WRITING:
        if (watch(c) && event_add(c->writable, NULL) == 0)
            return;
        break;
    default:
        break;
    }
    drop(c, DB_LOST);
}

/* libpq would print them on stderr. */
static void on_notice(void *argument, const PGresult *notice)
{
    const struct db_conn *c = argument;
    const char *message = PQresultErrorField(notice, PG_DIAG_MESSAGE_PRIMARY);
    log_debug("db", "%s: notice: %s", c->config.application_name, message ? message : "");
}

static void start_connect(struct db_conn *c)
{
    const char *const keywords[] = {"dbname", "application_name", "client_encoding", NULL};
    const char *name = node_name_connection(c->config.node, &c->member, c->config.application_name);
    const char *const values[] = {c->config.dsn, name, "UTF8", NULL};

    c->pg = PQconnectStartParams(keywords, values, 1);
    c->state = CONN_CONNECTING;
    set_timer(c, CONNECT_TIMEOUT_MS);
    /* A connection just started behaves as if PQconnectPoll() had asked to write. */
    if (!c->pg || PQstatus(c->pg) == CONNECTION_BAD || !watch(c) ||
        event_add(c->writable, NULL) != 0) {
        drop(c, DB_LOST);
        return;
    }
    PQsetNoticeReceiver(c->pg, on_notice, c);
}

static void on_socket(evutil_socket_t fd, short what, void *argument)
{
    struct db_conn *c = argument;
    (void)fd;

    switch (c->state) {
    case CONN_CONNECTING:
        advance_connect(c);
        break;
    case CONN_SETTING_UP:
    case CONN_SWEEPING:
        advance_setup(c);
        break;
    case CONN_READY:
        if (c->broken || ((what & EV_WRITE) && !pipeline_flush(c)) || !pipeline_read(c))
            drop(c, DB_LOST);
        break;
    case CONN_WAITING: /* has no socket */
        assert(false);
        break;
    }
}

void conn_mark_broken(struct db_conn *c)
{
    c->broken = true;
    event_active(c->timer, EV_TIMEOUT, 1);
}

void conn_watch_deadline(struct db_conn *c)
{
    if (!evtimer_pending(c->timer, NULL))
        set_timer(c, c->config.timeout_ms);
}

static void check_deadline(struct db_conn *c)
{
    uint64_t turn_ms = pipeline_turn_ms(c);
    uint64_t age_ms = turn_ms ? clock_monotonic_ms() - turn_ms : 0;

    if (c->broken) {
        drop(c, DB_LOST);
    } else if (age_ms >= c->config.timeout_ms) {
        log_warning("db", "%s: no answer for %u ms", c->config.application_name,
                    c->config.timeout_ms);
        drop(c, DB_TIMED_OUT);
    } else if (turn_ms) {
        set_timer(c, c->config.timeout_ms - age_ms);
    }
}

static void on_timer(evutil_socket_t fd, short what, void *argument)
{
    struct db_conn *c = argument;
    (void)fd;
    (void)what;

    switch (c->state) {
    case CONN_WAITING:
        start_connect(c);
        break;
    case CONN_CONNECTING:
    case CONN_SETTING_UP:
    case CONN_SWEEPING:
        drop(c, DB_LOST);
        break;
    case CONN_READY:
        check_deadline(c);
        break;
    }
}

struct db_conn *db_conn_create(struct event_base *base, const struct db_conn_config *config,
                               db_conn_state_fn *state_changed, void *owner)
{
    struct db_conn *c = must_calloc(1, sizeof *c);

    assert(config->timeout_ms > 0);
    c->base = base;
    c->config = *config;
    c->state_changed = state_changed;
    c->owner = owner;
    c->timer = evtimer_new(base, on_timer, c);
    if (!c->timer) {
        free(c);
        return NULL;
    }
    node_join(config->node, &c->member);
    set_timer(c, 0); /* not from in here: a failure must not be told before this returns */
    return c;
}

void db_conn_destroy(struct db_conn *c)
{
    if (!c)
        return;
    c->closing = true;
    drop(c, DB_LOST);
    node_leave(c->config.node, &c->member);
    event_free(c->timer);
    free(c->expected);
    free(c->prepared);
    free(c);
}

bool db_conn_is_ready(const struct db_conn *c)
{
    return c->state == CONN_READY && !c->broken;
}
