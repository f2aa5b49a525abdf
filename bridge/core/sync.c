/* SPDX-License-Identifier: MIT */
/* sync.c - see sync.h.
 *
 * One query lists the user's conversations by activity; then they are read in chunks, each chunk
 * one query whose entries are cut at a number of bytes. What a chunk had no room for is asked again
 * in the next one, so memory is bounded, whatever was missed, and only a conversation that does not
 * fit on a page alone loses entries to that. What goes over the link waits for the link: a run
 * whose next chunk has to wait is parked. */
#include "core/sync.h"

#include "base/buf.h"
#include "base/fault_point.h"
#include "base/log.h"
#include "base/memory.h"
#include "core/later.h"
#include "core/sync_chunk.h"
#include "core/sync_request.h"
#include "db/db.h"
#include "link/link.h"
#include "wire/limits.h"

#include <assert.h>
#include <event2/event.h>
#include <stdlib.h>
#include <sys/queue.h>

enum {
    RUNNING_MAX = 256,
    WHOLE_MAX = 64,                /* of them, with all of the answer in memory */
    ROWS_PER_CHUNK = 4000,         /* entries, roughly, that one query may sort */
    CONVERSATIONS_PER_CHUNK = 100, /* at most */
    CHUNK_BYTES = 1 << 20,         /* at least, where pages are not larger */
    ASKED_MAX = 16,                /* chunks for the link that are asked for at once */
    LINK_WAITING_MAX = 8 << 20,    /* bytes; beyond, no further chunk is asked for */
    PARKED_MS = 5,                 /* until parked runs are looked at again */
    PAGE_CEILING_BYTES = 64 << 20, /* every head of SYNC_CONVERSATIONS_MAX, and escaped texts */
};

/* $1 user, $2 how many. */
static const struct db_statement recent = {
    "sync_recent",
    "SELECT h.conversation"
    "  FROM banter.conversation_heads h"
    " WHERE h.user_id = $1::bigint"
    " ORDER BY coalesce((SELECT e.at FROM banter.messages e"
    "                     WHERE e.conversation = h.conversation AND e.seq = h.last_seq),"
    "                   h.created_at) DESC, h.conversation"
    " LIMIT $2::bigint",
    2};

struct run {
    TAILQ_ENTRY(run) link;
    struct sync *sync;
    struct sync_request request;
    const char *fault;       /* what is wrong with it, or NULL; static */
    struct later_item later; /* waiting, if `fault` */
    uint64_t uid;
    bool whole;
    size_t page_bytes;
    sync_page_fn *tell;
    void *owner;

    struct sync_target *targets;
    size_t target_count;
    size_t next;             /* the first target that is not written yet */
    struct sync_chunk chunk; /* being asked for or written */
    struct buf page;
    size_t page_count; /* conversations on it */
    unsigned page_number;
    size_t told_bytes; /* on pages before this one */
    bool parked;
};

TAILQ_HEAD(run_list, run);

struct sync {
    struct db_pool *pool;
    unsigned group_members_max;
    const struct link *link;
    struct later *later;
    struct event *timer; /* for parked runs */
    struct run_list running;
    unsigned running_count;
    unsigned whole_count;
    unsigned asked_count; /* chunks for the link */
    bool closed;          /* freed once PostgreSQL has answered what it was asked */
};

static void end_run(struct run *r)
{
    struct sync *s = r->sync;

    TAILQ_REMOVE(&s->running, r, link);
    s->running_count--;
    s->whole_count -= r->whole;
    sync_request_finish(&r->request);
    buf_finish(&r->page);
    free(r->targets);
    free(r);
    if (s->closed && s->running_count == 0)
        free(s);
}

static void fail_run(struct run *r, enum code code, const char *reason)
{
    (void)r->tell(r->owner, code, reason, slice_of(NULL, 0), true);
    end_run(r);
}

static void fail_unavailable(struct run *r)
{
    fail_run(r, CODE_UNAVAILABLE, "the database is not available: try again");
}

static void fail_invalid(void *owner)
{
    struct run *r = owner;
    fail_run(r, CODE_INVALID, r->fault);
}

/* Deals with every reply but DB_OK; false: the run is over. */
static bool reply_is_good(struct run *r, const struct db_reply *reply)
{
    if (r->sync->closed) {
        end_run(r);
        return false;
    }
    if (reply->status == DB_OK)
        return true;
    if (reply->status == DB_ERROR)
        log_error("sync", "query failed: %s %s", reply->sqlstate, reply->message);
    fail_unavailable(r);
    return false;
}

