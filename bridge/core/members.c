/* SPDX-License-Identifier: MIT */
/* members.c - answers ATTACH. One query is under way at a time and takes along whoever has asked
 * meanwhile, up to USERS_PER_QUERY, which bounds the size of its answer.
 *
 * A membership that changes between the query and its answer is no harm: the MEMBER frame of the
 * change is written at its commit, and the plugin lets it win over an ATTACHED that follows. */
#include "core/members.h"

#include "base/fault_point.h"
#include "base/log.h"
#include "base/memory.h"
#include "db/db.h"
#include "link/link.h"

#include <assert.h>
#include <event2/event.h>
#include <stdlib.h>

enum {
    USERS_PER_QUERY = 64,
    RETRY_MS = 250,
};

struct members {
    struct db_pool *pool;
    struct link *link;
    struct members_hooks hooks; /* all or none */
    uint64_t *waiting; /* uids; the first `asked_count` of them are in the query under way */
    size_t waiting_count;
    size_t waiting_capacity;
    size_t asked_count;
    bool stale;          /* the link was lost: the answer under way is for nobody */
    struct event *timer; /* collects who asks in one turn of the loop; and retries */
    struct attached_conversation items[ATTACHED_MAX_PER_FRAME];
};

/* A user's rows follow each other. Unknown and disabled users give one row with a NULL id. */
static const struct db_statement attach_statement = {
    .name = "members_attach",
    .sql = "SELECT w.uid, u.id, c.id, c.kind, m.role, c.last_seq, m.joined_seq"
           " FROM unnest($1::bigint[]) AS w (uid)"
           " LEFT JOIN banter.users u ON u.id = w.uid AND u.disabled_at IS NULL"
           " LEFT JOIN banter.members m ON m.user_id = u.id"
           " LEFT JOIN banter.conversations c"
           "   ON c.id = m.conversation AND c.deleted_at IS NULL"
           " ORDER BY w.uid",
    .parameter_count = 1,
};

enum {
    COLUMN_UID,
    COLUMN_KNOWN,
    COLUMN_CONVERSATION,
    COLUMN_KIND,
    COLUMN_ROLE,
    COLUMN_LAST_SEQ,
    COLUMN_JOINED_SEQ,
};

static void ask_after(struct members *m, unsigned ms)
{
    const struct timeval wait = {.tv_usec = (suseconds_t)ms * 1000};

    if (!evtimer_pending(m->timer, NULL))
        event_add(m->timer, &wait);
}

static struct attached_conversation read_item(const PGresult *r, int row)
{
    return (struct attached_conversation){
        .conversation = db_get_uuid(r, row, COLUMN_CONVERSATION),
        .kind = (enum conversation_kind)db_get_i64(r, row, COLUMN_KIND),
        .role = (enum role)db_get_i64(r, row, COLUMN_ROLE),
        .last_seq = db_get_i64(r, row, COLUMN_LAST_SEQ),
        .joined_seq = db_get_i64(r, row, COLUMN_JOINED_SEQ),
    };
}

/* Answers for the user of row `from`; returns the next user's first row. */
static int answer_user(struct members *m, const PGresult *r, int from)
{
    uint64_t uid = (uint64_t)db_get_i64(r, from, COLUMN_UID);
    uint32_t count = 0;
    int row = from;

    if (db_get_null(r, from, COLUMN_KNOWN)) {
        link_kick(m->link, &(struct frame_kick){.uid = uid, .reason = slice_str(KICK_DISABLED)});
        return from + 1;
    }
    for (; row < PQntuples(r) && (uint64_t)db_get_i64(r, row, COLUMN_UID) == uid; row++) {
        if (db_get_null(r, row, COLUMN_CONVERSATION))
            continue;
        if (count == ATTACHED_MAX_PER_FRAME) {
            link_attached(m->link, uid, false, m->items, count);
            count = 0;
        }
        m->items[count] = read_item(r, row);
        if (m->hooks.attached)
            m->hooks.attached(m->hooks.owner, &m->items[count].conversation,
                              m->items[count].last_seq);
        count++;
    }
    link_attached(m->link, uid, true, m->items, count);
    return row;
}

static void take_reply(struct members *m, const struct db_reply *reply)
{
    size_t asked = m->asked_count;
    int row = 0;

    fault_point("bridge.in_attach");
    m->asked_count = 0;
    if (m->stale) {
        m->stale = false;
    } else if (reply->status == DB_OK) {
        while (row < PQntuples(reply->result))
            row = answer_user(m, reply->result, row);
        m->waiting_count -= asked;
        memmove(m->waiting, m->waiting + asked, m->waiting_count * sizeof *m->waiting);
    } else {
        if (reply->status == DB_ERROR)
            log_error("members", "the query failed, SQLSTATE %s", reply->sqlstate);
        ask_after(m, RETRY_MS);
        return;
    }
    if (m->waiting_count > 0)
        ask_after(m, 0);
}

static void on_reply(void *owner, const struct db_reply *reply)
{
    struct members *m = owner;

    take_reply(m, reply);
    if (m->hooks.answered)
        m->hooks.answered(m->hooks.owner);
}

static void on_timer(evutil_socket_t fd, short what, void *argument)
{
    struct members *m = argument;
    struct db_params *p;
    (void)fd;
    (void)what;

    if (m->asked_count > 0 || m->stale || m->waiting_count == 0)
        return;
    m->asked_count = m->waiting_count < USERS_PER_QUERY ? m->waiting_count : USERS_PER_QUERY;
    if (m->hooks.asked)
        m->hooks.asked(m->hooks.owner);
    p = db_params_create();
    db_array_begin(p, DB_I64_ARRAY);
    for (size_t i = 0; i < m->asked_count; i++)
        db_array_i64(p, (int64_t)m->waiting[i]);
    db_array_end(p);
    if (!db_pool_query(m->pool, &attach_statement, p, on_reply, m)) {
        m->asked_count = 0;
        ask_after(m, RETRY_MS);
        if (m->hooks.answered)
            m->hooks.answered(m->hooks.owner);
    }
}

struct members *members_create(struct event_base *base, struct db_pool *pool, struct link *link)
{
    struct members *m = must_calloc(1, sizeof *m);

    m->pool = pool;
    m->link = link;
    m->timer = evtimer_new(base, on_timer, m);
    if (!m->timer) {
        free(m);
        return NULL;
    }
    return m;
}

void members_destroy(struct members *m)
{
    if (!m)
        return;
    assert(m->asked_count == 0 && !m->stale);
    event_free(m->timer);
    free(m->waiting);
    free(m);
}

void members_set_hooks(struct members *m, const struct members_hooks *hooks)
{
    m->hooks = *hooks;
}

void members_attach(struct members *m, uint64_t uid)
{
    if (m->waiting_count == m->waiting_capacity) {
        m->waiting_capacity = m->waiting_capacity ? 2 * m->waiting_capacity : USERS_PER_QUERY;
        m->waiting = must_realloc(m->waiting, m->waiting_capacity * sizeof *m->waiting);
    }
    m->waiting[m->waiting_count++] = uid;
    ask_after(m, 0);
}

void members_link_lost(struct members *m)
{
    m->stale = m->stale || m->asked_count > 0;
    m->waiting_count = 0;
    m->asked_count = 0;
}
