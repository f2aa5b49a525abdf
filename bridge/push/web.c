/* SPDX-License-Identifier: MIT */
/* web.c - Web Push (RFC 8030): encrypted notifications to the push service of the browser's maker,
 * whose address the browser tells. So the address is a stranger's, and guarded as such. */
#include "push/web.h"

#include "base/clock.h"
#include "base/memory.h"
#include "push/encryption.h"
#include "push/endpoint.h"
#include "push/payload.h"
#include "push/provider.h"
#include "push/vapid.h"
#include "push/verdict.h"

#include <assert.h>
#include <stdlib.h>

enum {
    TOPIC_MAX_LENGTH = 32, /* RFC 8030 section 5.4 */
    SHORT_MAX_BYTES = 512, /* any notification without its texts */
};

struct web {
    struct push_client *client;
    struct vapid *vapid;
    struct endpoint_rules rules;
};

/* What a job needs to be sent again. */
struct web_extra {
    struct encryption_receiver receiver;
    char topic[COLLAPSE_KEY_MAX_LENGTH + 1];
    unsigned ttl_s;
    enum push_urgency urgency;
    size_t short_length;
    char short_text[SHORT_MAX_BYTES]; /* for a service that finds the whole too large */
};

static const char *const urgencies[] = {
    [PUSH_URGENCY_NORMAL] = "normal",
    [PUSH_URGENCY_HIGH] = "high",
    [PUSH_URGENCY_LOW] = "low",
};

static void web_destroy(void *provider)
{
    struct web *w = provider;

    if (!w)
        return;
    push_client_destroy(w->client);
    vapid_destroy(w->vapid);
    free(w);
}

static bool web_create(struct event_base *base, const struct push_config *config, void **provider)
{
    const struct push_client_config client_config = {
        .ca_file = config->ca_file,
        .guarded = !config->allow_private,
    };
    struct web *w;

    if (!config->vapid_key)
        return true;
    w = must_calloc(1, sizeof *w);
    w->rules.allow_private = config->allow_private;
    w->vapid = vapid_create(config->vapid_key, config->vapid_subject);
    w->client = w->vapid ? push_client_create(base, &client_config) : NULL;
    if (!w->client) {
        web_destroy(w);
        return false;
    }
    *provider = w;
    return true;
}

const char *web_public_key(const void *provider)
{
    const struct web *w = provider;

    return vapid_public_key(w->vapid);
}

static const char *web_problem(const void *provider, const struct push_target *target)
{
    const struct web *w = provider;
    struct encryption_receiver receiver;

    if (!encryption_receiver_parse(&receiver, target->p256dh, target->auth))
        return "p256dh or auth is not what a browser gives";
    return endpoint_problem(target->address, &w->rules);
}

static bool seal_whole(struct push_job *job, const struct push_notification *n)
{
    const struct web_extra *extra = job->extra;
    struct buf text;
    bool ok;

    buf_init(&text, PAYLOAD_WEB_MAX_BYTES);
    ok = payload_web(&text, n) && encryption_seal(&extra->receiver, buf_slice(&text), &job->body);
    buf_finish(&text);
    return ok;
}

static bool keep_short(struct web_extra *extra, const struct push_notification *n)
{
    struct push_notification bare = *n;
    struct buf text;
    bool ok;

    bare.without_text = true;
    buf_init(&text, SHORT_MAX_BYTES);
    ok = payload_web(&text, &bare);
    if (ok) {
        memcpy(extra->short_text, text.data, text.length);
        extra->short_length = text.length;
    }
    buf_finish(&text);
    return ok;
}

static void end_for_us(struct push_job *job)
{
    push_job_end(job, (struct push_result){PUSH_RETRY, PUSH_REASON_INTERNAL, 0, -1});
}

static void on_answer(void *owner, const struct client_answer *answer);

static void post(struct web *w, struct push_job *job)
{
    const struct web_extra *extra = job->extra;
    struct push_headers headers = {0};
    const char *authorization = vapid_authorization(w->vapid, job->url, clock_wall_ms() / 1000);

    if (!authorization) {
        end_for_us(job);
        return;
    }
    push_headers_add(&headers, "authorization: %s", authorization);
    push_headers_add(&headers, "content-type: application/octet-stream");
    push_headers_add(&headers, "content-encoding: aes128gcm");
    push_headers_add(&headers, "ttl: %u", extra->ttl_s);
    push_headers_add(&headers, "urgency: %s", urgencies[extra->urgency]);
    push_headers_add(&headers, "topic: %s", extra->topic);
    push_client_post(w->client, job->url, &headers, buf_slice(&job->body), push_job_time_left(job),
                     on_answer, job);
}

/* The first answer's body is gone by now, and so may ours be. */
static void send_short(struct push_job *job)
{
    const struct web_extra *extra = job->extra;

    job->again = true;
    buf_reset(&job->body);
    if (encryption_seal(&extra->receiver, slice_of(extra->short_text, extra->short_length),
                        &job->body))
        post(job->provider, job);
    else
        end_for_us(job);
}

static void on_answer(void *owner, const struct client_answer *answer)
{
    struct verdict v = verdict_web(answer);
    struct push_job *job = owner;

    if (v.second_try == SECOND_TRY_SHORTER && !job->again)
        send_short(job);
    else
        push_job_end(job, v.result);
}

static void web_send(void *provider, struct push_job *job, const struct push_target *target,
                     const struct push_notification *n)
{
    struct web_extra *extra = must_calloc(1, sizeof *extra);

    job->extra = extra;
    job->url = must_strndup(target->address);
    extra->ttl_s = n->ttl_s;
    extra->urgency = n->urgency;
    payload_collapse_key(n, TOPIC_MAX_LENGTH, extra->topic);
    buf_init(&job->body, PAYLOAD_WEB_MAX_BYTES + ENCRYPTION_OVERHEAD_BYTES);
    if (encryption_receiver_parse(&extra->receiver, target->p256dh, target->auth) &&
        seal_whole(job, n) && keep_short(extra, n))
        post(provider, job);
    else
        end_for_us(job);
}

const struct push_provider_type push_web = {
    .name = "web",
    .create = web_create,
    .destroy = web_destroy,
    .problem = web_problem,
    .send = web_send,
};
