/* SPDX-License-Identifier: MIT */
/* stats.h - counters since the plugin was loaded; logged when the link is lost and at the end. */
#ifndef BANTER_PLUGIN_STATS_H
#define BANTER_PLUGIN_STATS_H

#include "wire/codes.h"
#include "wire/frame.h"

#include <stdint.h>

struct stats {
    uint64_t logins;
    uint64_t logins_refused;
    uint64_t drafts;                     /* put into the ring */
    uint64_t refused[CODE_INTERNAL + 1]; /* drafts, by enum code */
    uint64_t requests;
    uint64_t delivered; /* messages given to the broker for one connection */
    uint64_t lost;      /* deliveries that failed for lack of memory */
    uint64_t repeated;  /* entries that had been delivered before */
    uint64_t held;      /* entries that came too early */
    uint64_t fills;
    uint64_t sliced;              /* entries and messages delivered over several turns */
    uint64_t signals;             /* passed on to the bridge */
    uint64_t signals_dropped;     /* no time to hand them out */
    struct frame_limited limited; /* refused for being too much: see rates.h */
    uint64_t watches;             /* presence subscriptions taken */
    uint64_t links;               /* times the link came up */
    uint64_t kicks;
};

/* Writes one line to the broker's log. */
void stats_log(const struct stats *s);

#endif
