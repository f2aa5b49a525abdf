/* SPDX-License-Identifier: MIT */
/* fcm.c - Firebase Cloud Messaging, HTTP v1. Jobs wait here while a token is being fetched, which
 * takes no longer than their deadline allows. */
#include "base/clock.h"
#include "base/memory.h"
#include "push/fcm_token.h"
#include "push/payload.h"
#include "push/provider.h"
#include "push/verdict.h"

#include <stdlib.h>

#define DEFAULT_URL "https://fcm.googleapis.com"

enum {
    TOKEN_MAX_LENGTH = 1024, /* registration tokens; today's have about 150 */
    URL_MAX_BYTES = 2048,
    DEFAULT_TIMEOUT_MS = 10000,
};

struct fcm {
    struct push_client *client;
    struct fcm_token *token;
    char *url;
    struct push_job_queue waiting;
};

static void on_token(void *owner, const struct push_result *failure);

static void fcm_destroy(void *provider)
{
    struct fcm *f = provider;

    if (!f)
        return;
    push_client_destroy(f->client);
    fcm_token_destroy(f->token);
    free(f->url);
    free(f);
}

static bool set_url(struct fcm *f, const char *base)
{
    struct buf url;

    buf_init(&url, URL_MAX_BYTES);
    buf_printf(&url, "%s/v1/projects/%s/messages:send", base, fcm_token_project(f->token));
    f->url = buf_detach(&url);
    buf_finish(&url);
    return f->url != NULL;
}

static bool fcm_create(struct event_base *base, const struct push_config *config, void **provider)
{
    const struct push_client_config client_config = {.ca_file = config->ca_file};
    struct fcm *f;

    if (!config->fcm_account)
        return true;
    f = must_calloc(1, sizeof *f);
    STAILQ_INIT(&f->waiting);
    f->client = push_client_create(base, &client_config);
    if (f->client)
        f->token = fcm_token_create(f->client, config->fcm_account, config->fcm_token_url,
                                    config->timeout_ms ? config->timeout_ms : DEFAULT_TIMEOUT_MS,
                                    on_token, f);
    if (!f->token || !set_url(f, config->fcm_url ? config->fcm_url : DEFAULT_URL)) {
        fcm_destroy(f);
        return false;
    }
    *provider = f;
    return true;
}

static const char *fcm_problem(const void *provider, const struct push_target *target)
{
    (void)provider;
    if (target->address.length == 0 || target->address.length > TOKEN_MAX_LENGTH)
        return "the registration token is missing or too long";
    for (size_t i = 0; i < target->address.length; i++) {
        if (target->address.data[i] <= ' ' || target->address.data[i] >= 0x7f)
            return "the registration token must be of printable ASCII characters";
    }
    return NULL;
}

static void start(struct fcm *f, struct push_job *job);

static void on_answer(void *owner, const struct client_answer *answer)
{
    struct verdict v = verdict_fcm(answer);
    struct push_job *job = owner;
    struct fcm *f = job->provider;

    if (v.second_try == SECOND_TRY_NEW_TOKEN && !job->again) {
        job->again = true;
        fcm_token_refuse(f->token, job->generation);
        start(f, job);
    } else {
        push_job_end(job, v.result);
    }
}

static void post(struct fcm *f, struct push_job *job, const char *token)
{
    struct push_headers headers = {0};

    push_headers_add(&headers, "authorization: Bearer %s", token);
    push_headers_add(&headers, "content-type: application/json");
    push_client_post(f->client, job->url, &headers, buf_slice(&job->body), push_job_time_left(job),
                     on_answer, job);
}

static void start(struct fcm *f, struct push_job *job)
{
    struct push_result failure;
    const char *token = fcm_token_get(f->token, &job->generation);

    if (token)
        post(f, job, token);
    else if (fcm_token_fetch(f->token, &failure))
        STAILQ_INSERT_TAIL(&f->waiting, job, waiting);
    else
        push_job_end(job, failure);
}

static void on_token(void *owner, const struct push_result *failure)
{
    struct push_job_queue waiting = STAILQ_HEAD_INITIALIZER(waiting);
    struct fcm *f = owner;
    struct push_job *job;

    STAILQ_CONCAT(&waiting, &f->waiting);
    while ((job = STAILQ_FIRST(&waiting)) != NULL) {
        STAILQ_REMOVE_HEAD(&waiting, waiting);
        if (failure)
            push_job_end(job, *failure);
        else
            start(f, job);
    }
}

static void fcm_send(void *provider, struct push_job *job, const struct push_target *target,
                     const struct push_notification *n)
{
    struct fcm *f = provider;

    buf_init(&job->body, PAYLOAD_FCM_MAX_BYTES + TOKEN_MAX_LENGTH);
    job->url = must_strndup(slice_str(f->url));
    if (payload_fcm(&job->body, n, target->address))
        start(f, job);
    else
        push_job_end(job, (struct push_result){PUSH_RETRY, PUSH_REASON_INTERNAL, 0, -1});
}

const struct push_provider_type push_fcm = {
    .name = "fcm",
    .create = fcm_create,
    .destroy = fcm_destroy,
    .problem = fcm_problem,
    .send = fcm_send,
};
