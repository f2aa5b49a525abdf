/* SPDX-License-Identifier: MIT */
/* worker.c - see worker.h. Two statements have a turn on one connection: taking and settling, at
 * most one of each under way. A settlement names its lease, so it counts once, however often it is
 * sent. */
#include "core/push/worker.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "core/push/backoff.h"
#include "core/push/online.h"
#include "db/db.h"

#include <assert.h>
#include <event2/event.h>
#include <stdlib.h>
#include <sys/queue.h>

enum {
    TURN_MS = 50,          /* between takes while there is more */
    LOOK_MS = 200,         /* between takes while there is not */
    TAKE_MAX = 256,        /* jobs at once */
    SETTLE_MAX = 512,      /* outcomes at once */
    LEASE_EXTRA_MS = 5000, /* beyond the request's own deadline */
    QUEUES_MS = 5000,      /* how often the queues are looked at */
    BUSY_MS = 1000,        /* before a job that the senders had no room for is taken again */
    RETRY_MS = 500,        /* of statements that failed */
    TIMEOUT_MS = 15000,    /* above the statement_timeout of setup_sql */
};

/* The plans are right for a few jobs among many. */
static const char setup_sql[] =
    "SET synchronous_commit = on; SET statement_timeout = '12s'; SET lock_timeout = '5s';"
    "SET idle_in_transaction_session_timeout = '10s'; SET jit = off;"
    "SET max_parallel_workers_per_gather = 0; SET plan_cache_mode = force_generic_plan;"
    "SET enable_seqscan = off; SET enable_material = off;"
    "SET enable_bitmapscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off";

static const struct db_statement take_statement = {
    .name = "push_take",
    .sql = "SELECT registration, conversation, provider, seq, attempts, lease, age_ms, user_id,"
           " address, p256dh, auth, secret, app, said_seq, said, sender, title, badge, owner"
           "  FROM banter.push_take($1::bigint[], $2::bigint, $3::bigint)",
    .parameter_count = 3,
};

enum take_column {
    COLUMN_REGISTRATION,
    COLUMN_CONVERSATION,
    COLUMN_PROVIDER,
    COLUMN_SEQ,
    COLUMN_ATTEMPTS,
    COLUMN_LEASE,
    COLUMN_AGE_MS,
    COLUMN_USER_ID,
    COLUMN_ADDRESS,
    COLUMN_P256DH,
    COLUMN_AUTH,
    COLUMN_SECRET,
    COLUMN_APP,
    COLUMN_SAID_SEQ,
    COLUMN_SAID,
    COLUMN_SENDER,
    COLUMN_TITLE,
    COLUMN_BADGE,
    COLUMN_OWNER,
};

static const struct db_statement settle_statement = {
    .name = "push_settle",
    .sql = "SELECT banter.push_settle($1::uuid[], $2::uuid[], $3::bigint[],"
           " $4::bigint[]::smallint[], $5::bigint[], $6::bigint[], $7::text[], $8::integer,"
           " $9::bigint)",
    .parameter_count = 9,
};

static const struct db_statement queues_statement = {
    .name = "push_queues",
    .sql = "SELECT provider, jobs, overdue_ms, dead FROM banter.push_queues()",
    .parameter_count = 0,
};

/* Numbered as banter.push_settle() has them. */
enum settlement { SETTLE_DONE, SETTLE_GONE, SETTLE_RETRY, SETTLE_GIVE_UP, SETTLE_GIVE_BACK };

/* A job that this process has leased. */
struct job {
    TAILQ_ENTRY(job) link;
    struct push_worker *worker;
    struct uuid registration;
    struct uuid conversation;
    enum push_provider provider;
    int64_t seq;
    int64_t lease;
    unsigned attempts; /* this one included */
    uint64_t taken_ms; /* monotonic */
    uint64_t age_ms;   /* of its first message, when it was taken */
    enum settlement settlement;
    uint64_t delay_ms;
    const char *reason; /* static */
};

