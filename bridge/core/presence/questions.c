/* SPDX-License-Identifier: MIT */
/* questions.c - see questions.h. The plugin has a bounded number of them under way. */
#include "core/presence/questions.h"

#include "base/log.h"
#include "base/memory.h"
#include "db/db.h"

#include <assert.h>
#include <event2/event.h>
#include <stdlib.h>

enum {
    QUESTIONS_PER_QUERY = 256,
    RETRY_MS = 250,
};

TAILQ_HEAD(question_queue, question);

struct questions {
    struct db_pool *pool;
    questions_fn *done;
    void *owner;
    struct event *timer; /* collects what is asked in one turn of the loop; and retries */
    struct question_queue waiting;
    struct question_queue asked; /* in the query under way, in its order */
    bool stale;                  /* the link was lost: the answer under way is for nobody */
};

static const struct db_statement questions_statement = {
    .name = "presence_questions",
    .sql =
        "SELECT u.id, coalesce(banter.may_see_presence(w.uid, u.id), false), u.hidden,"
        "       u.last_seen, " PRESENCE_DISCREET(
            "u") "  FROM unnest($1::bigint[], $2::text[]) WITH ORDINALITY AS w (uid, handle, ord)"
                 "  LEFT JOIN banter.users u ON u.handle = w.handle AND u.disabled_at IS NULL"
                 " ORDER BY w.ord",
    .parameter_count = 2,
};

enum { COLUMN_UID, COLUMN_ALLOWED, COLUMN_HIDDEN, COLUMN_LAST_SEEN, COLUMN_DISCREET };

static void ask_after(struct questions *q, unsigned ms)
{
    const struct timeval wait = {.tv_usec = (suseconds_t)ms * 1000};

    if (!evtimer_pending(q->timer, NULL))
        event_add(q->timer, &wait);
}

static void forget(struct question_queue *queue)
{
    struct question *i;

    while ((i = TAILQ_FIRST(queue)) != NULL) {
        TAILQ_REMOVE(queue, i, link);
        free(i);
    }
}

/* Puts what was asked back before what waits. */
static void take_back(struct questions *q)
{
    TAILQ_CONCAT(&q->asked, &q->waiting, link);
    TAILQ_CONCAT(&q->waiting, &q->asked, link);
}

static struct verdict verdict_of(const PGresult *r, int row)
{
    return (struct verdict){
        .target_uid = (uint64_t)db_get_i64(r, row, COLUMN_UID),
        .allowed = db_get_bool(r, row, COLUMN_ALLOWED),
        .row = {.hidden = db_get_bool(r, row, COLUMN_HIDDEN),
                .last_seen_ms = db_get_time_ms(r, row, COLUMN_LAST_SEEN),
                .discreet = db_get_bool(r, row, COLUMN_DISCREET)},
    };
}

static void answer_all(struct questions *q, const PGresult *r)
{
    struct question *i;

    for (int row = 0; row < PQntuples(r) && (i = TAILQ_FIRST(&q->asked)) != NULL; row++) {
        const struct verdict verdict = verdict_of(r, row);

        TAILQ_REMOVE(&q->asked, i, link);
        if (i->stale) {
            i->stale = false;
            TAILQ_INSERT_TAIL(&q->waiting, i, link);
            continue;
        }
        q->done(q->owner, i, &verdict);
        free(i);
    }
    forget(&q->asked);
}

static void on_reply(void *owner, const struct db_reply *reply)
{
    struct questions *q = owner;

    if (q->stale) {
        q->stale = false;
    } else if (reply->status == DB_OK) {
        answer_all(q, reply->result);
    } else {
        if (reply->status == DB_ERROR)
            log_error("presence", "the question failed, SQLSTATE %s", reply->sqlstate);
        take_back(q);
        ask_after(q, RETRY_MS);
        return;
    }
    if (!TAILQ_EMPTY(&q->waiting))
        ask_after(q, 0);
}

static struct db_params *params_of(const struct question_queue *queue)
{
    struct db_params *p = db_params_create();
    const struct question *i;

    db_array_begin(p, DB_I64_ARRAY);
    TAILQ_FOREACH(i, queue, link)
    {
        db_array_i64(p, (int64_t)i->uid);
    }
    db_array_end(p);
    db_array_begin(p, DB_TEXT_ARRAY);
    TAILQ_FOREACH(i, queue, link)
    {
        db_array_text(p, slice_str(i->target));
    }
    db_array_end(p);
    return p;
}

static void on_timer(evutil_socket_t fd, short what, void *argument)
{
    struct questions *q = argument;
    struct question *i;
    (void)fd;
    (void)what;

    if (q->stale || !TAILQ_EMPTY(&q->asked) || TAILQ_EMPTY(&q->waiting))
        return; /* the answer under way goes on from here */
    for (unsigned n = 0; n < QUESTIONS_PER_QUERY && (i = TAILQ_FIRST(&q->waiting)); n++) {
        TAILQ_REMOVE(&q->waiting, i, link);
        TAILQ_INSERT_TAIL(&q->asked, i, link);
    }
    if (!db_pool_query(q->pool, &questions_statement, params_of(&q->asked), on_reply, q)) {
        take_back(q);
        ask_after(q, RETRY_MS);
    }
}

struct questions *questions_create(struct event_base *base, struct db_pool *pool,
                                   questions_fn *done, void *owner)
{
    struct questions *q = must_calloc(1, sizeof *q);

    q->pool = pool;
    q->done = done;
    q->owner = owner;
    TAILQ_INIT(&q->waiting);
    TAILQ_INIT(&q->asked);
    q->timer = evtimer_new(base, on_timer, q);
    if (!q->timer) {
        free(q);
        return NULL;
    }
    return q;
}

void questions_destroy(struct questions *q)
{
    if (!q)
        return;
    forget(&q->waiting);
    forget(&q->asked);
    event_free(q->timer);
    free(q);
}

static void copy_text(char *to, size_t capacity, struct slice from)
{
    assert(from.length < capacity); /* frame_read_watch() has looked */
    memcpy(to, from.data, from.length);
    to[from.length] = '\0';
}

void questions_ask(struct questions *q, const struct frame_watch *f)
{
    struct question *i = must_calloc(1, sizeof *i);

    i->number = f->number;
    i->uid = f->uid;
    i->again = f->again;
    copy_text(i->device, sizeof i->device, f->device);
    copy_text(i->target, sizeof i->target, f->target);
    TAILQ_INSERT_TAIL(&q->waiting, i, link);
    ask_after(q, 0);
}

void questions_row_changed(struct questions *q, struct slice target)
{
    struct question *i;

    TAILQ_FOREACH(i, &q->asked, link)
    {
        if (slice_equal(slice_str(i->target), target))
            i->stale = true;
    }
}

void questions_link_lost(struct questions *q)
{
    q->stale = q->stale || !TAILQ_EMPTY(&q->asked);
    forget(&q->waiting);
    forget(&q->asked);
}
