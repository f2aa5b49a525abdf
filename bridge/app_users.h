/* SPDX-License-Identifier: MIT */
/* app_users.h - users, as an operator deals with them from the command line. Blocking: for a
 * process that does nothing else. */
#ifndef BANTER_BRIDGE_APP_USERS_H
#define BANTER_BRIDGE_APP_USERS_H

#include "base/compiler.h"

#include <stdbool.h>

struct config;

/* Whether there is such an action: "create", and those of operator_users_has(). */
bool app_users_have(const char *action) MUST_USE;
/* `who` does it to `subject`, a handle or an erasure's id; prints what came of it. "create" takes
 * the password from stdin, one line; if that is empty one is drawn, and printed. False after
 * logging why not. */
bool app_users_keep(const struct config *config, const char *who, const char *action,
                    const char *subject) MUST_USE;

#endif
