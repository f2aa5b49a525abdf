/* SPDX-License-Identifier: MIT */
/* backoff.c - see backoff.h. */
#include "core/push/backoff.h"

#include <assert.h>
#include <event2/util.h>

enum { DOUBLINGS_MAX = 20 };

uint64_t push_backoff_ms(unsigned first_ms, unsigned attempts, int64_t retry_after_ms)
{
    unsigned doublings = attempts - 1 < DOUBLINGS_MAX ? attempts - 1 : DOUBLINGS_MAX;
    uint64_t wait_ms = (uint64_t)first_ms << doublings;
    uint32_t chance;

    assert(attempts > 0);
    if (wait_ms > PUSH_BACKOFF_MAX_MS)
        wait_ms = PUSH_BACKOFF_MAX_MS;
    evutil_secure_rng_get_bytes(&chance, sizeof chance);
    wait_ms -= chance % (wait_ms / 2 + 1);
    if (retry_after_ms > 0 && wait_ms < (uint64_t)retry_after_ms)
        wait_ms = (uint64_t)retry_after_ms + chance % (wait_ms / 4 + 1);
    return wait_ms;
}
