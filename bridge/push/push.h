/* SPDX-License-Identifier: MIT */
/* push.h - hands notifications to the push services: FCM HTTP v1, APNs, Web Push, webhooks.
 *
 * Everything runs on the loop thread and nothing waits. Each notification that push_send() takes
 * ends in exactly one call of its `done`, never from inside push_send(). This module keeps nothing:
 * when to try again, and when to give up, is the caller's to decide. */
#ifndef BANTER_PUSH_PUSH_H
#define BANTER_PUSH_PUSH_H

#include "base/compiler.h"
#include "base/slice.h"
#include "base/uuid.h"

#include <stdbool.h>
#include <stdint.h>

struct event_base;
struct push_senders;

enum push_provider { PUSH_FCM, PUSH_APNS, PUSH_WEB, PUSH_WEBHOOK, PUSH_PROVIDER_COUNT };

/* "fcm", "apns", "web", "webhook". Static storage. */
const char *push_provider_name(enum push_provider provider);
bool push_provider_parse(struct slice name, enum push_provider *out) MUST_USE;

/* Strings are read in push_senders_create() only. NULL and 0 stand for the defaults. */
struct push_config {
    const char *ca_file;       /* PEM; whom to trust instead of the system's authorities */
    bool allow_private;        /* Web Push and webhooks may go to private and loopback addresses,
                                  and webhooks over plain http */
    unsigned in_flight_max;    /* requests per provider; default 200 */
    unsigned timeout_ms;       /* of one request, with everything; default 10 s */
    const char *fcm_account;   /* file: service account, JSON; NULL: no FCM */
    const char *fcm_url;       /* default https://fcm.googleapis.com */
    const char *fcm_token_url; /* default: `token_uri` in the file */
    const char *apns_key;      /* file: PEM (.p8), EC P-256; NULL: no APNs */
    const char *apns_key_id;
    const char *apns_team;
    const char *apns_topic;    /* bundle id, for targets without a topic of their own */
    const char *apns_url;      /* default https://api.push.apple.com */
    const char *vapid_key;     /* file: PEM, EC P-256; NULL: no Web Push */
    const char *vapid_subject; /* mailto: or https: URI of who runs this */
    bool webhooks;             /* whether there are webhooks */
};

/* NULL after logging why: a file that cannot be used, a setting that is missing. Providers that are
 * not configured are no error. */
struct push_senders *push_senders_create(struct event_base *base,
                                         const struct push_config *config) MUST_USE;
/* Ends what is under way: `done` is called with PUSH_RETRY, from inside. */
void push_senders_destroy(struct push_senders *s);

/* Whether the provider is configured. */
bool push_is_available(const struct push_senders *s, enum push_provider provider);
/* The key that browsers subscribe with (applicationServerKey): the uncompressed point in base64url.
 * NULL without Web Push. Valid as long as `s`. */
const char *push_vapid_public_key(const struct push_senders *s);

/* Limits of a target; push_target_problem() checks them. */
enum {
    PUSH_ADDRESS_MAX_BYTES = 4096, /* of a URL; providers take shorter tokens */
    PUSH_TOPIC_MAX_BYTES = 255,
    PUSH_SECRET_MIN_BYTES = 16,
    PUSH_SECRET_MAX_BYTES = 64,
};

/* One registered device. Borrowed. */
struct push_target {
    enum push_provider provider;
    struct slice address; /* FCM: registration token; APNs: device token in hex; else the URL */
    struct slice topic;   /* APNs: the app's bundle id; empty: config's */
    struct slice p256dh;  /* Web Push: the browser's public key in base64url */
    struct slice auth;    /* Web Push: the browser's secret in base64url */
    struct slice secret;  /* webhook: the key of its signatures, raw bytes */
};

/* NULL when a notification could be sent to this target, or else why not, in a few words for
 * whoever registers it (static storage). Looks at the form alone: where a host name leads is
 * checked whenever something is sent. */
const char *push_target_problem(const struct push_senders *s, const struct push_target *target);

