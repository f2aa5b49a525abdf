/* SPDX-License-Identifier: MIT */
/* push.c - the senders as a whole: bounds, deadlines, figures, and the one call of each `done`.
 *
 * A job that has ended waits for the loop's next turn, so no owner is ever called from inside one
 * of his own calls, and no provider while it is at work. */
#include "push/push.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "push/provider.h"
#include "push/web.h"

#include <assert.h>
#include <event2/event.h>
#include <stdlib.h>

enum {
    IN_FLIGHT_DEFAULT = 200,
    TIMEOUT_DEFAULT_MS = 10000,
    WARNING_PAUSE_MS = 60000,
};

/* One provider with its figures. */
struct push_channel {
    const struct push_provider_type *type;
    struct push_senders *senders;
    void *provider; /* NULL: not configured */
    struct push_stats stats;
    uint64_t may_warn_ms; /* monotonic */
};

struct push_senders {
    unsigned in_flight_max;
    unsigned timeout_ms;
    struct push_channel channels[PUSH_PROVIDER_COUNT];
    LIST_HEAD(, push_job) open;
    struct push_job_queue ended;
    struct event *tell; /* active while `ended` is not empty */
};

static const struct push_provider_type *const types[PUSH_PROVIDER_COUNT] = {
    [PUSH_FCM] = &push_fcm,
    [PUSH_APNS] = &push_apns,
    [PUSH_WEB] = &push_web,
    [PUSH_WEBHOOK] = &push_webhook,
};

static const char *const reason_names[PUSH_REASON_COUNT] = {
    [PUSH_REASON_NONE] = "none",
    [PUSH_REASON_UNREGISTERED] = "unregistered",
    [PUSH_REASON_TARGET] = "target",
    [PUSH_REASON_FORBIDDEN] = "forbidden",
    [PUSH_REASON_TOO_LARGE] = "too_large",
    [PUSH_REASON_REJECTED] = "rejected",
    [PUSH_REASON_CREDENTIALS] = "credentials",
    [PUSH_REASON_QUOTA] = "quota",
    [PUSH_REASON_PROVIDER] = "provider",
    [PUSH_REASON_CONNECTION] = "connection",
    [PUSH_REASON_TIMEOUT] = "timeout",
    [PUSH_REASON_STOPPING] = "stopping",
    [PUSH_REASON_INTERNAL] = "internal",
};

const char *push_provider_name(enum push_provider provider)
{
    assert(provider < PUSH_PROVIDER_COUNT);
    return types[provider]->name;
}

bool push_provider_parse(struct slice name, enum push_provider *out)
{
    for (unsigned i = 0; i < PUSH_PROVIDER_COUNT; i++) {
        if (slice_equal(name, slice_str(types[i]->name))) {
            *out = i;
            return true;
        }
    }
    return false;
}

const char *push_reason_name(enum push_reason reason)
{
    assert(reason < PUSH_REASON_COUNT);
    return reason_names[reason];
}

/* The jobs: */

unsigned push_job_time_left(const struct push_job *job)
{
    uint64_t now = clock_monotonic_ms();

    return now < job->deadline_ms ? (unsigned)(job->deadline_ms - now) : 0;
}

void push_job_end(struct push_job *job, struct push_result result)
{
    struct push_senders *s = job->channel->senders;

    assert(!job->has_ended);
    job->has_ended = true;
    job->result = result;
    STAILQ_INSERT_TAIL(&s->ended, job, ended);
    event_active(s->tell, EV_TIMEOUT, 0);
}

static void free_text(char *text)
{
    if (text)
        explicit_bzero(text, strlen(text));
    free(text);
}

static void free_job(struct push_job *job)
{
    LIST_REMOVE(job, open);
    buf_finish(&job->body);
    free_text(job->url);
    free(job->extra);
    free(job);
}

static void count(struct push_stats *stats, const struct push_job *job)
{
    static const unsigned bounds[] = PUSH_LATENCY_BOUNDS_MS;
    uint64_t took_ms = clock_monotonic_ms() - job->began_ms;
    unsigned bucket = 0;

    switch (job->result.outcome) {
    case PUSH_SENT:
        stats->sent++;
        break;
    case PUSH_GONE:
        stats->gone++;
        break;
    case PUSH_RETRY:
        stats->retried++;
        break;
    case PUSH_FAILED:
        stats->failed++;
        break;
    }
    stats->in_flight--;
    stats->by_reason[job->result.reason]++;
    if (job->result.status == 0)
        return;
    while (bucket < PUSH_LATENCY_BUCKETS - 1 && took_ms > bounds[bucket])
        bucket++;
    stats->latency[bucket]++;
    stats->latency_sum_ms += took_ms;
}

