/* SPDX-License-Identifier: MIT */
/* app.h - the running bridge: every module, in the order in which they need each other. */
#ifndef BANTER_BRIDGE_APP_H
#define BANTER_BRIDGE_APP_H

#include "base/compiler.h"

#include <stdbool.h>

struct app;
struct config;

/* `config` is borrowed. NULL after logging why. */
struct app *app_create(const struct config *config) MUST_USE;
/* Serves until SIGTERM or SIGINT, and then finishes what was taken, for up to 5 s; a second signal
 * ends that. False: the loop itself failed. */
bool app_run(struct app *a) MUST_USE;
void app_destroy(struct app *a);

#endif
