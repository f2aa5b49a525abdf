/* SPDX-License-Identifier: MIT */
/* recovery.c - what becomes of batches that were not committed. Rule: the drafts go back in the
 * order in which they came, and nothing is sent before all in flight are answered; so whatever is
 * tried here, no draft overtakes another of its conversation. */
#include "core/ingest/writer.h"

#include "base/log.h"
#include "core/ingest/foresight.h"
#include "core/ingest/quarantine.h"

#include <stdlib.h>
#include <string.h>

enum {
    RETRY_FIRST_MS = 20,
    RETRY_MAX_MS = 2000,
    ASIDE_MS = 500,  /* between two looks whether a lock is free, for which everybody waits */
    WARY_ROUNDS = 8, /* of all batches that may fly, after a draft that was not easy */
};

void writer_wait(struct event *timer, unsigned ms)
{
    const struct timeval wait = {.tv_sec = ms / 1000, .tv_usec = (suseconds_t)(ms % 1000) * 1000};

    event_add(timer, &wait);
}

void writer_beware(struct ingest *g)
{
    g->wary_left = WARY_ROUNDS * g->config.batches_flying;
}

static void take_back_probe(struct ingest *g, struct batch *b)
{
    struct submission *s = b->drafts[0];

    STAILQ_INSERT_HEAD(&b->aside->drafts, s, next);
    g->stats.queued++;
    g->queued_bytes += s->size;
    b->count = 0;
    batch_destroy(b);
}

void writer_take_back(struct ingest *g)
{
    struct submission_list drafts = STAILQ_HEAD_INITIALIZER(drafts);
    struct batch *b;

    while ((b = STAILQ_FIRST(&g->flying)) != NULL) {
        STAILQ_REMOVE_HEAD(&g->flying, next);
        foresight_fail(b);
        if (b->status == DB_OK && b->row_count > 0) {
            log_error("ingest", "a batch was committed after one that was not");
            abort(); /* the order is lost; whoever restarts us starts from what is stored */
        }
        if (b->aside) {
            take_back_probe(g, b);
            continue;
        }
        for (size_t i = 0; i < b->count; i++) {
            struct submission *s = b->drafts[i];
            STAILQ_INSERT_TAIL(&drafts, s, next);
            g->stats.queued++;
            g->queued_bytes += s->size;
        }
        b->count = 0;
        batch_destroy(b);
    }
    g->flying_count = 0;
    STAILQ_CONCAT(&drafts, &g->queue);
    STAILQ_CONCAT(&g->queue, &drafts);
}

static void wait_and_retry(struct ingest *g)
{
    unsigned shift = g->attempts < 8 ? g->attempts : 8;
    unsigned ms = (unsigned)RETRY_FIRST_MS << shift;

    writer_wait(g->retry_timer, ms < RETRY_MAX_MS ? ms : RETRY_MAX_MS);
}

static void bisect(struct ingest *g, size_t count, const char *sqlstate)
{
    g->suspects = count;
    if (count > 1)
        return;
    quarantine(STAILQ_FIRST(&g->queue), sqlstate, g->conn);
    g->stats.quarantined++;
    g->suspects = 0;
    g->attempts = 0;
}

/* The first `count` drafts of the queue hold one that needs a lock that something else holds. */
static void set_aside(struct ingest *g, size_t count)
{
    const struct submission *s = STAILQ_FIRST(&g->queue);
    struct log_fields fields = {.length = 0};

    g->hasty = true;
    g->suspects = count;
    if (count > 1)
        return;
    g->suspects = 0;
    if (!asides_add(&g->asides, &s->conversation)) {
        wait_and_retry(g);
        return;
    }
    submission_describe(s, &fields);
    log_about(LOG_LEVEL_WARNING, "ingest", &fields,
              "a conversation is set aside: something holds a lock on it");
    if (!evtimer_pending(g->aside_timer, NULL))
        writer_wait(g->aside_timer, ASIDE_MS);
}

/* A probe has failed, and its draft is where it came from. */
static void recover_probe(struct ingest *g, enum batch_remedy remedy, const char *sqlstate)
{
    if (remedy == REMEDY_ASIDE) {
        asides_rotate(&g->asides);
        writer_wait(g->aside_timer, ASIDE_MS);
        return;
    }
    asides_release(&g->asides, &g->queue);
    if (remedy == REMEDY_BISECT)
        bisect(g, 1, sqlstate);
    else
        wait_and_retry(g);
}

void writer_recover(struct ingest *g)
{
    const struct batch *first = STAILQ_FIRST(&g->flying);
    enum db_status status = first->status;
    enum batch_remedy remedy = batch_remedy_for(first, g->attempts);
    bool was_probe = first->aside != NULL;
    size_t count = first->count;
    char sqlstate[SQLSTATE_LENGTH + 1];

    memcpy(sqlstate, first->sqlstate, sizeof sqlstate);
    if (remedy == REMEDY_BEWARE && strcmp(sqlstate, "BT002") == 0 && !first->foreseen)
        foresight_distrust(first);
    writer_take_back(g);
    g->failing = false;
    g->chain_tail = g->committed;
    g->stats.retries++;
    if (status !=
        DB_ABORTED) { /* the connection is gone; being ready again starts the next batch */
        log_warning("ingest", "connection lost with batches in flight: sending them again");
        return;
    }
    if (was_probe) {
        recover_probe(g, remedy, sqlstate);
        return;
    }
    if (remedy == REMEDY_BEWARE) {
        writer_beware(g);
        return;
    }
    log_warning("ingest", "a batch of %zu failed, SQLSTATE %s", count, sqlstate);
    if (remedy == REMEDY_BISECT)
        bisect(g, count, sqlstate);
    else if (remedy == REMEDY_ASIDE)
        set_aside(g, count);
    else
        wait_and_retry(g);
    g->attempts++;
}