/* Only the operator can mend this. Webhooks are the affair of whoever registered them. */
static void warn_of_credentials(struct push_channel *channel, const struct push_result *result)
{
    uint64_t now = clock_monotonic_ms();

    if (result->reason != PUSH_REASON_CREDENTIALS || channel->type == &push_webhook ||
        now < channel->may_warn_ms)
        return;
    channel->may_warn_ms = now + WARNING_PAUSE_MS;
    log_warning("push", "%s refuses us, status %u: are its key and ids right?", channel->type->name,
                result->status);
}

static void tell_owner(struct push_job *job)
{
    count(&job->channel->stats, job);
    warn_of_credentials(job->channel, &job->result);
    job->done(job->owner, &job->result);
    free_job(job);
}

/* What ends meanwhile waits for the next turn. */
static void on_tell(evutil_socket_t fd, short what, void *owner)
{
    struct push_job_queue ended = STAILQ_HEAD_INITIALIZER(ended);
    struct push_senders *s = owner;
    struct push_job *job;

    (void)fd;
    (void)what;
    STAILQ_CONCAT(&ended, &s->ended);
    while ((job = STAILQ_FIRST(&ended)) != NULL) {
        STAILQ_REMOVE_HEAD(&ended, ended);
        tell_owner(job);
    }
}

enum push_acceptance push_send(struct push_senders *s, const struct push_target *target,
                               const struct push_notification *notification, push_done_fn *done,
                               void *owner)
{
    struct push_channel *channel = &s->channels[target->provider];
    struct push_job *job;

    if (!channel->provider)
        return PUSH_UNAVAILABLE;
    if (channel->stats.in_flight >= s->in_flight_max) {
        channel->stats.busy++;
        return PUSH_BUSY;
    }
    channel->stats.in_flight++;
    job = must_calloc(1, sizeof *job);
    job->channel = channel;
    job->provider = channel->provider;
    job->done = done;
    job->owner = owner;
    job->began_ms = clock_monotonic_ms();
    job->deadline_ms = job->began_ms + s->timeout_ms;
    LIST_INSERT_HEAD(&s->open, job, open);
    if (channel->type->problem(channel->provider, target))
        push_job_end(job, (struct push_result){PUSH_FAILED, PUSH_REASON_TARGET, 0, -1});
    else
        channel->type->send(channel->provider, job, target, notification);
    return PUSH_ACCEPTED;
}

/* The senders: */

bool push_is_available(const struct push_senders *s, enum push_provider provider)
{
    assert(provider < PUSH_PROVIDER_COUNT);
    return s->channels[provider].provider != NULL;
}

const char *push_vapid_public_key(const struct push_senders *s)
{
    const void *web = s->channels[PUSH_WEB].provider;

    return web ? web_public_key(web) : NULL;
}

const char *push_target_problem(const struct push_senders *s, const struct push_target *target)
{
    const struct push_channel *channel = &s->channels[target->provider];

    if (!channel->provider)
        return "this kind of push is not set up here";
    return channel->type->problem(channel->provider, target);
}

void push_get_stats(const struct push_senders *s, enum push_provider provider,
                    struct push_stats *out)
{
    assert(provider < PUSH_PROVIDER_COUNT);
    *out = s->channels[provider].stats;
}

struct push_senders *push_senders_create(struct event_base *base, const struct push_config *config)
{
    struct push_senders *s = must_calloc(1, sizeof *s);

    s->in_flight_max = config->in_flight_max ? config->in_flight_max : IN_FLIGHT_DEFAULT;
    s->timeout_ms = config->timeout_ms ? config->timeout_ms : TIMEOUT_DEFAULT_MS;
    LIST_INIT(&s->open);
    STAILQ_INIT(&s->ended);
    for (unsigned i = 0; i < PUSH_PROVIDER_COUNT; i++) {
        s->channels[i].type = types[i];
        s->channels[i].senders = s;
    }
    s->tell = event_new(base, -1, 0, on_tell, s);
    if (!s->tell) {
        log_error("push", "cannot make an event");
        goto fail;
    }
    for (unsigned i = 0; i < PUSH_PROVIDER_COUNT; i++) {
        if (!types[i]->create(base, config, &s->channels[i].provider))
            goto fail;
    }
    return s;

fail:
    push_senders_destroy(s);
    return NULL;
}

void push_senders_destroy(struct push_senders *s)
{
    struct push_job *job;

    if (!s)
        return;
    for (unsigned i = 0; i < PUSH_PROVIDER_COUNT; i++) {
        types[i]->destroy(s->channels[i].provider);
        s->channels[i].provider = NULL; /* nothing more is taken */
    }
    while ((job = LIST_FIRST(&s->open)) != NULL) {
        if (!job->has_ended)
            job->result = (struct push_result){PUSH_RETRY, PUSH_REASON_STOPPING, 0, -1};
        tell_owner(job);
    }
    if (s->tell)
        event_free(s->tell);
    free(s);
}
