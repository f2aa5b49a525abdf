/* SPDX-License-Identifier: MIT */
/* platform.h - time and chance, so that tests have their own. */
#ifndef BANTER_CLIENT_PLATFORM_H
#define BANTER_CLIENT_PLATFORM_H

#include <stdint.h>

#define NEVER UINT64_MAX /* a deadline that does not come */

struct platform {
    uint64_t (*now_ms)(void *owner); /* monotonic */
    int64_t (*wall_ms)(void *owner); /* since 1970 */
    uint64_t (*random)(void *owner); /* 64 bits */
    void *owner;
};

/* The machine's. */
extern const struct platform platform_real;

static inline uint64_t platform_now(const struct platform *p)
{
    return p->now_ms(p->owner);
}

static inline int64_t platform_wall(const struct platform *p)
{
    return p->wall_ms(p->owner);
}

/* Evenly from 0 to below `bound`; 0 if that is 0. */
uint64_t platform_below(const struct platform *p, uint64_t bound);

/* How long to wait before trying again: drawn evenly from 0 to a bound that doubles ("full
 * jitter"), so that those whom one failure threw out together do not come back together. */
struct backoff {
    uint64_t bound_ms; /* of the next wait; 0: the first one */
};

enum {
    BACKOFF_FIRST_MS = 500,
    BACKOFF_LAST_MS = 60000,
};

/* The next wait; never shorter than what the server asked for, and below last_ms beyond that. */
uint64_t backoff_next(struct backoff *b, const struct platform *p, uint64_t last_ms,
                      uint64_t retry_after_ms);
/* It worked: the next wait is a first one. */
void backoff_reset(struct backoff *b);

static inline uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

#endif