TAILQ_HEAD(job_list, job);

struct push_worker {
    struct db_conn *conn;
    struct push_worker_config config;
    struct event *timer;
    bool taking;   /* the statement is under way */
    bool settling; /* likewise */
    bool looking;  /* likewise */
    bool closed;
    struct job_list flying;  /* the senders have them */
    struct job_list settled; /* to be stored */
    struct job_list settling_jobs;
    unsigned flying_count[PUSH_PROVIDER_COUNT];
    int64_t allowance;       /* thousandths of jobs that may be taken now; below 0: too many were */
    uint64_t refilled_ms;    /* monotonic */
    uint64_t next_take_ms;   /* monotonic */
    uint64_t next_queues_ms; /* monotonic */
    struct push_worker_stats stats;
};

static void turn(struct push_worker *w);

static void schedule(struct push_worker *w, uint64_t ms)
{
    const struct timeval wait = {.tv_sec = (time_t)(ms / 1000),
                                 .tv_usec = (suseconds_t)(ms % 1000 * 1000)};

    if (!evtimer_pending(w->timer, NULL))
        event_add(w->timer, &wait);
}

/* A statement has failed: logged unless the connection says so itself. */
static void note_failure(struct push_worker *w, const char *what, const struct db_reply *reply)
{
    w->stats.failures++;
    if (reply->status == DB_ERROR)
        log_error("push", "%s failed: %s %s", what, reply->sqlstate, reply->message);
}

/* ---------------------------------------------------------------- settling */

static void settle(struct job *j, enum settlement settlement, uint64_t delay_ms, const char *reason)
{
    struct push_worker *w = j->worker;

    j->settlement = settlement;
    j->delay_ms = delay_ms;
    j->reason = reason;
    TAILQ_INSERT_TAIL(&w->settled, j, link);
    schedule(w, 0);
}

static void on_sent(void *owner, const struct push_result *result)
{
    struct job *j = owner;
    struct push_worker *w = j->worker;
    const char *reason = push_reason_name(result->reason);

    TAILQ_REMOVE(&w->flying, j, link);
    w->flying_count[j->provider]--;
    switch (result->outcome) {
    case PUSH_SENT:
        w->stats.told[j->provider]++;
        w->stats.age_ms[j->provider] += j->age_ms + clock_monotonic_ms() - j->taken_ms;
        settle(j, SETTLE_DONE, 0, "");
        break;
    case PUSH_GONE:
        settle(j, SETTLE_GONE, 0, reason);
        break;
    case PUSH_RETRY:
        settle(j, SETTLE_RETRY,
               push_backoff_ms(w->config.retry_ms, j->attempts, result->retry_after_ms), reason);
        break;
    case PUSH_FAILED:
        settle(j, SETTLE_GIVE_UP, 0, reason);
        break;
    }
}

static void put_ids(struct db_params *p, const struct job_list *jobs)
{
    const struct job *j;

    db_array_begin(p, DB_UUID_ARRAY);
    TAILQ_FOREACH(j, jobs, link)
    {
        db_array_uuid(p, &j->registration);
    }
    db_array_end(p);
    db_array_begin(p, DB_UUID_ARRAY);
    TAILQ_FOREACH(j, jobs, link)
    {
        db_array_uuid(p, &j->conversation);
    }
    db_array_end(p);
    db_array_begin(p, DB_I64_ARRAY);
    TAILQ_FOREACH(j, jobs, link)
    {
        db_array_i64(p, j->lease);
    }
    db_array_end(p);
}

