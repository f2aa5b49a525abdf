/* SPDX-License-Identifier: MIT */
/* app_push.c - see app_push.h. */
#include "app_push.h"

#include "config.h"
#include "core/presence.h"
#include "core/push_service.h"

#include <stddef.h>

static bool is_here(void *owner, uint64_t uid)
{
    return presence_is_here(owner, uid);
}

static bool is_known(void *owner)
{
    return presence_is_known(owner);
}

static const char *text_or_null(const char *text)
{
    return text[0] ? text : NULL;
}

static struct push_config senders_config(const struct config *config)
{
    return (struct push_config){
        .ca_file = text_or_null(config->push_ca_file),
        .allow_private = config->push_allow_private,
        .in_flight_max = config->push_in_flight_max,
        .timeout_ms = config->push_timeout_ms,
        .fcm_account = text_or_null(config->push_fcm_account),
        .fcm_url = text_or_null(config->push_fcm_url),
        .fcm_token_url = text_or_null(config->push_fcm_token_url),
        .apns_key = text_or_null(config->push_apns_key),
        .apns_key_id = text_or_null(config->push_apns_key_id),
        .apns_team = text_or_null(config->push_apns_team),
        .apns_topic = text_or_null(config->push_apns_topic),
        .apns_url = text_or_null(config->push_apns_url),
        .vapid_key = text_or_null(config->push_vapid_key),
        .vapid_subject = text_or_null(config->push_vapid_subject),
        .webhooks = config->push_webhooks,
    };
}

struct push_service *app_create_push(struct event_base *base, const struct config *config,
                                     struct presence *presence)
{
    const struct push_service_config push_config = {
        .senders = senders_config(config),
        .keys_dir = config->keys_dir,
        .dsn = config->database,
        .gather_ms = config->push_gather_ms,
        .rate = config->push_rate,
        .attempts_max = config->push_attempts_max,
        .retry_ms = config->push_retry_ms,
        .ttl_s = config->push_ttl,
        .without_text = !config->push_text,
    };
    const struct push_online online = {
        .is_online = is_here, .is_known = is_known, .owner = presence};
    struct push_service *push = push_service_create(base, &push_config);

    if (push && !push_service_start(push, &online)) {
        push_service_destroy(push);
        return NULL;
    }
    return push;
}
