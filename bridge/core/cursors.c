/* SPDX-License-Identifier: MIT */
/* cursors.c - see cursors.h. One statement is under way at a time. What could not be written waits
 * again, together with what has come meanwhile: cursors only grow, so order is of no matter. */
#include "core/cursors.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/map.h"
#include "base/memory.h"
#include "core/herald.h"
#include "db/db.h"
#include "wire/json.h"
#include "wire/limits.h"

#include <assert.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

enum {
    RETRY_MS = 1000,
    PAYLOAD_MAX = 256,
};

/* Somebody who is to be answered. */
struct waiter {
    STAILQ_ENTRY(waiter) link;
    cursors_done_fn *done;
    void *owner;
};
STAILQ_HEAD(waiter_list, waiter);

struct cursor_key {
    struct uuid conversation;
    uint64_t uid;
};
static_assert(sizeof(struct cursor_key) == sizeof(struct uuid) + sizeof(uint64_t),
              "a key is hashed as bytes");

struct cursor {
    struct cursor_key key;
    TAILQ_ENTRY(cursor) link; /* while it waits */
    struct cursor_pair to;
    struct waiter_list waiters;
    char handle[HANDLE_MAX_LENGTH + 1];
    char device[DEVICE_MAX_LENGTH + 1]; /* that said all of it; empty: several, or none */
};

struct cursors {
    struct db_pool *pool;
    struct herald *herald;
    struct event *timer;
    struct map waiting_by_key; /* struct cursor; owned */
    TAILQ_HEAD(, cursor) waiting;
    struct cursor *batch[CURSORS_PER_BATCH]; /* under way; owned */
    size_t batch_count;
    uint64_t next_ms; /* monotonic: no statement before */
    bool closed;      /* freed once PostgreSQL has answered */
    struct cursors_stats stats;
};

static const struct db_statement move = {
    "cursors_move",
    "SELECT ord, kind, received_seq, read_seq, moved, busy"
    "  FROM banter.move_cursors($1::bigint[], $2::uuid[], $3::bigint[], $4::bigint[])",
    4,
};
enum { COLUMN_ORD, COLUMN_KIND, COLUMN_RECEIVED, COLUMN_READ, COLUMN_MOVED, COLUMN_BUSY };

static uint64_t hash_key(const void *key)
{
    return hash_bytes(key, sizeof(struct cursor_key));
}

static bool equal_key(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct cursor_key)) == 0;
}

static const void *key_of(const void *item)
{
    return &((const struct cursor *)item)->key;
}

static const struct map_type by_key_type = {hash_key, equal_key, key_of};

/* An absent number is 0, which moves nothing. */
static bool read_seq(const json_t *object, const char *name, int64_t *out)
{
    const json_t *value = json_object_get(object, name);

    *out = json_integer_value(value);
    return !value || (json_is_integer(value) && *out >= 0);
}

bool cursor_pair_parse(struct slice json, struct cursor_pair *out, const char **reason)
{
    json_t *object = json_read_object(json, reason);
    bool ok = false;

    if (!object)
        return false;
    if (!json_object_get(object, "received") && !json_object_get(object, "read"))
        *reason = "\"received\" or \"read\" is missing";
    else if (!read_seq(object, "received", &out->received) || !read_seq(object, "read", &out->read))
        *reason = "\"received\" and \"read\" must be whole numbers, 0 or more";
    else
        ok = true;
    if (ok && out->received < out->read)
        out->received = out->read;
    json_decref(object);
    return ok;
}

/* Answers everybody who waits for this cursor; nobody, when it is not to be said. */
static void answer(struct cursor *cursor, bool say, enum code code, const char *reason,
                   const struct cursor_pair *now)
{
    struct waiter *waiter;

    while ((waiter = STAILQ_FIRST(&cursor->waiters)) != NULL) {
        STAILQ_REMOVE_HEAD(&cursor->waiters, link);
        if (say)
            waiter->done(waiter->owner, code, reason, now);
        free(waiter);
    }
}

static void free_cursor(struct cursor *cursor)
{
    answer(cursor, false, CODE_OK, NULL, NULL);
    free(cursor);
}

static void schedule(struct cursors *c)
{
    uint64_t now_ms = clock_monotonic_ms();
    uint64_t wait_ms = c->next_ms > now_ms ? c->next_ms - now_ms : 0;
    const struct timeval wait = {.tv_sec = (time_t)(wait_ms / 1000),
                                 .tv_usec = (suseconds_t)(wait_ms % 1000) * 1000};

    if (c->batch_count == 0 && !TAILQ_EMPTY(&c->waiting) && !evtimer_pending(c->timer, NULL))
        event_add(c->timer, &wait);
}

