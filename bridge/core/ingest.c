/* SPDX-License-Identifier: MIT */
/* ingest.c - the writer: a queue of drafts and the batches in flight. What is done when one fails
 * is in ingest/recovery.c.
 *
 * Order is kept by four rules. Batches are answered in the order sent. A batch commits only if the
 * one before it did (banter.follow_batch). After a failure nothing is sent until every batch in
 * flight is answered; then the drafts of all of them go back to the front of the queue. A
 * conversation is set aside (ingest/asides.h) only then, and comes back only while nothing flies.
 */
#include "core/ingest/writer.h"

#include "base/fault_point.h"
#include "base/log.h"
#include "base/memory.h"
#include "core/ingest/foresight.h"
#include "core/ingest/statements.h"
#include "link/link.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
    BATCH_BYTES_MAX = 4 << 20, /* a batch closes once it passes this; one draft always fits */
    QUEUE_BYTES_MAX = 128 << 20,
    TIMEOUT_MS = 10000,                /* above the statement_timeout of batch_setup_sql */
    LINK_WAITING_MAX_BYTES = 32 << 20, /* nothing new is committed beyond: see is_link_full() */
    LINK_CHECK_MS = 20,
    LINK_SILENT_MS = 2000,
};

static void on_batch_end(void *owner, const struct db_reply *reply);

/* The draft to send next, or NULL. Those that have to wait for others make way. */
static struct submission *front(struct ingest *g)
{
    struct submission *s;
    struct aside *aside;

    while ((s = STAILQ_FIRST(&g->queue)) != NULL && (aside = asides_find(&g->asides, s)) != NULL) {
        STAILQ_REMOVE_HEAD(&g->queue, next);
        STAILQ_INSERT_TAIL(&aside->drafts, s, next);
    }
    return s;
}

static void add_to_batch(struct ingest *g, struct batch *b, struct submission *s)
{
    g->stats.queued--;
    g->queued_bytes -= s->size;
    batch_add(b, s);
}

static void send_batch(struct ingest *g, struct batch *b)
{
    batch_close(b, &g->directs);
    b->hasty = g->hasty;
    b->swift = !b->aside && g->wary_left == 0 && b->targeted_count == 0;
    if (g->wary_left > 0)
        g->wary_left--;
    b->orderly = g->config.others;
    b->tells = g->config.push;
    b->number = ++g->last_number;
    foresight_part(b, &g->heads);
    STAILQ_INSERT_TAIL(&g->flying, b, next);
    g->flying_count++;
    g->stats.batches++;
    if (b->row_count == 0) {
        b->answered = true;
        event_active(g->settle_event, EV_TIMEOUT, 1);
        return;
    }
    fault_point("bridge.before_commit");
    /* If the connection breaks here, on_connection_changed() answers for it. */
    if (batch_send(b, g->conn, g->chain_tail, on_batch_end))
        g->chain_tail = b->number;
    fault_point("bridge.batch_sent");
}

static void start_batch(struct ingest *g)
{
    size_t most = g->suspects ? (g->suspects + 1) / 2 : g->config.batch_max;
    size_t limit = most < g->stats.queued ? most : g->stats.queued;
    struct batch *b = batch_create(g, limit);
    struct submission *s;
    size_t bytes = 0;

    while (b->count < limit && bytes < BATCH_BYTES_MAX && (s = front(g)) != NULL &&
           batch_may_add(b, s)) {
        STAILQ_REMOVE_HEAD(&g->queue, next);
        bytes += s->size;
        add_to_batch(g, b, s);
    }
    send_batch(g, b);
}

/* Whether the lock is free: the first draft of what was set aside, alone. */
static void start_probe(struct ingest *g)
{
    struct aside *aside = STAILQ_FIRST(&g->asides.list);
    struct submission *s = STAILQ_FIRST(&aside->drafts);
    struct batch *b = batch_create(g, 1);

    b->aside = aside;
    STAILQ_REMOVE_HEAD(&aside->drafts, next);
    add_to_batch(g, b, s);
    send_batch(g, b);
}

/* What is committed goes to the link at once, and a link that is sent too much is reset. So whoever
 * posts waits for a plugin that is slow; but not for one that is stuck, because posts over HTTP
 * are as good without it. */
static bool is_link_full(const struct ingest *g)
{
    return link_waiting(g->link) > LINK_WAITING_MAX_BYTES &&
           link_silent_ms(g->link) < LINK_SILENT_MS;
}

static bool may_send(const struct ingest *g)
{
    return !g->failing && db_conn_is_ready(g->conn) && !evtimer_pending(g->retry_timer, NULL);
}

