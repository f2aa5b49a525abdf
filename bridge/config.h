/* SPDX-License-Identifier: MIT */
/* config.h - the bridge's settings: `key value` lines in a file, BANTER_KEY in the environment,
 * --set KEY=VALUE on the command line; what comes later here wins. One table in config.c says all
 * there is to know about each key. */
#ifndef BANTER_BRIDGE_CONFIG_H
#define BANTER_BRIDGE_CONFIG_H

#include "base/bucket.h"
#include "base/compiler.h"
#include "base/log.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct config {
    char *database;
    char *replica_database; /* or "": none */
    unsigned replica_connections;
    unsigned replica_timeout_ms;
    unsigned replica_lag_max_ms;
    char *migrate_database; /* "": as database */
    char *migrations;
    bool migrate_on_start;
    char *http_listen;  /* or "off" */
    char *https_listen; /* or "off" */
    char *mqtts_listen; /* or "off" */
    char *tls_certificate_file;
    char *tls_key_file;
    unsigned hsts_seconds; /* 0: not said */
    char *http_socket;
    char *mqtt_socket;
    char *websocket_origins;
    char *web_connect_sources;
    unsigned websocket_ping_ms;
    char *trusted_proxies;
    unsigned connections_max;
    unsigned connections_per_address;
    bool rate_limits;
    struct rate rate_address_connects;
    struct rate rate_address_http;
    struct rate rate_user_http;
    struct rate rate_address_signups;
    struct rate rate_address_logins;
    struct rate rate_user_exports;
    char *metrics_listen; /* or "off" */
    char *web_root;       /* or "off" */
    char *link_socket;
    char *link_key;
    char *broker;
    char *node;
    char *redis; /* or "": this node is alone */
    char *redis_prefix;
    char *registry;               /* or "": in the database */
    char *redis_ca_file;          /* "": no TLS */
    char *redis_certificate_file; /* "": none */
    char *redis_key_file;
    char *public_http; /* of these the empty text means: the address that it listens on */
    char *public_ws;
    char *public_mqtt;
    char *location;
    unsigned capacity;
    char *keys_dir;
    unsigned key_overlap;
    unsigned audit_days;
    char *operator_key;
    char *blobs_dir;
    char *issuer;
    char *audience;
    unsigned access_token_ttl;
    unsigned refresh_token_ttl;
    unsigned argon2_memory_kib;
    unsigned argon2_passes;
    unsigned password_workers;
    bool signup;
    unsigned group_members_max;
    unsigned presence_grace_ms;
    unsigned pool_connections;
    unsigned batch_max;
    unsigned batches_flying;
    unsigned queue_max;
    char *push_fcm_account; /* of these the empty text means: none, or the senders' default */
    char *push_fcm_url;
    char *push_fcm_token_url;
    char *push_apns_key;
    char *push_apns_key_id;
    char *push_apns_team;
    char *push_apns_topic;
    char *push_apns_url;
    char *push_vapid_subject;
    char *push_vapid_key;
    bool push_webhooks;
    bool push_text;
    bool push_allow_private;
    char *push_ca_file;
    unsigned push_gather_ms;
    unsigned push_rate;
    unsigned push_in_flight_max;
    unsigned push_timeout_ms;
    unsigned push_attempts_max;
    unsigned push_retry_ms;
    unsigned push_ttl;
    char *drain_file; /* or "" */
    unsigned drain_seconds;
    unsigned health_deadline_ms;
    unsigned watchdog_ms;
    unsigned log_level; /* enum log_level */
};

/* Defaults, then the file (NULL: none), then the environment, then `flags`, each KEY=VALUE; then
 * checks that everything needed is there. False after logging what is wrong; *config is to be freed
 * either way. */
bool config_load(struct config *config, const char *path, const char *const *flags,
                 size_t flag_count) MUST_USE;
void config_free(struct config *config);
/* Prints every key with its default and meaning. */
void config_print_help(FILE *out);
/* Prints every key with the value that counts, as lines of a configuration file. Secrets are left
 * out unless `secrets`. */
void config_print(const struct config *config, bool secrets, FILE *out);

#endif