static void begin_page(struct run *r)
{
    buf_reset(&r->page);
    r->page_count = 0;
    buf_char(&r->page, '{');
    buf_json_key(&r->page, "page");
    buf_u64(&r->page, ++r->page_number);
    buf_json_key(&r->page, "conversations");
    buf_char(&r->page, '[');
}

/* False: the run is over, because the asker has gone or the page has outgrown its buffer. */
static bool tell_page(struct run *r, bool last)
{
    buf_char(&r->page, ']');
    buf_json_key(&r->page, "more");
    buf_str(&r->page, last ? "false}" : "true}");
    if (r->page.failed) {
        fail_run(r, CODE_TOO_LARGE, "the answer is too long: ask with a lower \"limit\"");
        return false;
    }
    r->told_bytes += r->page.length;
    if (!r->tell(r->owner, CODE_OK, NULL, buf_slice(&r->page), last)) {
        end_run(r);
        return false;
    }
    return true;
}

static void put_conversation(struct run *r, const struct sync_conversation *c)
{
    if (r->page_count++ > 0)
        buf_char(&r->page, ',');
    sync_chunk_write(&r->chunk, c, &r->page);
}

/* Writes the conversations that the query had room for, in as many pages as they take. False: the
 * run is over. */
static bool write_pages(struct run *r)
{
    struct sync_conversation c;

    while (sync_chunk_next(&r->chunk, &c)) {
        size_t length;

        if (c.cut && c.target > 0) { /* by those before it: its turn comes with the next query */
            r->next += c.target;
            return true;
        }
        length = sync_chunk_trim(&r->chunk, &c, r->page_bytes);
        if (r->page_count > 0 && r->page.length + length > r->page_bytes) {
            if (!tell_page(r, false))
                return false;
            begin_page(r);
        }
        put_conversation(r, &c);
        if (c.cut) {
            r->next += c.target + 1;
            return true;
        }
    }
    r->next += r->chunk.target_count;
    return true;
}

/* What is left of the one page. */
static size_t room(const struct run *r)
{
    return r->page.length < r->page_bytes ? r->page_bytes - r->page.length : 0;
}

static void write_whole(struct run *r)
{
    struct sync_conversation c;

    while (sync_chunk_next(&r->chunk, &c)) {
        (void)sync_chunk_trim(&r->chunk, &c, room(r));
        put_conversation(r, &c);
    }
    r->next += r->chunk.target_count;
}

/* The texts of one query: what the page can still take, or something to fill pages with. */
static size_t chunk_bytes(const struct run *r)
{
    if (r->whole)
        return room(r) + 1;
    return r->page_bytes > CHUNK_BYTES ? r->page_bytes : CHUNK_BYTES;
}

/* Whether the remaining conversations come without entries. */
static bool is_full(const struct run *r)
{
    return r->whole ? room(r) == 0 : r->told_bytes >= SYNC_TOTAL_BYTES;
}

/* Whether the next chunk has to wait for the link. */
static bool must_wait(const struct run *r)
{
    const struct sync *s = r->sync;

    return !r->whole && (s->asked_count >= ASKED_MAX || link_waiting(s->link) > LINK_WAITING_MAX);
}

static void park(struct run *r)
{
    const struct timeval wait = {.tv_usec = PARKED_MS * 1000};

    r->parked = true;
    if (!evtimer_pending(r->sync->timer, NULL))
        event_add(r->sync->timer, &wait);
}

static void on_chunk(void *owner, const struct db_reply *reply);

static void go_on(struct run *r)
{
    size_t left = r->target_count - r->next;
    unsigned limit = is_full(r) ? 0 : r->request.limit;
    size_t most = limit > 0 ? ROWS_PER_CHUNK / limit : CONVERSATIONS_PER_CHUNK;

    if (left == 0) {
        if (tell_page(r, true))
            end_run(r);
        return;
    }
    if (must_wait(r)) {
        park(r);
        return;
    }
    if (most > CONVERSATIONS_PER_CHUNK)
        most = CONVERSATIONS_PER_CHUNK;
    r->chunk = (struct sync_chunk){
        .uid = r->uid,
        .targets = r->targets + r->next,
        .target_count = left < most ? left : most,
        .limit = limit,
        .folded = r->request.folded,
        .group_members_max = r->sync->group_members_max,
        .bytes_max = chunk_bytes(r),
    };
    if (!sync_chunk_ask(&r->chunk, r->sync->pool, on_chunk, r))
        fail_unavailable(r);
    else
        r->sync->asked_count += !r->whole;
}

