/* SPDX-License-Identifier: MIT */
/* app_keys.h - signing keys as the settings want them, for the bridge that runs and from the
 * command line. */
#ifndef BANTER_BRIDGE_APP_KEYS_H
#define BANTER_BRIDGE_APP_KEYS_H

#include "base/compiler.h"

#include <stdbool.h>

struct audit;
struct config;
struct event_base;
struct keys;

/* What changes goes into the audit log, which is borrowed. NULL after logging why not. */
struct keys *app_open_keys(struct event_base *base, const struct config *config,
                           struct audit *audit) MUST_USE;

/* Whether there is such an action on keys, with one that is named or without. */
bool app_keys_have(const char *action, const char *kid) MUST_USE;
/* Does it and prints what came of it. `now`: whatever that ends. False after logging why not. */
bool app_keys_keep(const struct config *config, const char *action, const char *kid,
                   bool now) MUST_USE;

#endif
