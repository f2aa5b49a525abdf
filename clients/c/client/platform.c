/* SPDX-License-Identifier: MIT */
/* platform.c - see platform.h. */
#include "client/platform.h"

#include "base/clock.h"

#include <sys/random.h>

enum { RETRY_AFTER_MAX_MS = 15 * 60 * 1000 }; /* no server can send a client away for days */

static uint64_t real_now(void *owner)
{
    (void)owner;
    return clock_monotonic_ms();
}

static int64_t real_wall(void *owner)
{
    (void)owner;
    return clock_wall_ms();
}

static uint64_t real_random(void *owner)
{
    uint64_t value;

    (void)owner;
    if (getrandom(&value, sizeof value, 0) == (ssize_t)sizeof value)
        return value;
    return clock_monotonic_us() * UINT64_C(0x9e3779b97f4a7c15); /* for waits this will do */
}

const struct platform platform_real = {real_now, real_wall, real_random, NULL};

uint64_t platform_below(const struct platform *p, uint64_t bound)
{
    return bound > 0 ? p->random(p->owner) % bound : 0;
}

uint64_t backoff_next(struct backoff *b, const struct platform *p, uint64_t last_ms,
                      uint64_t retry_after_ms)
{
    uint64_t bound = b->bound_ms > 0 ? b->bound_ms : BACKOFF_FIRST_MS;

    b->bound_ms = earlier(2 * bound, last_ms);
    return earlier(retry_after_ms, RETRY_AFTER_MAX_MS) + platform_below(p, earlier(bound, last_ms));
}

void backoff_reset(struct backoff *b)
{
    b->bound_ms = 0;
}
