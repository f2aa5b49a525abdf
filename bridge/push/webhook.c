/* SPDX-License-Identifier: MIT */
/* webhook.c - notifications to anybody's HTTP server, which makes this the door to guard: only
 * public addresses unless the operator allows others (client.h, address.h). */
#include "push/webhook.h"

#include "base/clock.h"
#include "base/memory.h"
#include "push/endpoint.h"
#include "push/payload.h"
#include "push/provider.h"
#include "push/verdict.h"
#include "token/jwt.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>

struct webhook {
    struct push_client *client;
    struct endpoint_rules rules;
};

static void webhook_destroy(void *provider)
{
    struct webhook *w = provider;

    if (!w)
        return;
    push_client_destroy(w->client);
    free(w);
}

static bool webhook_create(struct event_base *base, const struct push_config *config,
                           void **provider)
{
    const struct push_client_config client_config = {
        .ca_file = config->ca_file,
        .guarded = !config->allow_private,
        .allow_http = config->allow_private,
    };
    struct webhook *w;

    if (!config->webhooks)
        return true;
    w = must_calloc(1, sizeof *w);
    w->rules.allow_private = config->allow_private;
    w->rules.allow_http = config->allow_private;
    w->client = push_client_create(base, &client_config);
    if (!w->client) {
        webhook_destroy(w);
        return false;
    }
    *provider = w;
    return true;
}

static const char *webhook_problem(const void *provider, const struct push_target *target)
{
    const struct webhook *w = provider;

    if (target->secret.length < PUSH_SECRET_MIN_BYTES ||
        target->secret.length > PUSH_SECRET_MAX_BYTES)
        return "the secret must be of 16 to 64 bytes";
    return endpoint_problem(target->address, &w->rules);
}

static void on_answer(void *owner, const struct client_answer *answer)
{
    push_job_end(owner, verdict_webhook(answer).result);
}

/* The same for every attempt at the same notification, so that the receiver can drop what came
 * twice; different for each registration. */
static bool put_id(struct buf *out, const struct push_target *target,
                   const struct push_notification *n)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    char conversation[UUID_TEXT_LENGTH + 1];
    struct buf whom;
    bool ok;

    buf_init(&whom, PUSH_ADDRESS_MAX_BYTES + n->to.length + 1);
    buf_slice_put(&whom, n->to);
    buf_char(&whom, '\n');
    buf_slice_put(&whom, target->address);
    ok = !whom.failed && EVP_Digest(whom.data, whom.length, digest, NULL, EVP_sha256(), NULL) == 1;
    buf_finish(&whom);
    if (!ok)
        return false;
    uuid_format(&n->conversation, conversation);
    buf_printf(out, "msg_%s_%llu_", conversation, (unsigned long long)n->seq);
    base64url_encode(out, slice_of((const char *)digest, 12));
    return !out->failed;
}

static bool put_headers(struct push_headers *headers, const struct push_target *target,
                        const struct push_notification *n, struct slice body)
{
    char timestamp[24], signature[WEBHOOK_SIGNATURE_LENGTH + 1];
    struct buf id;
    bool ok;

    buf_init(&id, 128);
    snprintf(timestamp, sizeof timestamp, "%lld", (long long)(clock_wall_ms() / 1000));
    ok =
        put_id(&id, target, n) && webhook_sign(target->secret, id.data, timestamp, body, signature);
    if (ok) {
        push_headers_add(headers, "content-type: application/json");
        push_headers_add(headers, "webhook-id: %s", id.data);
        push_headers_add(headers, "webhook-timestamp: %s", timestamp);
        push_headers_add(headers, "webhook-signature: %s", signature);
    }
    buf_finish(&id);
    return ok;
}

static void webhook_send(void *provider, struct push_job *job, const struct push_target *target,
                         const struct push_notification *n)
{
    struct webhook *w = provider;
    struct push_headers headers = {0};

    buf_init(&job->body, PAYLOAD_WEBHOOK_MAX_BYTES);
    if (!payload_webhook(&job->body, n) ||
        !put_headers(&headers, target, n, buf_slice(&job->body))) {
        push_job_end(job, (struct push_result){PUSH_RETRY, PUSH_REASON_INTERNAL, 0, -1});
        return;
    }
    job->url = must_strndup(target->address);
    push_client_post(w->client, job->url, &headers, buf_slice(&job->body), push_job_time_left(job),
                     on_answer, job);
}

const struct push_provider_type push_webhook = {
    .name = "webhook",
    .create = webhook_create,
    .destroy = webhook_destroy,
    .problem = webhook_problem,
    .send = webhook_send,
};
