/* SPDX-License-Identifier: MIT */
/* vapid.h - the key with which this server proves to the push services of browsers who it is
 * (RFC 8292). Browsers subscribe with its public half, so losing it ends all their subscriptions.
 */
#ifndef BANTER_BRIDGE_PUSH_VAPID_H
#define BANTER_BRIDGE_PUSH_VAPID_H

#include "base/compiler.h"

#include <stdbool.h>

/* Makes the key, and the directory, if the file is not there, for its owner alone. Safe when
 * several start at once. False after logging. Blocking: for start-up only. */
bool push_vapid_ensure(const char *directory, const char *path) MUST_USE;

#endif