static void put_outcomes(struct db_params *p, const struct job_list *jobs)
{
    const struct job *j;

    db_array_begin(p, DB_I64_ARRAY);
    TAILQ_FOREACH(j, jobs, link)
    {
        db_array_i64(p, j->settlement);
    }
    db_array_end(p);
    db_array_begin(p, DB_I64_ARRAY);
    TAILQ_FOREACH(j, jobs, link)
    {
        db_array_i64(p, j->seq);
    }
    db_array_end(p);
    db_array_begin(p, DB_I64_ARRAY);
    TAILQ_FOREACH(j, jobs, link)
    {
        db_array_i64(p, (int64_t)j->delay_ms);
    }
    db_array_end(p);
    db_array_begin(p, DB_TEXT_ARRAY);
    TAILQ_FOREACH(j, jobs, link)
    {
        db_array_text(p, slice_str(j->reason));
    }
    db_array_end(p);
}

static void free_jobs(struct job_list *jobs)
{
    struct job *j;

    while ((j = TAILQ_FIRST(jobs)) != NULL) {
        TAILQ_REMOVE(jobs, j, link);
        free(j);
    }
}

/* They go first again. */
static void settle_again(struct push_worker *w)
{
    TAILQ_CONCAT(&w->settling_jobs, &w->settled, link);
    TAILQ_CONCAT(&w->settled, &w->settling_jobs, link);
    schedule(w, RETRY_MS);
}

static void on_settled(void *owner, const struct db_reply *reply)
{
    struct push_worker *w = owner;

    w->settling = false;
    if (reply->status != DB_OK) {
        note_failure(w, "storing outcomes", reply);
        settle_again(w);
        return;
    }
    w->stats.died += (uint64_t)db_get_i64(reply->result, 0, 0);
    free_jobs(&w->settling_jobs);
    turn(w);
}

static void start_settling(struct push_worker *w)
{
    struct db_params *p;
    struct job *j;

    if (w->settling || TAILQ_EMPTY(&w->settled))
        return;
    for (unsigned i = 0; i < SETTLE_MAX && (j = TAILQ_FIRST(&w->settled)) != NULL; i++) {
        TAILQ_REMOVE(&w->settled, j, link);
        TAILQ_INSERT_TAIL(&w->settling_jobs, j, link);
    }
    p = db_params_create();
    put_ids(p, &w->settling_jobs);
    put_outcomes(p, &w->settling_jobs);
    db_i64(p, w->config.attempts_max);
    db_i64(p, w->config.gather_ms);
    w->settling = db_conn_run(w->conn, &settle_statement, p, on_settled, w);
    if (!w->settling)
        settle_again(w);
}

/* ---------------------------------------------------------------- taking */

static struct push_target target_of(const PGresult *r, int row)
{
    return (struct push_target){
        .provider = (enum push_provider)db_get_i64(r, row, COLUMN_PROVIDER),
        .address = db_get_text(r, row, COLUMN_ADDRESS),
        .topic = db_get_text(r, row, COLUMN_APP),
        .p256dh = db_get_text(r, row, COLUMN_P256DH),
        .auth = db_get_text(r, row, COLUMN_AUTH),
        .secret = db_get_text(r, row, COLUMN_SECRET),
    };
}

static void send_job(struct push_worker *w, struct job *j, const PGresult *r, int row)
{
    const struct push_target target = target_of(r, row);
    const struct push_notification notification = {
        .conversation = j->conversation,
        .seq = (uint64_t)db_get_i64(r, row, COLUMN_SAID_SEQ),
        .title = db_get_text(r, row, COLUMN_TITLE),
        .from = db_get_text(r, row, COLUMN_SENDER),
        .to = db_get_text(r, row, COLUMN_OWNER),
        .text = db_get_text(r, row, COLUMN_SAID),
        .without_text = w->config.without_text,
        .badge = (int)db_get_i64(r, row, COLUMN_BADGE),
        .ttl_s = w->config.ttl_s,
        .urgency = PUSH_URGENCY_HIGH,
    };

    switch (push_send(w->config.senders, &target, &notification, on_sent, j)) {
    case PUSH_ACCEPTED:
        TAILQ_INSERT_TAIL(&w->flying, j, link);
        w->flying_count[j->provider]++;
        break;
    case PUSH_BUSY:
        settle(j, SETTLE_GIVE_BACK, BUSY_MS, "");
        break;
    case PUSH_UNAVAILABLE:
        settle(j, SETTLE_GIVE_UP, 0, "provider not configured");
        break;
    }
}

