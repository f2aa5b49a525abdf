/* SPDX-License-Identifier: MIT */
/* app_sites.h - the part of the process that knows the pages and addresses of all nodes: made of
 * the settings, kept up by what the cluster hears, told to the front door. */
#ifndef BANTER_BRIDGE_APP_SITES_H
#define BANTER_BRIDGE_APP_SITES_H

#include "base/compiler.h"
#include "base/slice.h"

struct config;
struct door;
struct drain;
struct presence;
struct servers;
struct sites;

/* What is told of this node, and asked of the others. NULL after logging why not. */
struct servers *app_create_servers(const struct config *config, const struct presence *presence,
                                   const struct drain *drain) MUST_USE;
/* NULL after logging why not. */
struct sites *app_create_sites(const struct config *config, const struct servers *servers) MUST_USE;
/* What another node says of itself; `sites` is one. */
void app_hear_node(void *sites, struct slice about);
/* From now on `door` lets in whom `sites` says. */
void app_tell_door(struct sites *sites, struct door *door);

#endif
