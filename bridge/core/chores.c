/* SPDX-License-Identifier: MIT */
/* chores.c - see chores.h. */
#include "core/chores.h"

#include "base/log.h"
#include "base/memory.h"
#include "core/blobs.h"
#include "core/commands.h"
#include "db/db.h"

#include <event2/event.h>
#include <stdlib.h>

enum {
    LOOK_MS = 2000, /* when there was nothing to do */
    PAUSE_MS = 5,   /* after a slice */
    FAILED_MS = 5000,
};

/* Any one: a chore that fails must not keep the others from being done. */
static const struct db_statement next_chore = {
    "next_chore",
    "SELECT o.subject, o.chore"
    "  FROM (SELECT conversation AS subject, chore FROM banter.chores"
    "        UNION ALL"
    "        (SELECT conversation, 3 FROM banter.retentions WHERE due_at <= now()"
    "          ORDER BY due_at LIMIT 10)"
    "        UNION ALL"
    "        (SELECT coalesce(conversation, id), CASE WHEN conversation IS NULL THEN 5 ELSE 4 END"
    "           FROM banter.erasures WHERE finished_at IS NULL AND due_at <= now()"
    "          ORDER BY due_at LIMIT 10)"
    "        UNION ALL"
    "        SELECT avatar, 6"
    "          FROM banter.erasures WHERE finished_at IS NULL AND avatar IS NOT NULL) o"
    " ORDER BY random() LIMIT 1",
    0};
enum { COLUMN_SUBJECT, COLUMN_CHORE };

struct chores {
    struct db_pool *pool;
    struct commands *commands;
    struct blobs *blobs;
    struct event *timer;
    struct uuid subject; /* of the chore under way */
    bool asking;         /* PostgreSQL owes an answer */
    bool closed;         /* freed when it has given it */
};

static void look_after(struct chores *c, unsigned ms)
{
    const struct timeval wait = {.tv_sec = ms / 1000, .tv_usec = (suseconds_t)(ms % 1000) * 1000};

    event_add(c->timer, &wait);
}

static void on_slice(void *owner, enum code code, const char *reason, struct slice data)
{
    (void)reason;
    (void)data;
    look_after(owner, code == CODE_OK ? PAUSE_MS : FAILED_MS);
}

/* The file has gone: now nobody need know that there was one. */
static void on_blob_removed(void *owner, enum blob_result result, struct slice bytes)
{
    struct chores *c = owner;

    (void)bytes;
    if (result == BLOB_OK)
        commands_chore(c->commands, CHORE_BLOB, &c->subject, on_slice, c);
    else
        look_after(c, FAILED_MS);
}

static void do_chore(struct chores *c, enum chore chore)
{
    if (chore != CHORE_BLOB)
        commands_chore(c->commands, chore, &c->subject, on_slice, c);
    else if (!blobs_remove(c->blobs, &c->subject, on_blob_removed, c))
        look_after(c, FAILED_MS);
}

static void on_chore(void *owner, const struct db_reply *reply)
{
    struct chores *c = owner;

    c->asking = false;
    if (c->closed) {
        free(c);
        return;
    }
    if (reply->status == DB_ERROR)
        log_error("chores", "the query failed: %s %s", reply->sqlstate, reply->message);
    if (reply->status != DB_OK || PQntuples(reply->result) == 0) {
        look_after(c, reply->status == DB_OK ? LOOK_MS : FAILED_MS);
        return;
    }
    c->subject = db_get_uuid(reply->result, 0, COLUMN_SUBJECT);
    do_chore(c, (enum chore)db_get_i64(reply->result, 0, COLUMN_CHORE));
}

static void on_timer(evutil_socket_t fd, short what, void *argument)
{
    struct chores *c = argument;
    (void)fd;
    (void)what;

    c->asking = db_pool_query(c->pool, &next_chore, db_params_create(), on_chore, c);
    if (!c->asking)
        look_after(c, FAILED_MS);
}

struct chores *chores_create(struct event_base *base, struct db_pool *pool,
                             struct commands *commands, struct blobs *blobs)
{
    struct chores *c = must_calloc(1, sizeof *c);

    c->pool = pool;
    c->commands = commands;
    c->blobs = blobs;
    c->timer = evtimer_new(base, on_timer, c);
    if (!c->timer) {
        free(c);
        return NULL;
    }
    look_after(c, LOOK_MS);
    return c;
}

void chores_destroy(struct chores *c)
{
    if (!c)
        return;
    event_free(c->timer);
    c->closed = true;
    if (!c->asking)
        free(c);
}
