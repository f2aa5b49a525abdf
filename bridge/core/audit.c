/* SPDX-License-Identifier: MIT */
/* audit.c - see audit.h. One statement is under way at a time, with what has come since the last
 * one. Each event has a key, so that a statement whose outcome is unknown can be sent again. */
#include "core/audit.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "base/uuid.h"
#include "db/db.h"

#include <assert.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    BATCH_MAX = 64,
    RETRY_MS = 1000,
    EXPIRE_MS = 3600000,
    EXPIRE_MORE_MS = 1000, /* when there is more of it; after a failure twice as long each time */
    EXPIRE_SLICE = 1000,
};

struct item {
    struct uuid key;
    int64_t at_ms;
    const char *action;
    enum audit_by by;
    uint64_t actor;
    uint64_t user;
    enum code result;
    char object[AUDIT_TEXT_MAX + 1];
    char address[ADDRESS_TEXT_BYTES];
    char detail[AUDIT_TEXT_MAX + 1];
};

struct audit {
    struct db_pool *pool;
    const char *node;
    unsigned days;
    bool stopped;        /* the pool is not asked any more */
    struct event *timer; /* tries again */
    struct event *expire_timer;
    unsigned expire_failures; /* in a row */
    struct item *queue;       /* a ring of AUDIT_QUEUE_MAX */
    size_t first;
    size_t count;
    size_t asked; /* of these, from the first one: PostgreSQL has been asked to store them */
    size_t apart; /* the same: they were refused together, so each of them is asked for alone */
    uint64_t window_ms;
    unsigned refusals; /* noted in this window, */
    unsigned left_out; /* and not noted */
    struct audit_stats stats;
};

static const char *const by_names[] = {
    [AUDIT_NOBODY] = "nobody", [AUDIT_SYSTEM] = "system", [AUDIT_USER] = "user"};

static const struct db_statement write_statement = {
    "audit_write",
    "SELECT FROM banter.audit_write($1::text, $2::uuid[], $3::bigint[], $4::text[], $5::bigint[],"
    " $6::text[], $7::bigint[], $8::text[], $9::text[], $10::text[], $11::text[])",
    11};

static const struct db_statement expire_statement = {
    "audit_expire", "SELECT banter.audit_expire($1::integer, $2::integer)", 2};

static void start_timer(const struct audit *a, struct event *timer, unsigned ms)
{
    const struct timeval wait = {.tv_sec = ms / 1000, .tv_usec = (suseconds_t)(ms % 1000) * 1000};

    if (!a->stopped)
        event_add(timer, &wait);
}

static struct item *item_at(const struct audit *a, size_t index)
{
    return &a->queue[(a->first + index) % AUDIT_QUEUE_MAX];
}

/* What the table will not have. */
static void lose(struct audit *a, const struct item *item, const char *why)
{
    a->stats.lost++;
    log_error("audit", "%s: %s by %s %llu on %llu %s from %s: %s %s", why, item->action,
              by_names[item->by], (unsigned long long)item->actor, (unsigned long long)item->user,
              item->object, item->address, code_name(item->result), item->detail);
}

static void drop_asked(struct audit *a)
{
    a->first = (a->first + a->asked) % AUDIT_QUEUE_MAX;
    a->count -= a->asked;
    a->apart -= a->apart > 0; /* which was the one that was asked for */
    a->asked = 0;
}

static void put_number(struct db_params *params, uint64_t number)
{
    if (number == 0)
        db_array_null(params);
    else
        db_array_i64(params, (int64_t)number);
}

static void put_text(struct db_params *params, const char *text)
{
    if (text[0] == '\0')
        db_array_null(params);
    else
        db_array_text(params, slice_str(text));
}

static void put_key(struct db_params *params, const struct item *item)
{
    db_array_uuid(params, &item->key);
}

static void put_at(struct db_params *params, const struct item *item)
{
    db_array_i64(params, item->at_ms);
}

static void put_by(struct db_params *params, const struct item *item)
{
    put_text(params, by_names[item->by]);
}

static void put_actor(struct db_params *params, const struct item *item)
{
    put_number(params, item->actor);
}

static void put_action(struct db_params *params, const struct item *item)
{
    put_text(params, item->action);
}