/* A batch that is sent while another one is under way is closed early, and waits there. So few
 * drafts wait here, where others may join them; many fill a batch anyway, and the time on the way
 * would be lost. */
static bool may_start_batch(struct ingest *g)
{
    const struct batch *first = STAILQ_FIRST(&g->flying);
    bool alone = g->suspects > 0 || (first && first->aside) || g->stats.queued < g->config.crowd;
    unsigned flying_max = alone ? 1 : g->config.batches_flying;

    return may_send(g) && g->flying_count < flying_max && front(g) != NULL;
}

/* A probe flies alone, so that its failure is nobody else's. */
static bool is_probe_due(const struct ingest *g)
{
    const struct batch *first = STAILQ_FIRST(&g->flying);

    return g->asides.count > 0 && g->suspects == 0 && !(first && first->aside) &&
           !evtimer_pending(g->aside_timer, NULL);
}

void ingest_kick(struct ingest *g)
{
    if (is_link_full(g)) {
        if (!evtimer_pending(g->retry_timer, NULL))
            writer_wait(g->retry_timer, LINK_CHECK_MS);
        return;
    }
    if (is_probe_due(g)) {
        if (may_send(g) && g->flying_count == 0)
            start_probe(g);
        return;
    }
    while (may_start_batch(g))
        start_batch(g);
}

static void count_outcome(struct ingest_stats *stats, const struct ingest_outcome *outcome)
{
    if (outcome->code != CODE_OK)
        stats->refused++;
    else if (outcome->duplicate)
        stats->duplicates++;
    else
        stats->stored++;
}

static void deliver(struct ingest *g, struct batch *b)
{
    batch_settle_twins(b);
    g->stats.foreseen += b->known_count;
    for (size_t i = 0; i < b->count; i++) {
        struct submission *s = b->drafts[fault_breaks(swap_delivery) ? b->count - 1 - i : i];
        if (!fault_breaks(early_receipt))
            emission_write(&g->emission, s);
        fault_point("bridge.after_entry");
        count_outcome(&g->stats, &s->outcome);
        if (s->outcome.duplicate)
            writer_beware(g);
        if (g->stored && s->outcome.code == CODE_OK && !s->outcome.duplicate)
            g->stored(g->stored_owner, &s->outcome.conversation);
        if (s->done)
            s->done(s->owner, s->id, &s->outcome);
    }
    if (g->settled)
        g->settled(g->settled_owner);
}

static void log_going_on(const struct submission *s)
{
    struct log_fields fields = {.length = 0};

    submission_describe(s, &fields);
    log_about(LOG_LEVEL_INFO, "ingest", &fields, "a conversation that was set aside goes on");
}

static void on_success(struct ingest *g, struct batch *b)
{
    fault_point("bridge.after_commit");
    if (b->row_count > 0)
        g->committed = b->number;
    g->attempts = 0;
    g->suspects = b->count < g->suspects ? g->suspects - b->count : 0;
    if (b->aside) {
        assert(b->aside == STAILQ_FIRST(&g->asides.list));
        asides_release(&g->asides, &g->queue);
        log_going_on(b->drafts[0]);
    }
    g->hasty = g->hasty && (g->suspects > 0 || g->asides.count > 0);
    deliver(g, b);
}

static bool all_answered(const struct ingest *g)
{
    const struct batch *b;

    STAILQ_FOREACH(b, &g->flying, next)
    {
        if (!b->answered)
            return false;
    }
    return true;
}

static void settle(struct ingest *g)
{
    struct batch *b;

    while ((b = STAILQ_FIRST(&g->flying)) != NULL && b->answered && b->status == DB_OK) {
        STAILQ_REMOVE_HEAD(&g->flying, next);
        g->flying_count--;
        on_success(g, b);
        batch_destroy(b);
    }
    if (g->failing && all_answered(g))
        writer_recover(g);
    ingest_kick(g);
}

static void answer_batch(struct ingest *g, struct batch *b, enum db_status status,
                         const char *sqlstate)
{
    b->answered = true;
    b->status = status;
    memcpy(b->sqlstate, sqlstate, strnlen(sqlstate, SQLSTATE_LENGTH));
    if (status != DB_OK)
        g->failing = true;
}

static void on_batch_end(void *owner, const struct db_reply *reply)
{
    struct batch *b = owner;
    struct ingest *g = b->owner;

    answer_batch(g, b, reply->status, reply->sqlstate);
    settle(g);
}

static void on_settle_event(evutil_socket_t fd, short what, void *argument)
{
    (void)fd;
    (void)what;
    settle(argument);
}

static void on_retry_timer(evutil_socket_t fd, short what, void *argument)
{
    (void)fd;
    (void)what;
    ingest_kick(argument);
}

