/* SPDX-License-Identifier: MIT */
/* indexer.c - see indexer.h: which conversations are to be looked at, and one statement at a time.
 *
 * Why nothing is lost: entries of one conversation are committed in the order of their seq, so what
 * is read behind indexed_seq has no hole; and banter.index_slice() moves indexed_seq in the
 * transaction that records what the entries come to, only if it still is what was read. A deletion
 * after the reading is a later entry, and takes away again what was recorded too late. */
#include "core/indexer.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/map.h"
#include "base/memory.h"
#include "core/index_slice.h"
#include "db/db.h"

#include <assert.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

enum {
    WAITING_MAX = 65536, /* conversations; beyond that the walk finds them again */
    USERS_MAX = 64,
    GATHER_MS = 200,      /* from the first note to the work: a few entries at a time cost less */
    WRITING_MS = 1000,    /* so long after a note somebody is writing */
    REST_FACTOR = 3,      /* rests so many times as long as the last slice took, */
    BUSY_REST_FACTOR = 8, /* or so many while others wait: some 900 entries/s in short slices, */
    REST_MIN_US = 5000,   /* and at least this; libevent's timers go by the kernel's tick */
    RETRY_FIRST_MS = 100,
    RETRY_MAX_MS = 30000,
    WALK_EVERY_MS = 10 * 60 * 1000,
    WALK_ROWS = 500, /* conversations of one step of the walk */
    USER_ROWS = 1000,
    TIMEOUT_MS = 20000, /* above the statement_timeout of setup_sql */
};

/* The index may lose its last seconds with their progress: they are made again. */
static const char setup_sql[] =
    "SET synchronous_commit = off; SET statement_timeout = '15s'; SET lock_timeout = '5s';"
    "SET idle_in_transaction_session_timeout = '10s'; SET jit = off;"
    "SET max_parallel_workers_per_gather = 0";

static const struct db_statement walk_statement = {
    .name = "index_walk",
    .sql = "SELECT c.id, c.last_seq > coalesce(p.indexed_seq, 0)"
           "  FROM (SELECT id, last_seq FROM banter.conversations WHERE id > $1::uuid"
           "         ORDER BY id LIMIT $2::bigint) c"
           "  LEFT JOIN banter.search_progress p ON p.conversation = c.id"
           " ORDER BY c.id",
    .parameter_count = 2,
};

static const struct db_statement user_statement = {
    .name = "index_user",
    .sql = "SELECT m.conversation, true"
           "  FROM banter.members m"
           "  JOIN banter.conversations c ON c.id = m.conversation"
           "  LEFT JOIN banter.search_progress p ON p.conversation = m.conversation"
           " WHERE m.user_id = $1::bigint AND c.last_seq > coalesce(p.indexed_seq, 0)"
           " LIMIT $2::bigint",
    .parameter_count = 2,
};

enum found_column { COLUMN_CONVERSATION, COLUMN_IS_BEHIND };

struct waiting {
    TAILQ_ENTRY(waiting) link;
    struct uuid conversation;
};

TAILQ_HEAD(waiting_list, waiting);

struct indexer {
    struct db_conn *conn;
    struct event *timer; /* the next turn */
    bool busy;           /* a statement is under way */

    struct waiting_list waiting; /* oldest first */
    struct map by_conversation;  /* of the same */
    uint64_t users[USERS_MAX];
    unsigned user_count;
    bool looked_last; /* at a user, whose conversations come before the next user */

    bool walking;
    bool walked_last; /* the walk and the rest take turns */
    struct uuid walked_to;
    uint64_t next_walk_ms; /* monotonic */

    indexer_busy_fn *is_busy; /* or NULL */
    void *busy_owner;

    struct index_slice slice;
    uint64_t began_us; /* this turn, monotonic */
    uint64_t noted_ms; /* the last note, monotonic; 0: none yet */
    unsigned failures; /* since something succeeded */
    struct indexer_stats stats;
};

static uint64_t hash_waiting(const void *key)
{
    return hash_bytes(key, sizeof(struct uuid));
}