static void raise(struct cursor_pair *pair, const struct cursor_pair *to)
{
    if (pair->received < to->received)
        pair->received = to->received;
    if (pair->read < to->read)
        pair->read = to->read;
}

/* Takes over the cursor. */
static void enqueue(struct cursors *c, struct cursor *cursor)
{
    struct cursor *earlier = map_find(&c->waiting_by_key, &cursor->key);

    if (earlier) {
        raise(&earlier->to, &cursor->to);
        STAILQ_CONCAT(&earlier->waiters, &cursor->waiters);
        if (strcmp(earlier->device, cursor->device) != 0)
            earlier->device[0] = '\0';
        free(cursor);
    } else {
        must_insert(&c->waiting_by_key, cursor);
        TAILQ_INSERT_TAIL(&c->waiting, cursor, link);
    }
    schedule(c);
}

static void copy_text(char *to, size_t capacity, struct slice from)
{
    assert(from.length < capacity);
    if (from.length > 0)
        memcpy(to, from.data, from.length);
    to[from.length] = '\0';
}

/* NULL: too many wait. The caller enqueues it. */
static struct cursor *new_cursor(struct cursors *c, const struct actor *actor,
                                 const struct uuid *conversation, const struct cursor_pair *to)
{
    const struct cursor_key key = {*conversation, actor->uid};
    struct cursor *cursor;

    if (c->waiting_by_key.count >= CURSORS_MAX && !map_find(&c->waiting_by_key, &key)) {
        c->stats.refused++;
        return NULL;
    }
    c->stats.updates++;
    cursor = must_calloc(1, sizeof *cursor);
    cursor->key = key;
    cursor->to = *to;
    STAILQ_INIT(&cursor->waiters);
    copy_text(cursor->handle, sizeof cursor->handle, actor->handle);
    copy_text(cursor->device, sizeof cursor->device, actor->device);
    return cursor;
}

void cursors_signal(struct cursors *c, const struct frame_signal *f)
{
    const struct actor actor = {.uid = f->uid, .handle = f->handle, .device = f->device};
    struct cursor *cursor;
    struct cursor_pair to;
    const char *reason;

    if (!cursor_pair_parse(f->payload, &to, &reason))
        return;
    cursor = new_cursor(c, &actor, &f->conversation, &to);
    if (cursor)
        enqueue(c, cursor);
}

bool cursors_move(struct cursors *c, const struct actor *actor, const struct uuid *conversation,
                  const struct cursor_pair *to, cursors_done_fn *done, void *owner)
{
    struct cursor *cursor = new_cursor(c, actor, conversation, to);
    struct waiter *waiter;

    if (!cursor)
        return false;
    waiter = must_calloc(1, sizeof *waiter);
    waiter->done = done;
    waiter->owner = owner;
    STAILQ_INSERT_TAIL(&cursor->waiters, waiter, link);
    enqueue(c, cursor);
    return true;
}

/* To the user's own other devices, and to the others where there are not too many of them. The
 * device that said it knows it, unless it has come out differently. */
static void tell(struct cursors *c, const struct cursor *cursor, const struct cursor_pair *now,
                 enum conversation_kind kind)
{
    bool as_said = now->received == cursor->to.received && now->read == cursor->to.read;
    struct frame_signal_out f = {
        .kind = SIGNAL_CURSOR,
        .audience = kind == CONVERSATION_CHANNEL ? AUDIENCE_OWN : AUDIENCE_ALL,
        .conversation = cursor->key.conversation,
        .sender = cursor->key.uid,
        .sender_device = slice_str(as_said ? cursor->device : ""),
    };
    struct buf json;

    buf_init(&json, PAYLOAD_MAX);
    buf_str(&json, "{\"from\":");
    buf_json(&json, slice_str(cursor->handle));
    buf_json_key(&json, "received");
    buf_i64(&json, now->received);
    buf_json_key(&json, "read");
    buf_i64(&json, now->read);
    buf_char(&json, '}');
    assert(!json.failed);
    f.payload = buf_slice(&json);
    herald_signal(c->herald, &f);
    buf_finish(&json);
}

static void settle(struct cursors *c, const PGresult *result, int row)
{
    size_t index = (size_t)db_get_i64(result, row, COLUMN_ORD) - 1;
    const struct cursor_pair now = {db_get_i64(result, row, COLUMN_RECEIVED),
                                    db_get_i64(result, row, COLUMN_READ)};
    struct cursor *cursor;

    assert(index < c->batch_count && c->batch[index]);
    cursor = c->batch[index];
    c->batch[index] = NULL;
    if (db_get_bool(result, row, COLUMN_BUSY)) {
        enqueue(c, cursor);
        return;
    }
    if (db_get_bool(result, row, COLUMN_MOVED))
        tell(c, cursor, &now, (enum conversation_kind)db_get_i64(result, row, COLUMN_KIND));
    answer(cursor, true, CODE_OK, NULL, &now);
    free_cursor(cursor);
}

