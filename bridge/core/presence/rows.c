/* SPDX-License-Identifier: MIT */
/* rows.c - see rows.h. Who waits is somebody who has just come, so their number is bounded by that
 * of the connections. */
#include "core/presence/rows.h"

#include "base/log.h"
#include "base/memory.h"
#include "db/db.h"

#include <event2/event.h>
#include <stdlib.h>

enum {
    USERS_PER_QUERY = 500,
    RETRY_MS = 250,
};

struct rows {
    struct db_pool *pool;
    rows_fn *done;
    void *owner;
    struct event *timer; /* collects who comes in one turn of the loop; and retries */
    uint64_t *waiting;   /* uids; the first `asked_count` of them are in the query under way */
    size_t waiting_count;
    size_t waiting_capacity;
    size_t asked_count;
};

static const struct db_statement rows_statement = {
    .name = "presence_rows",
    .sql = "SELECT u.id, u.hidden, u.last_seen, " PRESENCE_DISCREET(
        "u") " FROM banter.users u"
             " WHERE u.id = ANY ($1::bigint[])",
    .parameter_count = 1,
};

enum { COLUMN_UID, COLUMN_HIDDEN, COLUMN_LAST_SEEN, COLUMN_DISCREET };

static void ask_after(struct rows *r, unsigned ms)
{
    const struct timeval wait = {.tv_usec = (suseconds_t)ms * 1000};

    if (!evtimer_pending(r->timer, NULL))
        event_add(r->timer, &wait);
}

static void tell(struct rows *r, const PGresult *result)
{
    for (int i = 0; i < PQntuples(result); i++) {
        const struct presence_row row = {
            .hidden = db_get_bool(result, i, COLUMN_HIDDEN),
            .last_seen_ms = db_get_time_ms(result, i, COLUMN_LAST_SEEN),
            .discreet = db_get_bool(result, i, COLUMN_DISCREET),
        };
        r->done(r->owner, (uint64_t)db_get_i64(result, i, COLUMN_UID), &row);
    }
}

static void on_reply(void *owner, const struct db_reply *reply)
{
    struct rows *r = owner;
    size_t asked = r->asked_count;

    r->asked_count = 0;
    if (reply->status != DB_OK) {
        if (reply->status == DB_ERROR)
            log_error("presence", "the rows cannot be read, SQLSTATE %s", reply->sqlstate);
        ask_after(r, RETRY_MS);
        return;
    }
    r->waiting_count -= asked;
    memmove(r->waiting, r->waiting + asked, r->waiting_count * sizeof *r->waiting);
    tell(r, reply->result);
    if (r->waiting_count > 0)
        ask_after(r, 0);
}

static void on_timer(evutil_socket_t fd, short what, void *argument)
{
    struct rows *r = argument;
    struct db_params *p;
    (void)fd;
    (void)what;

    if (r->asked_count > 0 || r->waiting_count == 0)
        return;
    r->asked_count = r->waiting_count < USERS_PER_QUERY ? r->waiting_count : USERS_PER_QUERY;
    p = db_params_create();
    db_array_begin(p, DB_I64_ARRAY);
    for (size_t i = 0; i < r->asked_count; i++)
        db_array_i64(p, (int64_t)r->waiting[i]);
    db_array_end(p);
    if (!db_pool_query(r->pool, &rows_statement, p, on_reply, r)) {
        r->asked_count = 0;
        ask_after(r, RETRY_MS);
    }
}

struct rows *rows_create(struct event_base *base, struct db_pool *pool, rows_fn *done, void *owner)
{
    struct rows *r = must_calloc(1, sizeof *r);

    r->pool = pool;
    r->done = done;
    r->owner = owner;
    r->timer = evtimer_new(base, on_timer, r);
    if (!r->timer) {
        free(r);
        return NULL;
    }
    return r;
}

void rows_destroy(struct rows *r)
{
    if (!r)
        return;
    event_free(r->timer);
    free(r->waiting);
    free(r);
}

void rows_read(struct rows *r, uint64_t uid)
{
    if (r->waiting_count == r->waiting_capacity) {
        r->waiting_capacity = r->waiting_capacity ? 2 * r->waiting_capacity : USERS_PER_QUERY;
        r->waiting = must_realloc(r->waiting, r->waiting_capacity * sizeof *r->waiting);
    }
    r->waiting[r->waiting_count++] = uid;
    ask_after(r, 0);
}
