/* SPDX-License-Identifier: MIT */
/* push_service.c - see push_service.h. */
#include "core/push_service.h"

#include "base/buf.h"
#include "base/memory.h"
#include "core/push/vapid.h"

#include <stdlib.h>

enum {
    PATH_MAX_BYTES = 4096,
    IN_FLIGHT_DEFAULT = 200, /* as push.h has it */
    TIMEOUT_DEFAULT_MS = 10000,
};

struct push_service {
    struct event_base *base;
    struct push_service_config config; /* without the senders' strings */
    struct push_online online;
    struct push_senders *senders; /* these three are NULL when push is off */
    struct push_expander *expander;
    struct push_worker *worker;
};

static bool is_configured(const struct push_config *c)
{
    return c->fcm_account || c->apns_key || c->vapid_subject || c->webhooks;
}

static bool create_senders(struct push_service *s)
{
    struct push_config config = s->config.senders;
    struct buf path;
    bool ok = true;

    buf_init(&path, PATH_MAX_BYTES);
    if (!config.vapid_subject) {
        config.vapid_key = NULL;
    } else if (!config.vapid_key) {
        buf_printf(&path, "%s/vapid.key", s->config.keys_dir);
        ok = !path.failed && push_vapid_ensure(s->config.keys_dir, path.data);
        config.vapid_key = path.data;
    }
    if (ok)
        s->senders = push_senders_create(s->base, &config);
    buf_finish(&path);
    return s->senders != NULL;
}

struct push_service *push_service_create(struct event_base *base,
                                         const struct push_service_config *config)
{
    struct push_service *s = must_calloc(1, sizeof *s);

    s->base = base;
    s->config = *config;
    if (is_configured(&config->senders) && !create_senders(s)) {
        free(s);
        return NULL;
    }
    s->config.keys_dir = NULL;
    return s;
}

bool push_service_start(struct push_service *s, const struct push_online *online)
{
    const struct push_config *senders = &s->config.senders;
    const struct push_worker_config config = {
        .dsn = s->config.dsn,
        .senders = s->senders,
        .online = &s->online,
        .gather_ms = s->config.gather_ms,
        .rate = s->config.rate,
        .in_flight_max = senders->in_flight_max ? senders->in_flight_max : IN_FLIGHT_DEFAULT,
        .timeout_ms = senders->timeout_ms ? senders->timeout_ms : TIMEOUT_DEFAULT_MS,
        .attempts_max = s->config.attempts_max,
        .retry_ms = s->config.retry_ms,
        .ttl_s = s->config.ttl_s,
        .without_text = s->config.without_text,
    };

    if (!s->senders)
        return true;
    s->online = *online;
    s->expander = push_expander_create(s->base, s->config.dsn, &s->online, s->config.gather_ms);
    s->worker = push_worker_create(s->base, &config);
    return s->expander && s->worker;
}

/* The senders first: they end what is under way, and the worker hears of it. */
void push_service_destroy(struct push_service *s)
{
    if (!s)
        return;
    push_senders_destroy(s->senders);
    push_worker_destroy(s->worker);
    push_expander_destroy(s->expander);
    free(s);
}

void push_service_close(struct push_service *s)
{
    if (s->worker)
        push_worker_close(s->worker);
}

bool push_service_is_idle(const struct push_service *s)
{
    return !s->worker || push_worker_is_idle(s->worker);
}

bool push_service_is_on(const struct push_service *s)
{
    return s->senders != NULL;
}

const struct push_senders *push_service_senders(const struct push_service *s)
{
    return s->senders;
}

void push_service_note(struct push_service *s)
{
    if (s->expander)
        push_expander_note(s->expander);
}

void push_service_get_stats(const struct push_service *s, struct push_expander_stats *expander,
                            struct push_worker_stats *worker)
{
    *expander = (struct push_expander_stats){0};
    *worker = (struct push_worker_stats){0};
    if (s->expander)
        push_expander_get_stats(s->expander, expander);
    if (s->worker)
        push_worker_get_stats(s->worker, worker);
}