static void put_user(struct db_params *params, const struct item *item)
{
    put_number(params, item->user);
}

static void put_object(struct db_params *params, const struct item *item)
{
    put_text(params, item->object);
}

static void put_address(struct db_params *params, const struct item *item)
{
    put_text(params, item->address);
}

static void put_result(struct db_params *params, const struct item *item)
{
    put_text(params, code_name(item->result));
}

static void put_detail(struct db_params *params, const struct item *item)
{
    put_text(params, item->detail);
}

/* The arrays of banter.audit_write(), in their order. */
static const struct {
    enum db_array_type type;
    void (*put)(struct db_params *params, const struct item *item);
} columns[] = {
    {DB_UUID_ARRAY, put_key},    {DB_I64_ARRAY, put_at},       {DB_TEXT_ARRAY, put_by},
    {DB_I64_ARRAY, put_actor},   {DB_TEXT_ARRAY, put_action},  {DB_I64_ARRAY, put_user},
    {DB_TEXT_ARRAY, put_object}, {DB_TEXT_ARRAY, put_address}, {DB_TEXT_ARRAY, put_result},
    {DB_TEXT_ARRAY, put_detail},
};

static struct db_params *write_params(const struct audit *a)
{
    struct db_params *params = db_params_create();

    db_text(params, slice_str(a->node));
    for (size_t column = 0; column < sizeof columns / sizeof *columns; column++) {
        db_array_begin(params, columns[column].type);
        for (size_t i = 0; i < a->asked; i++)
            columns[column].put(params, item_at(a, i));
        db_array_end(params);
    }
    return params;
}

static void store(struct audit *a);

static void try_later(struct audit *a)
{
    a->asked = 0;
    start_timer(a, a->timer, RETRY_MS);
}

/* The data itself, by what it is or by the table's constraints: it would be refused again. */
static bool is_for_good(const struct db_reply *reply)
{
    return strncmp(reply->sqlstate, "22", 2) == 0 || strncmp(reply->sqlstate, "23", 2) == 0;
}

/* One row that is refused takes those with it that were sent along: which one it is shows when each
 * is sent alone. */
static void on_refused(struct audit *a, const struct db_reply *reply)
{
    if (a->asked > 1) {
        a->apart = a->asked;
        a->asked = 0;
        return;
    }
    log_error("audit", "PostgreSQL refused it: %s %s", reply->sqlstate, reply->message);
    lose(a, item_at(a, 0), "not stored");
    drop_asked(a);
}

static void on_stored(void *owner, const struct db_reply *reply)
{
    struct audit *a = owner;

    if (reply->status == DB_OK) {
        a->stats.stored += a->asked;
        drop_asked(a);
    } else if (reply->status == DB_ERROR && is_for_good(reply)) {
        on_refused(a, reply);
    } else {
        if (reply->status == DB_ERROR)
            log_error("audit", "not stored yet: %s %s", reply->sqlstate, reply->message);
        try_later(a);
        return;
    }
    store(a);
}

/* Asks PostgreSQL to store what waits, unless it is at it or was not able to a moment ago. */
static void store(struct audit *a)
{
    size_t most = a->apart > 0 ? 1 : BATCH_MAX;

    if (a->stopped || a->asked > 0 || a->count == 0 || evtimer_pending(a->timer, NULL))
        return;
    a->asked = a->count < most ? a->count : most;
    if (!db_pool_query(a->pool, &write_statement, write_params(a), on_stored, a))
        try_later(a);
}

static void on_timer(evutil_socket_t fd, short what, void *argument)
{
    (void)fd;
    (void)what;
    store(argument);
}

static void copy_text(char to[AUDIT_TEXT_MAX + 1], struct slice from)
{
    from = utf8_prefix(from, AUDIT_TEXT_MAX);
    if (from.length > 0)
        memcpy(to, from.data, from.length);
    to[from.length] = '\0';
}

static void push(struct audit *a, const struct audit_event *e)
{
    struct item item = {
        .at_ms = clock_wall_ms(),
        .action = e->action,
        .by = e->by,
        .actor = e->by == AUDIT_USER ? e->actor : 0,
        .user = e->user,
        .result = e->result,
    };

    copy_text(item.object, e->object);
    copy_text(item.detail, e->detail);
    if (e->address)
        address_format(e->address, item.address);
    if (a->count == AUDIT_QUEUE_MAX) {
        lose(a, &item, "no room");
    } else if (!uuid_v7(&item.key)) {
        lose(a, &item, "no key");
    } else {
        *item_at(a, a->count++) = item;
        store(a);
    }
}