/* Sends it, unless there is nothing to say, or the user is here after all. */
static void start_job(struct push_worker *w, const PGresult *r, int row)
{
    struct job *j = must_calloc(1, sizeof *j);
    uint64_t uid = (uint64_t)db_get_i64(r, row, COLUMN_USER_ID);

    j->worker = w;
    j->registration = db_get_uuid(r, row, COLUMN_REGISTRATION);
    j->conversation = db_get_uuid(r, row, COLUMN_CONVERSATION);
    j->provider = (enum push_provider)db_get_i64(r, row, COLUMN_PROVIDER);
    j->seq = db_get_i64(r, row, COLUMN_SEQ);
    j->lease = db_get_i64(r, row, COLUMN_LEASE);
    j->attempts = (unsigned)db_get_i64(r, row, COLUMN_ATTEMPTS);
    j->age_ms = (uint64_t)db_get_i64(r, row, COLUMN_AGE_MS);
    j->taken_ms = clock_monotonic_ms();
    assert(j->provider < PUSH_PROVIDER_COUNT);
    w->stats.taken++;
    if (!db_get_null(r, row, COLUMN_SAID_SEQ) &&
        !w->config.online->is_online(w->config.online->owner, uid)) {
        send_job(w, j, r, row);
        return;
    }
    w->stats.dropped++;
    settle(j, SETTLE_DONE, 0, "");
}

static void refill(struct push_worker *w, uint64_t now_ms)
{
    const int64_t most = 1000 * (int64_t)TAKE_MAX;

    w->allowance += (int64_t)((now_ms - w->refilled_ms) * w->config.rate);
    if (w->allowance > most)
        w->allowance = most;
    w->refilled_ms = now_ms;
}

static void on_taken(void *owner, const struct db_reply *reply)
{
    struct push_worker *w = owner;
    int rows;

    w->taking = false;
    if (reply->status != DB_OK) {
        note_failure(w, "taking jobs", reply);
        schedule(w, RETRY_MS);
        return;
    }
    rows = PQntuples(reply->result);
    w->allowance -= 1000 * (int64_t)rows;
    w->next_take_ms = clock_monotonic_ms() + (rows > 0 ? TURN_MS : LOOK_MS);
    for (int row = 0; row < rows; row++)
        start_job(w, reply->result, row);
    turn(w);
}

/* What the senders have room for. */
static uint64_t room_of(const struct push_worker *w, enum push_provider provider)
{
    if (!push_is_available(w->config.senders, provider) ||
        w->flying_count[provider] >= w->config.in_flight_max)
        return 0;
    return w->config.in_flight_max - w->flying_count[provider];
}

/* How many of each provider may be taken: the rate is shared out evenly among those with room, so
 * that none goes short because of another. Returns whether any may. */
static bool put_limits(const struct push_worker *w, struct db_params *p)
{
    uint64_t allowed = w->allowance > 0 ? (uint64_t)w->allowance / 1000 : 0;
    uint64_t with_room = 0;

    for (unsigned i = 0; i < PUSH_PROVIDER_COUNT; i++)
        with_room += room_of(w, (enum push_provider)i) > 0;
    db_array_begin(p, DB_I64_ARRAY);
    for (unsigned i = 0; i < PUSH_PROVIDER_COUNT; i++) {
        uint64_t room = room_of(w, (enum push_provider)i);
        uint64_t share = with_room > 0 ? (allowed + with_room - 1) / with_room : 0;

        db_array_i64(p, (int64_t)(share < room ? share : room));
    }
    db_array_end(p);
    return allowed > 0 && with_room > 0;
}

