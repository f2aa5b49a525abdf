/* SPDX-License-Identifier: MIT */
/* broadcast.c - a channel with all its members online, whose owner posts as fast as it goes: what a
 * fan-out costs beside the subscriptions of a bare broker. channel.c has the channel that posts
 * while others talk. */
#include "scenario.h"

#include <stdio.h>

bool scenario_broadcast(const struct options *o)
{
    struct cast cast;
    char title[160];
    char rate[32] = "saturated";

    if (!cast_channel(&cast, o->members, o->members))
        return false;
    if (o->rate > 0)
        snprintf(rate, sizeof(rate), "%u posts/s", o->rate);
    snprintf(title, sizeof(title), "a channel of %u, all online, texts of %u bytes, %s", o->members,
             o->size, rate);
    return rounds_run(o, "broadcast", title, &cast);
}
