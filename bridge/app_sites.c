/* SPDX-License-Identifier: MIT */
/* app_sites.c - see app_sites.h. */
#include "app_sites.h"

#include "base/clock.h"
#include "config.h"
#include "core/servers.h"
#include "core/sites.h"
#include "door/door.h"

struct servers *app_create_servers(const struct config *config, const struct presence *presence,
                                   const struct drain *drain)
{
    return servers_create(&(struct servers_config){
        .node = config->node,
        .http = config->public_http,
        .ws = config->public_ws,
        .mqtt = config->public_mqtt,
        .location = config->location,
        .capacity = config->capacity,
        .presence = presence,
        .drain = drain,
    });
}

struct sites *app_create_sites(const struct config *config, const struct servers *servers)
{
    const struct server own = servers_own(servers);
    struct sites *sites = sites_create(config->websocket_origins, config->web_connect_sources);

    if (sites)
        sites_note_own(sites, &own);
    return sites;
}

void app_hear_node(void *sites, struct slice about)
{
    struct server node;

    if (server_read(about, &node))
        sites_note(sites, &node, clock_monotonic_ms());
}

static void on_changed(void *door, const char *origins)
{
    door_set_origins(door, origins);
}

void app_tell_door(struct sites *sites, struct door *door)
{
    sites_on_changed(sites, on_changed, door);
}