static bool equal_waiting(const void *a, const void *b)
{
    return uuid_equal(a, b);
}

static const void *key_of_waiting(const void *item)
{
    return &((const struct waiting *)item)->conversation;
}

static const struct map_type waiting_type = {hash_waiting, equal_waiting, key_of_waiting};

static void schedule_us(struct indexer *x, uint64_t us)
{
    const struct timeval wait = {.tv_sec = (time_t)(us / 1000000),
                                 .tv_usec = (suseconds_t)(us % 1000000)};

    event_add(x->timer, &wait);
}

static void schedule(struct indexer *x, uint64_t ms)
{
    schedule_us(x, ms * 1000);
}

/* Unless something is under way, whose end schedules the next turn. */
static void wake(struct indexer *x, uint64_t ms)
{
    if (!x->busy && x->failures == 0 && db_conn_is_ready(x->conn))
        schedule(x, ms);
}

/* At the front, also if it waits already, or the end. Whatever does not fit is left to the walk. */
static void add_waiting(struct indexer *x, const struct uuid *conversation, bool first)
{
    struct waiting *w = map_find(&x->by_conversation, conversation);

    if (w && first) {
        TAILQ_REMOVE(&x->waiting, w, link);
        TAILQ_INSERT_HEAD(&x->waiting, w, link);
    }
    if (w)
        return;
    if (x->stats.waiting >= WAITING_MAX) {
        x->next_walk_ms = 0;
        return;
    }
    w = must_calloc(1, sizeof *w);
    w->conversation = *conversation;
    if (!map_insert(&x->by_conversation, w))
        abort(); /* out of memory, as everywhere in the bridge */
    if (first)
        TAILQ_INSERT_HEAD(&x->waiting, w, link);
    else
        TAILQ_INSERT_TAIL(&x->waiting, w, link);
    x->stats.waiting++;
}

/* Whoever writes waits for the end of our bursts, so they are short until all pause. */
static enum slice_size next_size(const struct indexer *x)
{
    bool is_written_to = x->noted_ms > 0 && clock_monotonic_ms() - x->noted_ms < WRITING_MS;

    return is_written_to ? SLICE_SHORT : SLICE_LONG;
}

static void take_slice(struct indexer *x)
{
    enum slice_care care = x->slice.care;
    enum slice_size size = next_size(x);
    size_t count_max = index_slice_conversations_max(size);
    struct waiting *w;

    x->slice = (struct index_slice){.size = size, .care = care};
    while (x->slice.count < count_max && (w = TAILQ_FIRST(&x->waiting)) != NULL) {
        TAILQ_REMOVE(&x->waiting, w, link);
        map_remove(&x->by_conversation, &w->conversation);
        x->stats.waiting--;
        x->slice.conversations[x->slice.count++] = w->conversation;
        free(w);
    }
}

static void rest(struct indexer *x)
{
    bool busy = x->is_busy && x->is_busy(x->busy_owner);
    uint64_t rest_us =
        (busy ? BUSY_REST_FACTOR : REST_FACTOR) * (clock_monotonic_us() - x->began_us);

    x->busy = false;
    x->failures = 0;
    schedule_us(x, rest_us > REST_MIN_US ? rest_us : REST_MIN_US);
}

/* The same conversations go first again, in the same order. */
static void give_slice_back(struct indexer *x)
{
    for (size_t i = x->slice.count; i > 0; i--)
        add_waiting(x, &x->slice.conversations[i - 1], true);
    x->slice.count = 0;
}

static uint64_t retry_ms(const struct indexer *x)
{
    unsigned shift = x->failures < 10 ? x->failures : 10;
    uint64_t ms = (uint64_t)RETRY_FIRST_MS << shift;

    return ms < RETRY_MAX_MS ? ms : RETRY_MAX_MS;
}