enum push_urgency { PUSH_URGENCY_NORMAL, PUSH_URGENCY_HIGH, PUSH_URGENCY_LOW };

enum { PUSH_NO_BADGE = -1 };

/* Borrowed; texts are valid UTF-8 of any length, cut to what the provider takes. */
struct push_notification {
    struct uuid conversation;
    uint64_t seq;
    struct slice title; /* of the conversation, or the sender's name */
    struct slice from;  /* handle of the sender */
    struct slice to;    /* handle of whom it is for; only webhooks say it */
    struct slice text;
    bool without_text; /* privacy: title, from and text do not leave; the device fetches them */
    int badge;         /* conversations or messages unread, or PUSH_NO_BADGE */
    unsigned ttl_s;    /* how long the provider keeps it for a device that is away */
    enum push_urgency urgency;
    /* A later notification with the same key replaces this one on the device, so does the same one
     * sent twice. Empty: the conversation. */
    struct slice collapse_key;
};

enum push_outcome {
    PUSH_SENT,   /* the provider has it */
    PUSH_GONE,   /* the registration is dead: remove it */
    PUSH_RETRY,  /* later */
    PUSH_FAILED, /* trying again would end the same */
};

enum push_reason {
    PUSH_REASON_NONE,         /* sent */
    PUSH_REASON_UNREGISTERED, /* the provider does not know the registration (any more) */
    PUSH_REASON_TARGET,       /* token, endpoint or keys are malformed */
    PUSH_REASON_FORBIDDEN,    /* the endpoint leads to an address that may not be asked */
    PUSH_REASON_TOO_LARGE,
    PUSH_REASON_REJECTED,    /* the provider refuses this notification */
    PUSH_REASON_CREDENTIALS, /* the provider refuses us */
    PUSH_REASON_QUOTA,       /* too much at once */
    PUSH_REASON_PROVIDER,    /* trouble on its side */
    PUSH_REASON_CONNECTION,  /* no connection: name, network, TLS */
    PUSH_REASON_TIMEOUT,
    PUSH_REASON_STOPPING, /* push_senders_destroy() */
    PUSH_REASON_INTERNAL, /* no memory, no entropy */
    PUSH_REASON_COUNT
};

/* One word for metrics and logs, such as "quota". Static storage. */
const char *push_reason_name(enum push_reason reason);

struct push_result {
    enum push_outcome outcome;
    enum push_reason reason;
    unsigned status;        /* HTTP; 0: no answer came */
    int64_t retry_after_ms; /* PUSH_RETRY: what the provider asked for (<= a day), or -1 */
};

typedef void push_done_fn(void *owner, const struct push_result *result);

enum push_acceptance {
    PUSH_ACCEPTED,    /* `done` will be called */
    PUSH_BUSY,        /* in_flight_max are under way for this provider; no callback */
    PUSH_UNAVAILABLE, /* the provider is not configured; no callback */
};

/* Copies what it needs of `target` and `notification`. The deadline is timeout_ms from now. */
enum push_acceptance push_send(struct push_senders *s, const struct push_target *target,
                               const struct push_notification *notification, push_done_fn *done,
                               void *owner) MUST_USE;

/* Upper bounds of the latency histogram; the last bucket has none. */
#define PUSH_LATENCY_BOUNDS_MS                                                                     \
    {                                                                                              \
        10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000                                         \
    }
enum { PUSH_LATENCY_BUCKETS = 11 };

struct push_stats {
    uint64_t in_flight;                     /* now */
    uint64_t sent, gone, retried, failed;   /* so far, by outcome */
    uint64_t busy;                          /* so far: refused by push_send() */
    uint64_t by_reason[PUSH_REASON_COUNT];  /* so far; NONE: sent */
    uint64_t latency[PUSH_LATENCY_BUCKETS]; /* so far: answers per bucket, not cumulative */
    uint64_t latency_sum_ms;
};
void push_get_stats(const struct push_senders *s, enum push_provider provider,
                    struct push_stats *out);

#endif
