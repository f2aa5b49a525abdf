/* SPDX-License-Identifier: MIT */
/* bell.h - the doorbell: an empty QoS 0 publish that wakes the broker's loop, so that the plugin
 * reads its socket at once instead of at the next TICK.
 *
 * A bell that is not connected, or not heard, costs at most one TICK (100 ms), never data. So
 * failures are only logged, and the connection is tried again with back-off. */
#ifndef BANTER_BRIDGE_BELL_H
#define BANTER_BRIDGE_BELL_H

#include "base/compiler.h"

#include <stdbool.h>

struct bell;
struct event_base;

/* `broker`: path of the broker's Unix listener, or host:port. `key`: the link key, which is the
 * bell's password. Both are copied. NULL: out of memory, or `broker` is neither. */
struct bell *bell_create(struct event_base *base, const char *broker, const char *key) MUST_USE;
void bell_destroy(struct bell *b);
/* Rings once. Rings that meet a connection under way, or a ring that is not sent yet, merge. */
void bell_ring(struct bell *b);
bool bell_is_connected(const struct bell *b);

#endif
