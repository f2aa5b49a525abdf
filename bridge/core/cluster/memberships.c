/* SPDX-License-Identifier: MIT */
/* memberships.c - see memberships.h. */
#include "core/cluster/memberships.h"

#include "base/log.h"
#include "base/memory.h"
#include "db/db.h"
#include "link/link.h"

#include <assert.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

enum {
    PER_QUERY = 500,
    RETRY_MS = 250,
};

struct wanted {
    struct uuid conversation;
    uint64_t uid;
    int64_t since;
    int64_t head; /* of entries that were held back meanwhile; 0: none */
    bool stale;   /* changed by this node since the query under way was asked */
};

struct memberships {
    struct db_pool *pool;
    struct link *link;
    struct memberships_hooks hooks;
    struct event *timer;    /* asks */
    struct wanted *waiting; /* the first `asked` of them are in the query under way */
    size_t count;
    size_t capacity;
    size_t asked;
    uint64_t ticket; /* of the last one that was asked for */
};

static const struct db_statement look_up = {
    "cluster_memberships",
    "SELECT w.n, c.kind, m.role, c.last_seq, m.joined_seq"
    "  FROM unnest($1::uuid[], $2::bigint[]) WITH ORDINALITY AS w (conversation, uid, n)"
    "  LEFT JOIN banter.conversations c ON c.id = w.conversation AND c.deleted_at IS NULL"
    "  LEFT JOIN banter.members m ON m.conversation = c.id AND m.user_id = w.uid"
    " ORDER BY w.n",
    2,
};
enum { COLUMN_N, COLUMN_KIND, COLUMN_ROLE, COLUMN_LAST_SEQ, COLUMN_JOINED };

static void ask_after(struct memberships *m, unsigned ms)
{
    const struct timeval wait = {.tv_usec = (suseconds_t)ms * 1000};

    if (!evtimer_pending(m->timer, NULL))
        event_add(m->timer, &wait);
}

/* Who has joined after the change that the hint is about was no member for a while. */
static void tell(struct memberships *m, const struct wanted *w, const PGresult *r, int row)
{
    int64_t head = db_get_i64(r, row, COLUMN_LAST_SEQ);
    int64_t joined = db_get_i64(r, row, COLUMN_JOINED);
    struct frame_member f = {
        .conversation = w->conversation,
        .kind = db_get_null(r, row, COLUMN_KIND)
                    ? CONVERSATION_GROUP
                    : (enum conversation_kind)db_get_i64(r, row, COLUMN_KIND),
        .uid = w->uid,
        .role = ROLE_NONE,
        .last_seq = w->since,
    };

    m->hooks.telling(m->hooks.owner, &w->conversation);
    if (db_get_null(r, row, COLUMN_ROLE) || joined > w->since)
        link_member(m->link, &f);
    if (db_get_null(r, row, COLUMN_ROLE))
        return;
    f.role = (enum role)db_get_i64(r, row, COLUMN_ROLE);
    f.last_seq = joined > w->since ? joined : w->since;
    link_member(m->link, &f);
    if (head < w->head)
        head = w->head;
    link_head(m->link, &(struct frame_head){w->conversation, head});
}

/* Up to the first answer that is older than what the plugin has been told. */
static size_t tell_all(struct memberships *m, const PGresult *r, size_t asked)
{
    size_t told = 0;

    while (told < asked && !m->waiting[told].stale) {
        tell(m, &m->waiting[told], r, (int)told);
        told++;
    }
    return told;
}

static void on_reply(void *owner, const struct db_reply *reply)
{
    struct memberships *m = owner;
    size_t told = 0;

    if (reply->status == DB_OK) {
        assert((size_t)PQntuples(reply->result) == m->asked);
        told = tell_all(m, reply->result, m->asked);
    } else if (reply->status == DB_ERROR) {
        log_error("cluster", "the memberships cannot be read: %s %s", reply->sqlstate,
                  reply->message);
    }
    m->asked = 0;
    m->count -= told;
    memmove(m->waiting, m->waiting + told, m->count * sizeof *m->waiting);
    for (size_t i = 0; i < m->count; i++)
        m->waiting[i].stale = false;
    if (m->count > 0)
        ask_after(m, reply->status == DB_OK ? 0 : RETRY_MS);
    if (told > 0)
        m->hooks.told(m->hooks.owner, m->ticket - m->count);
}

static void on_timer(evutil_socket_t fd, short what, void *argument)
{
    struct memberships *m = argument;
    struct db_params *p;
    (void)fd;
    (void)what;

    if (m->asked > 0 || m->count == 0)
        return;
    m->asked = m->count < PER_QUERY ? m->count : PER_QUERY;
    p = db_params_create();
    db_array_begin(p, DB_UUID_ARRAY);
    for (size_t i = 0; i < m->asked; i++)
        db_array_uuid(p, &m->waiting[i].conversation);
    db_array_end(p);
    db_array_begin(p, DB_I64_ARRAY);
    for (size_t i = 0; i < m->asked; i++)
        db_array_i64(p, (int64_t)m->waiting[i].uid);
    db_array_end(p);
    if (!db_pool_query(m->pool, &look_up, p, on_reply, m)) {
        m->asked = 0;
        ask_after(m, RETRY_MS);
    }
}

struct memberships *memberships_create(struct event_base *base, struct db_pool *pool,
                                       struct link *link, const struct memberships_hooks *hooks)
{
    struct memberships *m = must_calloc(1, sizeof *m);

    *m = (struct memberships){.pool = pool, .link = link, .hooks = *hooks};
    m->timer = evtimer_new(base, on_timer, m);
    if (m->timer)
        return m;
    free(m);
    return NULL;
}

void memberships_destroy(struct memberships *m)
{
    if (!m)
        return;
    assert(m->asked == 0);
    event_free(m->timer);
    free(m->waiting);
    free(m);
}

/* Those of the query under way have to stay; its answer brings the others to their end. */
static void give_up(struct memberships *m)
{
    log_warning("cluster", "the plugin begins anew: too many memberships wait to be looked up");
    link_reset(m->link);
    m->count = m->asked;
    ask_after(m, 0);
}

uint64_t memberships_look_up(struct memberships *m, const struct uuid *conversation, uint64_t uid,
                             int64_t since)
{
    if (m->count >= MEMBERSHIPS_MAX)
        give_up(m);
    if (m->count == m->capacity) {
        m->capacity = m->capacity ? 2 * m->capacity : PER_QUERY;
        m->waiting = must_realloc(m->waiting, m->capacity * sizeof *m->waiting);
    }
    m->waiting[m->count++] =
        (struct wanted){.conversation = *conversation, .uid = uid, .since = since};
    ask_after(m, 0);
    return ++m->ticket;
}

void memberships_changed(struct memberships *m, const struct uuid *conversation)
{
    for (size_t i = 0; i < m->asked; i++) {
        if (uuid_equal(&m->waiting[i].conversation, conversation))
            m->waiting[i].stale = true;
    }
}

bool memberships_hold(struct memberships *m, const struct uuid *conversation, int64_t seq)
{
    for (size_t i = m->count; i > 0; i--) {
        struct wanted *w = &m->waiting[i - 1];

        if (!uuid_equal(&w->conversation, conversation))
            continue;
        if (w->head < seq)
            w->head = seq;
        return true;
    }
    return false;
}