static void start_taking(struct push_worker *w, uint64_t now_ms)
{
    struct db_params *p;

    if (w->closed || w->taking || now_ms < w->next_take_ms ||
        !w->config.online->is_known(w->config.online->owner))
        return;
    refill(w, now_ms);
    p = db_params_create();
    if (!put_limits(w, p)) {
        db_params_destroy(p);
        return;
    }
    db_i64(p, w->config.timeout_ms + LEASE_EXTRA_MS);
    db_i64(p, w->config.ttl_s);
    w->taking = db_conn_run(w->conn, &take_statement, p, on_taken, w);
}

/* ---------------------------------------------------------------- the numbers */

static void on_queues(void *owner, const struct db_reply *reply)
{
    struct push_worker *w = owner;

    w->looking = false;
    if (reply->status != DB_OK) {
        note_failure(w, "looking at the queues", reply);
        return;
    }
    for (int row = 0; row < PQntuples(reply->result); row++) {
        int64_t provider = db_get_i64(reply->result, row, 0);
        struct push_queue *q = provider >= 0 ? &w->stats.queues[provider] : &w->stats.outbox;

        assert(provider < PUSH_PROVIDER_COUNT);
        q->jobs = (uint64_t)db_get_i64(reply->result, row, 1);
        q->overdue_ms = (uint64_t)db_get_i64(reply->result, row, 2);
        q->dead = (uint64_t)db_get_i64(reply->result, row, 3);
    }
}

static void start_looking(struct push_worker *w, uint64_t now_ms)
{
    if (w->looking || now_ms < w->next_queues_ms)
        return;
    w->next_queues_ms = now_ms + QUEUES_MS;
    w->looking = db_conn_run(w->conn, &queues_statement, db_params_create(), on_queues, w);
}

/* ---------------------------------------------------------------- its life */

static void turn(struct push_worker *w)
{
    uint64_t now_ms = clock_monotonic_ms();

    if (!db_conn_is_ready(w->conn))
        return;
    start_settling(w);
    start_taking(w, now_ms);
    start_looking(w, now_ms);
    schedule(w, TURN_MS);
}

static void on_timer(evutil_socket_t fd, short what, void *argument)
{
    (void)fd;
    (void)what;
    turn(argument);
}

static void on_connection_changed(void *owner, bool ready)
{
    if (ready)
        schedule(owner, 0);
}

struct push_worker *push_worker_create(struct event_base *base,
                                       const struct push_worker_config *config)
{
    const struct db_conn_config conn_config = {
        .dsn = config->dsn,
        .application_name = "banter-push-worker",
        .setup_sql = setup_sql,
        .timeout_ms = TIMEOUT_MS,
    };
    struct push_worker *w = must_calloc(1, sizeof *w);

    w->config = *config;
    TAILQ_INIT(&w->flying);
    TAILQ_INIT(&w->settled);
    TAILQ_INIT(&w->settling_jobs);
    w->refilled_ms = clock_monotonic_ms();
    w->timer = evtimer_new(base, on_timer, w);
    if (w->timer)
        w->conn = db_conn_create(base, &conn_config, on_connection_changed, w);
    if (!w->conn) {
        push_worker_destroy(w);
        return NULL;
    }
    return w;
}

void push_worker_destroy(struct push_worker *w)
{
    if (!w)
        return;
    assert(TAILQ_EMPTY(&w->flying));
    db_conn_destroy(w->conn);
    if (w->timer)
        event_free(w->timer);
    free_jobs(&w->settled);
    free_jobs(&w->settling_jobs);
    free(w);
}

void push_worker_close(struct push_worker *w)
{
    w->closed = true;
}

bool push_worker_is_idle(const struct push_worker *w)
{
    return TAILQ_EMPTY(&w->flying) && TAILQ_EMPTY(&w->settled) && TAILQ_EMPTY(&w->settling_jobs) &&
           !w->taking;
}

void push_worker_get_stats(const struct push_worker *w, struct push_worker_stats *out)
{
    *out = w->stats;
}