/* True for errors that have nothing to do with the data: rollback, resources, intervention. */
static bool is_passing(const struct db_reply *reply)
{
    return reply->status != DB_ERROR || strncmp(reply->sqlstate, "40", 2) == 0 ||
           strncmp(reply->sqlstate, "53", 2) == 0 || strncmp(reply->sqlstate, "55", 2) == 0 ||
           strncmp(reply->sqlstate, "57", 2) == 0;
}

static void fail(struct indexer *x, const struct db_reply *reply)
{
    x->busy = false;
    x->stats.failures++;
    if (x->failures++ == 0)
        log_warning("indexer", "a slice failed, it will be done again: %s %s", reply->sqlstate,
                    reply->message);
    if (!is_passing(reply) && x->slice.count > 0 && x->slice.care < SLICE_WITHOUT_WORDS)
        x->slice.care++;
    give_slice_back(x);
    schedule(x, retry_ms(x));
}

static void log_skipped(const struct index_slice *s)
{
    struct log_fields fields = {.length = 0};
    char conversation[UUID_TEXT_LENGTH + 1];

    uuid_format(&s->last_conversation, conversation);
    log_field(&fields, "conversation", slice_str(conversation));
    log_field_number(&fields, "seq", s->last_seq);
    log_about(LOG_LEVEL_ERROR, "indexer", &fields,
              "a message will not be found: PostgreSQL refuses its words");
}

static void on_written(void *owner, const struct db_reply *reply)
{
    struct indexer *x = owner;
    struct index_slice *s = &x->slice;

    if (reply->status != DB_OK) {
        fail(x, reply);
        return;
    }
    if (s->care == SLICE_WITHOUT_WORDS) {
        log_skipped(s);
        x->stats.skipped++;
    }
    x->stats.entries += s->entries;
    index_slice_written(s, reply->result);
    for (size_t i = 0; i < s->count; i++) {
        if (index_slice_wants_more(s, i))
            add_waiting(x, &s->conversations[i], false);
    }
    s->count = 0;
    s->care = SLICE_AS_USUAL;
    rest(x);
}

/* Takes `params`. */
static void ask(struct indexer *x, const struct db_statement *statement, struct db_params *params,
                db_reply_fn *reply)
{
    static const struct db_reply lost = {.status = DB_LOST, .sqlstate = "", .message = ""};

    x->busy = true;
    if (!db_conn_run(x->conn, statement, params, reply, x))
        fail(x, &lost);
}

static void on_read(void *owner, const struct db_reply *reply)
{
    struct indexer *x = owner;
    struct db_params *params;

    if (reply->status != DB_OK) {
        fail(x, reply);
        return;
    }
    params = index_slice_read(&x->slice, reply->result);
    if (params) {
        ask(x, &index_slice_write_statement, params, on_written);
        return;
    }
    x->slice.count = 0;
    rest(x);
}

/* Conversations, and whether they are behind. */
static void note_rows(struct indexer *x, const PGresult *result, bool first)
{
    for (int row = 0; row < PQntuples(result); row++) {
        struct uuid conversation = db_get_uuid(result, row, COLUMN_CONVERSATION);
        if (db_get_bool(result, row, COLUMN_IS_BEHIND))
            add_waiting(x, &conversation, first);
    }
}

static void on_user(void *owner, const struct db_reply *reply)
{
    struct indexer *x = owner;

    if (reply->status != DB_OK) {
        fail(x, reply);
        return;
    }
    note_rows(x, reply->result, true); /* somebody waits for these */
    rest(x);
}

static void on_walked(void *owner, const struct db_reply *reply)
{
    struct indexer *x = owner;
    int rows;

    if (reply->status != DB_OK) {
        fail(x, reply);
        return;
    }
    rows = PQntuples(reply->result);
    note_rows(x, reply->result, false);
    if (rows > 0)
        x->walked_to = db_get_uuid(reply->result, rows - 1, COLUMN_CONVERSATION);
    x->walking = rows == WALK_ROWS;
    rest(x);
}

