/* SPDX-License-Identifier: MIT */
/* window.h - which entries of one conversation a device has. Pure.
 *
 * Everything up to `position` is there. Of the WINDOW_SPAN entries after it, which may come in any
 * order, is known which are there; what comes from beyond them is not remembered, and a sync, which
 * asks after `position`, brings it again. */
#ifndef BANTER_CHAOS_WINDOW_H
#define BANTER_CHAOS_WINDOW_H

#include <stdint.h>

enum { WINDOW_SPAN = 2048 }; /* a power of two */

struct window {
    int64_t position; /* 0: nothing yet */
    uint64_t bits[WINDOW_SPAN / 64];
};

enum window_mark {
    WINDOW_NEW,   /* it was missing */
    WINDOW_KNOWN, /* it was there already */
    WINDOW_FAR,   /* beyond the span: not remembered */
};

void window_init(struct window *w);
/* The entry `seq` (from 1 on) has come. */
enum window_mark window_mark(struct window *w, int64_t seq);
/* The first of the missing entries that stand directly before `seq`; `seq` itself if none is. */
int64_t window_hole_before(const struct window *w, int64_t seq);

#endif