static void on_timer(evutil_socket_t fd, short what, void *argument)
{
    struct sync *s = argument;
    struct run *r, *next;
    (void)fd;
    (void)what;

    for (r = TAILQ_FIRST(&s->running); r; r = next) {
        next = TAILQ_NEXT(r, link);
        if (r->parked) {
            r->parked = false;
            go_on(r);
        }
    }
}

static void on_chunk(void *owner, const struct db_reply *reply)
{
    struct run *r = owner;

    fault_point("bridge.in_sync");
    r->sync->asked_count -= !r->whole;
    if (!reply_is_good(r, reply))
        return;
    sync_chunk_read(&r->chunk, reply->result);
    if (r->whole)
        write_whole(r);
    else if (!write_pages(r))
        return;
    go_on(r);
}

static void on_recent(void *owner, const struct db_reply *reply)
{
    struct run *r = owner;

    if (!reply_is_good(r, reply))
        return;
    r->target_count = (size_t)PQntuples(reply->result);
    r->targets = must_calloc(r->target_count + 1, sizeof *r->targets);
    for (size_t i = 0; i < r->target_count; i++) {
        struct sync_target *t = &r->targets[i];

        t->conversation = db_get_uuid(reply->result, (int)i, 0);
        t->cursor = sync_request_cursor(&r->request, &t->conversation);
    }
    begin_page(r);
    go_on(r);
}

static bool run(struct sync *s, const struct actor *actor, struct slice request, bool whole,
                size_t page_bytes, sync_page_fn *tell, void *owner)
{
    struct run *r;
    struct db_params *params;

    assert(page_bytes > 0 && !s->closed);
    if (s->running_count >= RUNNING_MAX || (whole && s->whole_count >= WHOLE_MAX))
        return false;
    r = must_calloc(1, sizeof *r);
    *r = (struct run){.sync = s,
                      .uid = actor->uid,
                      .whole = whole,
                      .page_bytes = page_bytes,
                      .tell = tell,
                      .owner = owner};
    buf_init(&r->page, PAGE_CEILING_BYTES);
    TAILQ_INSERT_TAIL(&s->running, r, link);
    s->running_count++;
    s->whole_count += whole;
    if (!sync_request_read(&r->request, request, &r->fault)) {
        later_call(s->later, &r->later, fail_invalid, r);
        return true;
    }
    params = db_params_create();
    db_i64(params, (int64_t)actor->uid);
    db_i64(params, SYNC_CONVERSATIONS_MAX);
    if (!db_pool_query(s->pool, &recent, params, on_recent, r)) {
        end_run(r);
        return false;
    }
    return true;
}

bool sync_run(struct sync *s, const struct actor *actor, struct slice request, size_t page_bytes,
              sync_page_fn *page, void *owner)
{
    return run(s, actor, request, false, page_bytes, page, owner);
}

bool sync_run_whole(struct sync *s, const struct actor *actor, struct slice request,
                    size_t page_bytes, sync_page_fn *page, void *owner)
{
    return run(s, actor, request, true, page_bytes, page, owner);
}

struct sync *sync_create(struct event_base *base, struct db_pool *pool, const struct link *link,
                         unsigned group_members_max)
{
    struct sync *s = must_calloc(1, sizeof *s);

    s->pool = pool;
    s->link = link;
    s->group_members_max = group_members_max;
    TAILQ_INIT(&s->running);
    s->timer = evtimer_new(base, on_timer, s);
    s->later = later_create(base);
    if (!s->timer || !s->later) {
        sync_destroy(s);
        return NULL;
    }
    return s;
}

void sync_destroy(struct sync *s)
{
    struct run *r, *next;

    if (!s)
        return;
    later_destroy(s->later);
    if (s->timer)
        event_free(s->timer);
    for (r = TAILQ_FIRST(&s->running); r; r = next) {
        next = TAILQ_NEXT(r, link);
        if (r->fault || r->parked)
            end_run(r);
    }
    s->closed = true;
    if (s->running_count == 0)
        free(s);
}
