/* SPDX-License-Identifier: MIT */
/* app_door.h - the front door as the settings want it. */
#ifndef BANTER_BRIDGE_APP_DOOR_H
#define BANTER_BRIDGE_APP_DOOR_H

#include "base/compiler.h"

struct config;
struct door;
struct networks;

/* `trusted_proxies` is borrowed for the life of what is returned; `origins` are the sites that may
 * open WebSockets. NULL after logging why not. */
struct door *app_create_door(const struct config *config, const struct networks *trusted_proxies,
                             const char *origins) MUST_USE;

#endif
