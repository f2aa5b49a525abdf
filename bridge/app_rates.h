/* SPDX-License-Identifier: MIT */
/* app_rates.h - the limits of the HTTP API as the settings have them. */
#ifndef BANTER_BRIDGE_APP_RATES_H
#define BANTER_BRIDGE_APP_RATES_H

#include "base/compiler.h"

struct config;
struct networks;
struct rates;

/* `trusted_proxies` is borrowed for the life of what is returned. */
struct rates *app_create_rates(const struct config *config,
                               const struct networks *trusted_proxies) MUST_USE;

#endif
