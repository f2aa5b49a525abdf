/* SPDX-License-Identifier: MIT */
/* app_door.c - see app_door.h. */
#include "app_door.h"

#include "config.h"
#include "door/door.h"

struct door *app_create_door(const struct config *config, const struct networks *trusted_proxies,
                             const char *origins)
{
    const struct rate no_limit = {0, 0};

    return door_create(&(struct door_config){
        .http_listen = config->http_listen,
        .https_listen = config->https_listen,
        .mqtts_listen = config->mqtts_listen,
        .tls_certificate_file = config->tls_certificate_file,
        .tls_key_file = config->tls_key_file,
        .http_socket = config->http_socket,
        .mqtt_socket = config->mqtt_socket,
        .websocket_origins = origins,
        .websocket_ping_ms = config->websocket_ping_ms,
        .trusted_proxies = trusted_proxies,
        .connections_max = config->connections_max,
        .connections_per_address = config->connections_per_address,
        .rate_address_connects = config->rate_limits ? config->rate_address_connects : no_limit,
    });
}