/* What is left of the batch is of users who are no members. */
static void refuse_rest(struct cursors *c)
{
    for (size_t i = 0; i < c->batch_count; i++) {
        if (!c->batch[i])
            continue;
        answer(c->batch[i], true, CODE_NOT_FOUND,
               "no such conversation, or you are not a member of it", NULL);
        free_cursor(c->batch[i]);
    }
}

/* Nobody is kept waiting for a database that is away; the cursors themselves wait. */
static void postpone(struct cursors *c)
{
    c->next_ms = clock_monotonic_ms() + RETRY_MS;
    for (size_t i = 0; i < c->batch_count; i++) {
        answer(c->batch[i], true, CODE_UNAVAILABLE, "the database is not available: try again",
               NULL);
        enqueue(c, c->batch[i]);
    }
}

static void free_closed(struct cursors *c)
{
    for (size_t i = 0; i < c->batch_count; i++)
        free_cursor(c->batch[i]);
    free(c);
}

static void on_reply(void *owner, const struct db_reply *reply)
{
    struct cursors *c = owner;

    if (c->closed) {
        free_closed(c);
        return;
    }
    if (reply->status == DB_OK) {
        c->stats.commits++;
        for (int row = 0; row < PQntuples(reply->result); row++)
            settle(c, reply->result, row);
        refuse_rest(c);
    } else {
        if (reply->status == DB_ERROR)
            log_error("cursors", "the update failed: %s %s", reply->sqlstate, reply->message);
        postpone(c);
    }
    c->batch_count = 0;
    schedule(c);
}

static void take_batch(struct cursors *c)
{
    struct cursor *cursor;

    while (c->batch_count < CURSORS_PER_BATCH && (cursor = TAILQ_FIRST(&c->waiting)) != NULL) {
        TAILQ_REMOVE(&c->waiting, cursor, link);
        map_remove(&c->waiting_by_key, &cursor->key);
        c->batch[c->batch_count++] = cursor;
    }
}

static struct db_params *batch_params(const struct cursors *c)
{
    struct db_params *p = db_params_create();

    db_array_begin(p, DB_I64_ARRAY);
    for (size_t i = 0; i < c->batch_count; i++)
        db_array_i64(p, (int64_t)c->batch[i]->key.uid);
    db_array_end(p);
    db_array_begin(p, DB_UUID_ARRAY);
    for (size_t i = 0; i < c->batch_count; i++)
        db_array_uuid(p, &c->batch[i]->key.conversation);
    db_array_end(p);
    db_array_begin(p, DB_I64_ARRAY);
    for (size_t i = 0; i < c->batch_count; i++)
        db_array_i64(p, c->batch[i]->to.received);
    db_array_end(p);
    db_array_begin(p, DB_I64_ARRAY);
    for (size_t i = 0; i < c->batch_count; i++)
        db_array_i64(p, c->batch[i]->to.read);
    db_array_end(p);
    return p;
}

static void on_timer(evutil_socket_t fd, short what, void *argument)
{
    struct cursors *c = argument;
    (void)fd;
    (void)what;

    assert(c->batch_count == 0);
    take_batch(c);
    c->next_ms = clock_monotonic_ms() + CURSORS_INTERVAL_MS;
    if (db_pool_query(c->pool, &move, batch_params(c), on_reply, c))
        return;
    postpone(c);
    c->batch_count = 0;
    schedule(c);
}

struct cursors *cursors_create(struct event_base *base, struct db_pool *pool, struct herald *herald)
{
    struct cursors *c = must_calloc(1, sizeof *c);

    c->pool = pool;
    c->herald = herald;
    map_init(&c->waiting_by_key, &by_key_type);
    TAILQ_INIT(&c->waiting);
    c->timer = evtimer_new(base, on_timer, c);
    if (c->timer)
        return c;
    free(c);
    return NULL;
}

void cursors_destroy(struct cursors *c)
{
    struct cursor *cursor;

    if (!c)
        return;
    event_free(c->timer);
    while ((cursor = TAILQ_FIRST(&c->waiting)) != NULL) {
        TAILQ_REMOVE(&c->waiting, cursor, link);
        free_cursor(cursor);
    }
    map_finish(&c->waiting_by_key);
    c->closed = true;
    if (c->batch_count == 0)
        free(c);
}

bool cursors_is_idle(const struct cursors *c)
{
    return c->batch_count == 0 && TAILQ_EMPTY(&c->waiting);
}

void cursors_get_stats(const struct cursors *c, struct cursors_stats *out)
{
    *out = c->stats;
    out->waiting = c->waiting_by_key.count + c->batch_count;
}
