/* SPDX-License-Identifier: MIT */
/* health.c - see health.h. */
#include "core/health.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/pulse.h"
#include "core/cluster.h"
#include "core/drain.h"
#include "core/ingest.h"
#include "core/revocations.h"
#include "db/db.h"
#include "link/link.h"

#include <event2/event.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    LOOK_MS = 250,
    ASK_MS = 1000, /* from one answer of the database to the next question */
    REASON_MAX_BYTES = 96,
};

const char *const health_part_names[HEALTH_PARTS] = {
    [HEALTH_DATABASE] = "database", [HEALTH_WRITER] = "writer",   [HEALTH_LOGINS] = "logins",
    [HEALTH_STRAYS] = "strays",     [HEALTH_CLUSTER] = "cluster", [HEALTH_PLUGIN] = "plugin",
    [HEALTH_DOOR] = "door",
};

struct health {
    struct health_config config;
    struct event *timer;
    bool stopping;
    bool asked;  /* the database; its answer has not come */
    bool failed; /* its last answer was none */
    uint64_t asked_ms;
    uint64_t settled;     /* drafts that the writer had answered at the last look */
    uint64_t retries;     /* batches that it had sent again */
    uint64_t settling_ms; /* when it last had answered one, or had none to answer */
    char reason[REASON_MAX_BYTES];
};

static const struct db_statement ask_statement = {
    .name = "health_ask",
    .sql = "SELECT 1",
    .parameter_count = 0,
};

static void on_answer(void *owner, const struct db_reply *reply)
{
    struct health *h = owner;

    h->asked = false;
    h->failed = reply->status != DB_OK;
}

static void ask_database(struct health *h, uint64_t now_ms)
{
    if (h->asked || now_ms - h->asked_ms < ASK_MS)
        return;
    h->asked_ms = now_ms;
    h->asked = db_pool_query(h->config.pool, &ask_statement, NULL, on_answer, h);
}

/* A conversation that waits for somebody's lock (ingest/asides.h) is no fault of the writer, which
 * goes on trying. */
static void watch_writer(struct health *h, uint64_t now_ms)
{
    struct ingest_stats s;
    uint64_t settled;

    ingest_get_stats(h->config.ingest, &s);
    settled = s.stored + s.duplicates + s.refused;
    if (ingest_is_idle(h->config.ingest) || settled != h->settled ||
        (s.aside > 0 && s.retries != h->retries))
        h->settling_ms = now_ms;
    h->settled = settled;
    h->retries = s.retries;
}

static void on_timer(evutil_socket_t fd, short what, void *argument)
{
    struct health *h = argument;
    uint64_t now_ms = clock_monotonic_ms();
    (void)fd;
    (void)what;

    ask_database(h, now_ms);
    watch_writer(h, now_ms);
}

struct health *health_create(struct event_base *base, const struct health_config *config)
{
    const struct timeval interval = {.tv_usec = LOOK_MS * 1000};
    struct health *h = must_calloc(1, sizeof *h);

    h->config = *config;
    h->settling_ms = clock_monotonic_ms();
    h->timer = event_new(base, -1, EV_PERSIST, on_timer, h);
    if (h->timer && event_add(h->timer, &interval) == 0)
        return h;
    health_destroy(h);
    return NULL;
}

void health_destroy(struct health *h)
{
    if (!h)
        return;
    if (h->timer)
        event_free(h->timer);
    free(h);
}

static const char *database(const struct health *h)
{
    if (!db_pool_is_ready(h->config.pool))
        return "the database cannot be read";
    if (h->asked && clock_monotonic_ms() - h->asked_ms >= h->config.deadline_ms)
        return "the database does not answer";
    return h->failed ? "the database answers with errors" : NULL;
}

static const char *writer(const struct health *h)
{
    if (!ingest_is_ready(h->config.ingest))
        return "the writer is not connected to the database";
    if (clock_monotonic_ms() - h->settling_ms >= h->config.deadline_ms)
        return "the writer cannot commit: messages wait";
    return NULL;
}

static const char *logins(const struct health *h)
{
    return revocations_is_ready(h->config.revocations) ? NULL
                                                       : "the ended logins have not been read";
}

static const char *strays(const struct health *h)
{
    return link_is_connected(h->config.link) || !link_is_shut(h->config.link)
               ? NULL
               : "what lost connections left behind in the database may still change it";
}

static const char *cluster(const struct health *h)
{
    return !h->config.cluster || cluster_is_member(h->config.cluster)
               ? NULL
               : "this node has no lease: the others do not wait for it";
}

static const char *plugin(const struct health *h)
{
    if (!link_is_connected(h->config.link))
        return "the broker's plugin is not connected";
    if (link_silent_ms(h->config.link) >= h->config.deadline_ms)
        return "the broker does not answer";
    return NULL;
}

static const char *door(const struct health *h)
{
    return clock_monotonic_ms() - pulse_last_ms(h->config.door) < h->config.deadline_ms
               ? NULL
               : "the front door does not come round";
}

static const char *(*const parts[HEALTH_PARTS])(const struct health *h) = {
    [HEALTH_DATABASE] = database, [HEALTH_WRITER] = writer,   [HEALTH_LOGINS] = logins,
    [HEALTH_STRAYS] = strays,     [HEALTH_CLUSTER] = cluster, [HEALTH_PLUGIN] = plugin,
    [HEALTH_DOOR] = door,
};

const char *health_of(const struct health *h, enum health_part part)
{
    return parts[part](h);
}

static const char *draining(struct health *h)
{
    int64_t left = drain_left(h->config.drain);

    if (left < 0)
        return "the node is draining";
    snprintf(h->reason, sizeof h->reason, "the node is draining; connections left: %" PRId64, left);
    return h->reason;
}

const char *health_why_not(struct health *h)
{
    if (h->stopping)
        return "the server is stopping";
    if (drain_is_on(h->config.drain))
        return draining(h);
    for (unsigned i = 0; i < HEALTH_PARTS; i++) {
        const char *reason = health_of(h, (enum health_part)i);

        if (reason)
            return reason;
    }
    return NULL;
}

void health_stop(struct health *h)
{
    h->stopping = true;
}

bool health_is_stopping(const struct health *h)
{
    return h->stopping;
}
