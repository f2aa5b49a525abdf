/* SPDX-License-Identifier: MIT */
/* backoff.h - how long a push that failed in passing waits for its next attempt. */
#ifndef BANTER_BRIDGE_PUSH_BACKOFF_H
#define BANTER_BRIDGE_PUSH_BACKOFF_H

#include <stdint.h>

enum {
    PUSH_BACKOFF_MAX_MS = 10 * 60 * 1000, /* of ours; a provider may ask for more */
};

/* After `attempts` (1 or more) that failed: `first_ms` doubled by each, and of that between a half
 * and the whole by chance, so that what failed together does not come again together. Never less
 * than what the provider asked for (-1: nothing). */
uint64_t push_backoff_ms(unsigned first_ms, unsigned attempts, int64_t retry_after_ms);

#endif