/* A window begins: tells what the last one has left out. */
static void begin_window(struct audit *a, uint64_t now_ms)
{
    char number[24];

    if (a->left_out > 0) {
        snprintf(number, sizeof number, "%u", a->left_out);
        push(a, &(struct audit_event){
                    .action = "left_out", .by = AUDIT_SYSTEM, .detail = slice_str(number)});
    }
    a->window_ms = now_ms;
    a->refusals = 0;
    a->left_out = 0;
}

void audit_note(struct audit *a, const struct audit_event *event, uint64_t now_ms)
{
    assert(event->action && (event->by != AUDIT_USER || event->actor > 0));
    if (now_ms - a->window_ms >= AUDIT_WINDOW_MS)
        begin_window(a, now_ms);
    if (event->result != CODE_OK && a->refusals == AUDIT_REFUSALS_MAX) {
        a->left_out++;
        a->stats.left_out++;
        return;
    }
    a->refusals += event->result != CODE_OK;
    push(a, event);
}

void audit_note_own(struct audit *a, const char *action, struct slice object)
{
    audit_note(a, &(struct audit_event){.action = action, .by = AUDIT_SYSTEM, .object = object},
               clock_monotonic_ms());
}

static void expire_failed(struct audit *a)
{
    unsigned ms = EXPIRE_MORE_MS;

    for (unsigned i = 0; i < a->expire_failures && ms < EXPIRE_MS; i++)
        ms *= 2;
    a->expire_failures++;
    start_timer(a, a->expire_timer, ms < EXPIRE_MS ? ms : EXPIRE_MS);
}

static void on_expired(void *owner, const struct db_reply *reply)
{
    struct audit *a = owner;
    bool more;

    if (reply->status == DB_ERROR)
        log_error("audit", "old rows stay: %s %s", reply->sqlstate, reply->message);
    if (reply->status != DB_OK) {
        expire_failed(a);
        return;
    }
    more = db_get_i64(reply->result, 0, 0) == EXPIRE_SLICE;
    a->expire_failures = 0;
    start_timer(a, a->expire_timer, more ? EXPIRE_MORE_MS : EXPIRE_MS);
}

static void on_expire_timer(evutil_socket_t fd, short what, void *argument)
{
    struct audit *a = argument;
    struct db_params *params = db_params_create();
    (void)fd;
    (void)what;

    db_i64(params, a->days);
    db_i64(params, EXPIRE_SLICE);
    if (!db_pool_query(a->pool, &expire_statement, params, on_expired, a))
        expire_failed(a);
}

struct audit *audit_create(struct event_base *base, struct db_pool *pool, const char *node,
                           unsigned days)
{
    struct audit *a = must_calloc(1, sizeof *a);

    a->pool = pool;
    a->node = node;
    a->days = days;
    a->queue = must_calloc(AUDIT_QUEUE_MAX, sizeof *a->queue);
    a->window_ms = clock_monotonic_ms();
    a->timer = evtimer_new(base, on_timer, a);
    a->expire_timer = evtimer_new(base, on_expire_timer, a);
    if (!a->timer || !a->expire_timer) {
        audit_destroy(a);
        return NULL;
    }
    start_timer(a, a->expire_timer, EXPIRE_MORE_MS);
    return a;
}

void audit_stop(struct audit *a)
{
    if (!a)
        return;
    a->stopped = true;
    event_del(a->timer);
    event_del(a->expire_timer);
}

void audit_destroy(struct audit *a)
{
    if (!a)
        return;
    for (size_t i = 0; i < a->count; i++)
        lose(a, item_at(a, i), "not stored in time");
    if (a->timer)
        event_free(a->timer);
    if (a->expire_timer)
        event_free(a->expire_timer);
    free(a->queue);
    free(a);
}

bool audit_is_idle(const struct audit *a)
{
    return a->count == 0;
}

void audit_get_stats(const struct audit *a, struct audit_stats *out)
{
    *out = a->stats;
    out->waiting = a->count;
}
