/* SPDX-License-Identifier: MIT */
/* operator.h - what an operator asks of the database from the command line. Blocking: for a process
 * that does nothing else. */
#ifndef BANTER_BRIDGE_OPERATOR_H
#define BANTER_BRIDGE_OPERATOR_H

#include "base/compiler.h"

#include <stdbool.h>

/* Whether there is such an action on pushes that were given up: "list", "requeue", "drop". */
bool operator_push_has(const char *action) MUST_USE;
/* Does it and prints what came of it. `registration`: only those of this one; NULL: all. False
 * after logging why not. */
bool operator_push(const char *dsn, const char *action, const char *registration) MUST_USE;

#endif
