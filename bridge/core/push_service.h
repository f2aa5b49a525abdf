/* SPDX-License-Identifier: MIT */
/* push_service.h - tells members who are not there of new messages: the parts of core/push/ and the
 * senders of push/ put together. docs/architecture.md ("Push") tells the path of one push.
 *
 * Push is on when a provider is configured. When it is off, nothing here has a connection or a
 * timer, and the writer leaves nothing in the outbox. */
#ifndef BANTER_BRIDGE_PUSH_SERVICE_H
#define BANTER_BRIDGE_PUSH_SERVICE_H

#include "base/compiler.h"
#include "core/push/expander.h"
#include "core/push/online.h"
#include "core/push/worker.h"
#include "push/push.h"

#include <stdbool.h>

struct event_base;
struct push_service;

struct push_service_config {
    struct push_config
        senders; /* `vapid_key` NULL: made in keys_dir; `vapid_subject` NULL: no Web
                    Push. Its strings are borrowed until push_service_create() ends. */
    const char *keys_dir;
    const char *dsn; /* borrowed for the service's life */
    unsigned gather_ms;
    unsigned rate;
    unsigned attempts_max;
    unsigned retry_ms;
    unsigned ttl_s;
    bool without_text;
};

/* The senders only: registrations can be judged. NULL after logging why. */
struct push_service *push_service_create(struct event_base *base,
                                         const struct push_service_config *config) MUST_USE;
/* From now on messages are told. `online` is copied. */
bool push_service_start(struct push_service *s, const struct push_online *online) MUST_USE;
void push_service_destroy(struct push_service *s);
/* Takes no more jobs: before a stop. */
void push_service_close(struct push_service *s);
bool push_service_is_idle(const struct push_service *s);

bool push_service_is_on(const struct push_service *s);
/* NULL when push is off. */
const struct push_senders *push_service_senders(const struct push_service *s);
/* A text was committed. Cheap. */
void push_service_note(struct push_service *s);
/* Zero when push is off. */
void push_service_get_stats(const struct push_service *s, struct push_expander_stats *expander,
                            struct push_worker_stats *worker);

#endif
