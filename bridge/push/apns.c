/* SPDX-License-Identifier: MIT */
/* apns.c - Apple Push Notification service, over HTTP/2 with provider tokens. */
#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "push/apns_token.h"
#include "push/payload.h"
#include "push/provider.h"
#include "push/verdict.h"

#include <ctype.h>
#include <stdlib.h>

#define DEFAULT_URL "https://api.push.apple.com"

enum {
    TOKEN_MAX_LENGTH = 512, /* of a device, in hex; today 64, and Apple says to expect more */
    URL_MAX_BYTES = 2048,
    PRIORITY_NOW = 10,
    PRIORITY_SAVING = 5, /* as the device's battery allows */
};

struct apns {
    struct push_client *client;
    struct apns_token *token;
    char *url;
    char *topic; /* or NULL */
};

/* What a job needs to be sent again. */
struct apns_extra {
    char topic[PUSH_TOPIC_MAX_BYTES + 1];
    char collapse_key[COLLAPSE_KEY_MAX_LENGTH + 1]; /* Apple takes 64 bytes */
    int64_t expires_at;                             /* Unix seconds; 0: now or never */
    unsigned priority;
};

static void apns_destroy(void *provider)
{
    struct apns *a = provider;

    if (!a)
        return;
    push_client_destroy(a->client);
    apns_token_destroy(a->token);
    free(a->url);
    free(a->topic);
    free(a);
}

static bool is_topic(struct slice topic)
{
    for (size_t i = 0; i < topic.length; i++) {
        unsigned char c = (unsigned char)topic.data[i];

        if (!isalnum(c) && c != '.' && c != '-' && c != '_')
            return false;
    }
    return topic.length > 0 && topic.length <= PUSH_TOPIC_MAX_BYTES;
}

static bool apns_create(struct event_base *base, const struct push_config *config, void **provider)
{
    const struct push_client_config client_config = {.ca_file = config->ca_file};
    struct apns *a;

    if (!config->apns_key)
        return true;
    if (config->apns_topic && !is_topic(slice_str(config->apns_topic))) {
        log_error("push", "APNs: the topic is not a bundle id");
        return false;
    }
    a = must_calloc(1, sizeof *a);
    a->topic = config->apns_topic ? must_strndup(slice_str(config->apns_topic)) : NULL;
    a->url = must_strndup(slice_str(config->apns_url ? config->apns_url : DEFAULT_URL));
    a->token = apns_token_create(config->apns_key, config->apns_key_id, config->apns_team);
    a->client = a->token ? push_client_create(base, &client_config) : NULL;
    if (!a->client) {
        apns_destroy(a);
        return false;
    }
    *provider = a;
    return true;
}

static const char *apns_problem(const void *provider, const struct push_target *target)
{
    const struct apns *a = provider;

    if (target->address.length == 0 || target->address.length > TOKEN_MAX_LENGTH ||
        target->address.length % 2 != 0)
        return "the device token is missing or of the wrong length";
    for (size_t i = 0; i < target->address.length; i++) {
        if (!isxdigit((unsigned char)target->address.data[i]))
            return "the device token must be in hexadecimal digits";
    }
    if (target->topic.length == 0 && !a->topic)
        return "the topic is missing";
    if (target->topic.length > 0 && !is_topic(target->topic))
        return "the topic is not a bundle id";
    return NULL;
}

static void on_answer(void *owner, const struct client_answer *answer);

static void post(struct apns *a, struct push_job *job)
{
    const struct apns_extra *extra = job->extra;
    struct push_headers headers = {0};
    const char *token = apns_token_get(a->token, clock_wall_ms() / 1000, &job->generation);

    if (!token) {
        push_job_end(job, (struct push_result){PUSH_RETRY, PUSH_REASON_INTERNAL, 0, -1});
        return;
    }
    push_headers_add(&headers, "authorization: bearer %s", token);
    push_headers_add(&headers, "content-type: application/json");
    push_headers_add(&headers, "apns-push-type: alert");
    push_headers_add(&headers, "apns-topic: %s", extra->topic);
    push_headers_add(&headers, "apns-collapse-id: %s", extra->collapse_key);
    push_headers_add(&headers, "apns-priority: %u", extra->priority);
    push_headers_add(&headers, "apns-expiration: %lld", (long long)extra->expires_at);
    push_client_post(a->client, job->url, &headers, buf_slice(&job->body), push_job_time_left(job),
                     on_answer, job);
}

static void on_answer(void *owner, const struct client_answer *answer)
{
    struct verdict v = verdict_apns(answer);
    struct push_job *job = owner;
    struct apns *a = job->provider;

    if (v.second_try == SECOND_TRY_NEW_TOKEN && !job->again) {
        job->again = true;
        apns_token_refuse(a->token, clock_wall_ms() / 1000, job->generation);
        post(a, job);
    } else {
        push_job_end(job, v.result);
    }
}

static bool set_url(struct push_job *job, const char *base, struct slice token)
{
    struct buf url;

    buf_init(&url, URL_MAX_BYTES);
    buf_printf(&url, "%s/3/device/", base);
    for (size_t i = 0; i < token.length; i++)
        buf_char(&url, (char)tolower((unsigned char)token.data[i]));
    job->url = buf_detach(&url);
    buf_finish(&url);
    return job->url != NULL;
}

static void apns_send(void *provider, struct push_job *job, const struct push_target *target,
                      const struct push_notification *n)
{
    struct apns *a = provider;
    struct apns_extra *extra = must_calloc(1, sizeof *extra);
    struct slice topic = target->topic.length > 0 ? target->topic : slice_str(a->topic);

    job->extra = extra;
    memcpy(extra->topic, topic.data, topic.length);
    payload_collapse_key(n, COLLAPSE_KEY_MAX_LENGTH, extra->collapse_key);
    extra->priority = n->urgency == PUSH_URGENCY_HIGH ? PRIORITY_NOW : PRIORITY_SAVING;
    extra->expires_at = n->ttl_s > 0 ? clock_wall_ms() / 1000 + n->ttl_s : 0;
    buf_init(&job->body, PAYLOAD_APNS_MAX_BYTES);
    if (payload_apns(&job->body, n) && set_url(job, a->url, target->address))
        post(a, job);
    else
        push_job_end(job, (struct push_result){PUSH_RETRY, PUSH_REASON_INTERNAL, 0, -1});
}

const struct push_provider_type push_apns = {
    .name = "apns",
    .create = apns_create,
    .destroy = apns_destroy,
    .problem = apns_problem,
    .send = apns_send,
};
