/* SPDX-License-Identifier: MIT */
/* group.c - one conversation with many members online: the cost of one delivery. */
#include "scenario.h"

#include <stdio.h>

bool scenario_group(const struct options *o)
{
    struct cast cast;
    char title[160];
    char rate[32] = "saturated";

    if (!cast_group(&cast, o->members, o->senders))
        return false;
    if (o->rate > 0)
        snprintf(rate, sizeof(rate), "%u messages/s", o->rate);
    snprintf(title, sizeof(title), "a group of %u, %u of whom send, texts of %u bytes, %s",
             o->members, o->senders, o->size, rate);
    return rounds_run(o, "group", title, &cast);
}
