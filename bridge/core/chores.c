/* SPDX-License-Identifier: MIT */
/* chores.c - see chores.h. */
#include "core/chores.h"

#include "base/log.h"
#include "base/memory.h"
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
    "next_chore", "SELECT conversation, chore FROM banter.chores ORDER BY random() LIMIT 1", 0};
enum { COLUMN_CONVERSATION, COLUMN_CHORE };

struct chores {
    struct db_pool *pool;
    struct commands *commands;
    struct event *timer;
    bool asking; /* PostgreSQL owes an answer */
    bool closed; /* freed when it has given it */
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

static void on_chore(void *owner, const struct db_reply *reply)
{
    struct chores *c = owner;
    struct uuid conversation;

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
    conversation = db_get_uuid(reply->result, 0, COLUMN_CONVERSATION);
    commands_chore(c->commands, (enum chore)db_get_i64(reply->result, 0, COLUMN_CHORE),
                   &conversation, on_slice, c);
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
                             struct commands *commands)
{
    struct chores *c = must_calloc(1, sizeof *c);

    c->pool = pool;
    c->commands = commands;
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