static void walk(struct indexer *x)
{
    struct db_params *params = db_params_create();

    if (!x->walking) {
        x->walking = true;
        x->walked_to = (struct uuid){0};
        x->next_walk_ms = clock_monotonic_ms() + WALK_EVERY_MS;
    }
    db_uuid(params, &x->walked_to);
    db_i64(params, WALK_ROWS);
    ask(x, &walk_statement, params, on_walked);
}

static void look_at_user(struct indexer *x)
{
    struct db_params *params = db_params_create();

    db_i64(params, (int64_t)x->users[--x->user_count]);
    db_i64(params, USER_ROWS);
    ask(x, &user_statement, params, on_user);
}

/* A walk adds nothing while there is much to do already. */
static bool is_time_to_walk(const struct indexer *x)
{
    if (x->stats.waiting > WAITING_MAX / 2 || (x->walked_last && x->stats.waiting > 0))
        return false;
    return x->walking || clock_monotonic_ms() >= x->next_walk_ms;
}

static void on_timer(evutil_socket_t fd, short what, void *argument)
{
    struct indexer *x = argument;
    uint64_t now_ms = clock_monotonic_ms();
    (void)fd;
    (void)what;

    if (x->busy || !db_conn_is_ready(x->conn))
        return;
    x->began_us = clock_monotonic_us();
    /* Who asks again and again must not keep the indexer from what they wait for. */
    if (x->user_count > 0 && !(x->looked_last && x->stats.waiting > 0)) {
        x->looked_last = true;
        look_at_user(x);
    } else if (is_time_to_walk(x)) {
        x->walked_last = true;
        walk(x);
    } else if (x->stats.waiting > 0) {
        x->walked_last = false;
        x->looked_last = false;
        take_slice(x);
        ask(x, &index_slice_read_statement, index_slice_read_params(&x->slice), on_read);
    } else if (x->next_walk_ms > now_ms) {
        schedule(x, x->next_walk_ms - now_ms);
    }
}

static void on_connection_changed(void *owner, bool ready)
{
    struct indexer *x = owner;

    if (ready && !x->busy)
        schedule(x, retry_ms(x));
}

struct indexer *indexer_create(struct event_base *base, const char *dsn)
{
    const struct db_conn_config config = {
        .dsn = dsn,
        .application_name = "banter-indexer",
        .setup_sql = setup_sql,
        .timeout_ms = TIMEOUT_MS,
    };
    struct indexer *x = must_calloc(1, sizeof *x);

    TAILQ_INIT(&x->waiting);
    map_init(&x->by_conversation, &waiting_type);
    x->timer = evtimer_new(base, on_timer, x);
    if (x->timer)
        x->conn = db_conn_create(base, &config, on_connection_changed, x);
    if (!x->conn) {
        indexer_destroy(x);
        return NULL;
    }
    return x;
}

void indexer_destroy(struct indexer *x)
{
    struct waiting *w;

    if (!x)
        return;
    db_conn_destroy(x->conn);
    if (x->timer)
        event_free(x->timer);
    while ((w = TAILQ_FIRST(&x->waiting)) != NULL) {
        TAILQ_REMOVE(&x->waiting, w, link);
        free(w);
    }
    map_finish(&x->by_conversation);
    free(x);
}

void indexer_give_way(struct indexer *x, indexer_busy_fn *is_busy, void *owner)
{
    x->is_busy = is_busy;
    x->busy_owner = owner;
}

void indexer_note(struct indexer *x, const struct uuid *conversation)
{
    bool first = x->stats.waiting == 0;

    x->noted_ms = clock_monotonic_ms();
    add_waiting(x, conversation, false);
    if (first)
        wake(x, GATHER_MS);
}

void indexer_look_after(struct indexer *x, uint64_t uid)
{
    for (unsigned i = 0; i < x->user_count; i++) {
        if (x->users[i] == uid)
            return;
    }
    if (x->user_count == USERS_MAX)
        return; /* whoever asks again is heard later */
    x->users[x->user_count++] = uid;
    wake(x, 0);
}

void indexer_get_stats(const struct indexer *x, struct indexer_stats *out)
{
    *out = x->stats;
}