static void on_connection_changed(void *owner, bool ready)
{
    struct ingest *g = owner;
    struct batch *b;

    if (ready) {
        assert(STAILQ_EMPTY(&g->flying) || all_answered(g));
        writer_beware(g);
        heads_forget_all(&g->heads);
        g->chain_tail = 0; /* as batch_setup_sql has it */
        g->committed = 0;
    } else {
        STAILQ_FOREACH(b, &g->flying, next)
        {
            if (!b->answered) /* its sync was never accepted */
                answer_batch(g, b, DB_LOST, "");
        }
    }
    settle(g);
}

struct ingest *ingest_create(struct event_base *base, const struct ingest_config *config,
                             struct link *link, struct herald *herald)
{
    const struct db_conn_config conn_config = {
        .dsn = config->dsn,
        .node = config->node,
        .application_name = "banter-writer",
        .setup_sql = batch_setup_sql,
        .timeout_ms = TIMEOUT_MS,
    };
    struct ingest *g = must_calloc(1, sizeof *g);

    assert(config->batch_max > 0 && config->batches_flying > 0 && config->queue_max > 0);
    g->base = base;
    g->config = *config;
    g->link = link;
    STAILQ_INIT(&g->queue);
    STAILQ_INIT(&g->flying);
    asides_init(&g->asides);
    directs_init(&g->directs);
    heads_init(&g->heads);
    emission_init(&g->emission, herald, &g->directs);
    g->aside_timer = evtimer_new(base, on_retry_timer, g);
    g->retry_timer = evtimer_new(base, on_retry_timer, g);
    g->settle_event = event_new(base, -1, 0, on_settle_event, g);
    if (g->aside_timer && g->retry_timer && g->settle_event)
        g->conn = db_conn_create(base, &conn_config, on_connection_changed, g);
    if (!g->conn) {
        ingest_destroy(g);
        return NULL;
    }
    return g;
}

/* Says to every draft that is left that nothing came of it. */
static void give_up(struct ingest *g)
{
    const struct ingest_outcome outcome = {.code = CODE_UNAVAILABLE,
                                           .reason = "the server is stopping"};
    struct submission *s;

    writer_take_back(g);
    while (g->asides.count > 0)
        asides_release(&g->asides, &g->queue);
    while ((s = STAILQ_FIRST(&g->queue)) != NULL) {
        STAILQ_REMOVE_HEAD(&g->queue, next);
        if (s->done)
            s->done(s->owner, s->id, &outcome);
        submission_destroy(s);
    }
}

void ingest_destroy(struct ingest *g)
{
    if (!g)
        return;
    db_conn_destroy(g->conn);
    give_up(g);
    if (g->aside_timer)
        event_free(g->aside_timer);
    if (g->retry_timer)
        event_free(g->retry_timer);
    if (g->settle_event)
        event_free(g->settle_event);
    emission_finish(&g->emission);
    directs_finish(&g->directs);
    heads_finish(&g->heads);
    free(g);
}

void ingest_on_settled(struct ingest *g, ingest_settled_fn *settled, void *owner)
{
    g->settled = settled;
    g->settled_owner = owner;
}

void ingest_on_stored(struct ingest *g, ingest_stored_fn *stored, void *owner)
{
    g->stored = stored;
    g->stored_owner = owner;
}

void ingest_submit(struct ingest *g, const struct ingest_draft *draft, ingest_done_fn *done,
                   void *owner)
{
    struct submission *s = submission_create(draft, done, owner);

    STAILQ_INSERT_TAIL(&g->queue, s, next);
    g->stats.drafts++;
    g->stats.queued++;
    g->queued_bytes += s->size;
}

bool ingest_is_full(const struct ingest *g)
{
    return g->stats.queued >= g->config.queue_max || g->queued_bytes >= QUEUE_BYTES_MAX;
}

bool ingest_has_room(const struct ingest *g)
{
    return g->stats.queued <= g->config.queue_max / 2 && g->queued_bytes <= QUEUE_BYTES_MAX / 2;
}

bool ingest_is_busy(const struct ingest *g)
{
    return !STAILQ_EMPTY(&g->queue);
}

bool ingest_is_idle(const struct ingest *g)
{
    return STAILQ_EMPTY(&g->queue) && STAILQ_EMPTY(&g->flying) && g->asides.count == 0;
}

bool ingest_is_ready(const struct ingest *g)
{
    return db_conn_is_ready(g->conn);
}

void ingest_look_again(struct ingest *g, const struct uuid *conversation)
{
    heads_forget(&g->heads, conversation);
}

void ingest_get_stats(const struct ingest *g, struct ingest_stats *out)
{
    *out = g->stats;
    out->aside = g->asides.count;
}
