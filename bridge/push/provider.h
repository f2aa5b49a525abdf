/* SPDX-License-Identifier: MIT */
/* provider.h - what a provider must do (struct push_provider_type), and the job that push.c gives
 * it for each notification. Only for the files of this folder.
 *
 * A job is the provider's from send() until it calls push_job_end() once; neither calls anybody
 * back, so a provider never has to expect to be entered again. */
#ifndef BANTER_PUSH_PROVIDER_H
#define BANTER_PUSH_PROVIDER_H

#include "base/buf.h"
#include "push/client.h"
#include "push/push.h"

#include <sys/queue.h>

struct push_channel;

struct push_job {
    /* push.c's */
    LIST_ENTRY(push_job) open;
    STAILQ_ENTRY(push_job) ended;
    struct push_channel *channel;
    push_done_fn *done;
    void *owner;
    uint64_t began_ms; /* monotonic, as the next */
    uint64_t deadline_ms;
    bool has_ended;
    struct push_result result; /* once it has ended */

    /* the provider's */
    void *provider;
    STAILQ_ENTRY(push_job) waiting;
    char *url;           /* owned */
    struct buf body;     /* initialized in send() */
    void *extra;         /* freed with free() */
    unsigned generation; /* of the token that it was sent with */
    bool again;          /* it is on its second and last way */
};

STAILQ_HEAD(push_job_queue, push_job);

/* Milliseconds until the job's deadline; 0 when that has passed. */
unsigned push_job_time_left(const struct push_job *job);
/* The job is push.c's again; tells its owner on the loop's next turn. */
void push_job_end(struct push_job *job, struct push_result result);

struct push_provider_type {
    const char *name;
    /* *provider is NULL when it is not configured. False after logging why it cannot be used. */
    bool (*create)(struct event_base *base, const struct push_config *config, void **provider);
    /* The jobs under way stay push.c's to end. */
    void (*destroy)(void *provider);
    const char *(*problem)(const void *provider, const struct push_target *target);
    /* `target` has no problem. */
    void (*send)(void *provider, struct push_job *job, const struct push_target *target,
                 const struct push_notification *notification);
};

extern const struct push_provider_type push_fcm, push_apns, push_web, push_webhook;

#endif
