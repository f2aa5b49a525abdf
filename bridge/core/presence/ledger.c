/* SPDX-License-Identifier: MIT */
/* ledger.c - see ledger.h. A record is in the table from the first change until what it says is
 * committed; a change while it is being written has it written once more. */
#include "core/presence/ledger.h"

#include "base/log.h"
#include "base/map.h"
#include "base/memory.h"
#include "db/db.h"

#include <event2/event.h>
#include <stdlib.h>
#include <sys/queue.h>

enum hiding { HIDING_AS_BEFORE = -1, HIDING_NO = 0, HIDING_YES = 1 };

struct record {
    uint64_t uid;
    TAILQ_ENTRY(record) link; /* in `waiting` or `flying` */
    int64_t at_ms;
    enum hiding hiding;
    bool changed; /* while it was flying */
    bool flying;
};

TAILQ_HEAD(record_queue, record);

struct ledger {
    struct db_pool *pool;
    struct event *timer;
    struct map records; /* by uid; owned */
    struct record_queue waiting;
    struct record_queue flying;
    bool hurried; /* no delay: a stop is near */
};

/* Of who hides nothing is written but that; the moment of hiding is the last one seen. */
static const struct db_statement write_statement = {
    .name = "presence_write",
    .sql = "UPDATE banter.users u"
           "   SET hidden = coalesce(w.hidden = 1, u.hidden),"
           "       last_seen = CASE WHEN u.hidden AND w.hidden IS DISTINCT FROM 0 THEN u.last_seen"
           "                   ELSE greatest(u.last_seen, to_timestamp(w.at_ms / 1000.0)) END"
           "  FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS w (id, at_ms, hidden)"
           " WHERE u.id = w.id AND u.disabled_at IS NULL",
    .parameter_count = 3,
};

static const void *uid_of(const void *item)
{
    return &((const struct record *)item)->uid;
}

static const struct map_type records_type = {map_hash_u64, map_equal_u64, uid_of};

static void write_after(struct ledger *l, unsigned ms)
{
    const struct timeval wait = {.tv_sec = ms / 1000, .tv_usec = (suseconds_t)(ms % 1000) * 1000};

    if (!evtimer_pending(l->timer, NULL))
        event_add(l->timer, &wait);
}

static void forget(struct ledger *l, struct record *record)
{
    map_remove(&l->records, &record->uid);
    free(record);
}

static void land(struct ledger *l, bool written)
{
    struct record *record;

    while ((record = TAILQ_FIRST(&l->flying)) != NULL) {
        TAILQ_REMOVE(&l->flying, record, link);
        record->flying = false;
        if (written && !record->changed)
            forget(l, record);
        else
            TAILQ_INSERT_TAIL(&l->waiting, record, link);
    }
}

static void on_reply(void *owner, const struct db_reply *reply)
{
    struct ledger *l = owner;

    if (reply->status == DB_ERROR)
        log_error("presence", "the write failed, SQLSTATE %s", reply->sqlstate);
    land(l, reply->status == DB_OK);
    if (!TAILQ_EMPTY(&l->waiting))
        write_after(l, l->hurried && reply->status == DB_OK ? 0 : LEDGER_DELAY_MS);
}

/* Moves up to a batch from `waiting` to `flying`. */
static void take_off(struct ledger *l)
{
    struct record *record;

    for (unsigned i = 0; i < LEDGER_BATCH_MAX && (record = TAILQ_FIRST(&l->waiting)); i++) {
        TAILQ_REMOVE(&l->waiting, record, link);
        TAILQ_INSERT_TAIL(&l->flying, record, link);
        record->flying = true;
        record->changed = false;
    }
}

static struct db_params *params_of(const struct record_queue *queue)
{
    struct db_params *p = db_params_create();
    const struct record *record;

    db_array_begin(p, DB_I64_ARRAY);
    TAILQ_FOREACH(record, queue, link)
    {
        db_array_i64(p, (int64_t)record->uid);
    }
    db_array_end(p);
    db_array_begin(p, DB_I64_ARRAY);
    TAILQ_FOREACH(record, queue, link)
    {
        db_array_i64(p, record->at_ms);
    }
    db_array_end(p);
    db_array_begin(p, DB_I64_ARRAY);
    TAILQ_FOREACH(record, queue, link)
    {
        if (record->hiding == HIDING_AS_BEFORE)
            db_array_null(p);
        else
            db_array_i64(p, record->hiding);
    }
    db_array_end(p);
    return p;
}

static void on_timer(evutil_socket_t fd, short what, void *argument)
{
    struct ledger *l = argument;
    (void)fd;
    (void)what;

    if (!TAILQ_EMPTY(&l->flying) || TAILQ_EMPTY(&l->waiting))
        return; /* the answer under way comes back here */
    take_off(l);
    if (!db_pool_query(l->pool, &write_statement, params_of(&l->flying), on_reply, l)) {
        land(l, false);
        write_after(l, LEDGER_DELAY_MS);
    }
}

struct ledger *ledger_create(struct event_base *base, struct db_pool *pool)
{
    struct ledger *l = must_calloc(1, sizeof *l);

    l->pool = pool;
    map_init(&l->records, &records_type);
    TAILQ_INIT(&l->waiting);
    TAILQ_INIT(&l->flying);
    l->timer = evtimer_new(base, on_timer, l);
    if (!l->timer) {
        free(l);
        return NULL;
    }
    return l;
}

void ledger_destroy(struct ledger *l)
{
    struct record *record;

    if (!l)
        return;
    land(l, false);
    while ((record = TAILQ_FIRST(&l->waiting)) != NULL) {
        TAILQ_REMOVE(&l->waiting, record, link);
        forget(l, record);
    }
    map_finish(&l->records);
    event_free(l->timer);
    free(l);
}

/* The user's record, changed; NULL: there are too many, and this one may be done without. */
static struct record *change(struct ledger *l, uint64_t uid, bool dispensable)
{
    struct record *record = map_find(&l->records, &uid);

    if (!record) {
        if (dispensable && l->records.count >= LEDGER_MAX)
            return NULL;
        record = must_calloc(1, sizeof *record);
        record->uid = uid;
        record->hiding = HIDING_AS_BEFORE;
        must_insert(&l->records, record);
        TAILQ_INSERT_TAIL(&l->waiting, record, link);
    }
    record->changed = true;
    write_after(l, LEDGER_DELAY_MS);
    return record;
}

void ledger_seen(struct ledger *l, uint64_t uid, int64_t at_ms)
{
    struct record *record = change(l, uid, true);

    if (record && record->hiding != HIDING_YES && at_ms > record->at_ms)
        record->at_ms = at_ms;
}

void ledger_hidden(struct ledger *l, uint64_t uid, bool hidden, int64_t at_ms)
{
    struct record *record = change(l, uid, false);

    record->hiding = hidden ? HIDING_YES : HIDING_NO;
    record->at_ms = at_ms;
}

void ledger_overlay(const struct ledger *l, uint64_t uid, bool *hidden, int64_t *last_seen_ms)
{
    const struct record *record = map_find(&l->records, &uid);

    if (!record)
        return;
    if ((!*hidden || record->hiding == HIDING_NO) && record->at_ms > *last_seen_ms)
        *last_seen_ms = record->at_ms;
    if (record->hiding != HIDING_AS_BEFORE)
        *hidden = record->hiding == HIDING_YES;
}

void ledger_flush(struct ledger *l)
{
    const struct timeval now = {0};

    l->hurried = true;
    event_add(l->timer, &now);
}

bool ledger_is_idle(const struct ledger *l)
{
    return l->records.count == 0;
}
