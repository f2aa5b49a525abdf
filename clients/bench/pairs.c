/* SPDX-License-Identifier: MIT */
/* pairs.c - many conversations of two: the cost of one durable message. */
#include "scenario.h"

#include <stdio.h>

bool scenario_pairs(const struct options *o)
{
    struct cast cast;
    char title[128];

    if (!cast_pairs(&cast, o->pairs))
        return false;
    if (o->rate > 0)
        snprintf(title, sizeof(title), "%u pairs, texts of %u bytes, %u messages/s", o->pairs,
                 o->size, o->rate);
    else
        snprintf(title, sizeof(title), "%u pairs, texts of %u bytes, saturated", o->pairs, o->size);
    return rounds_run(o, "pairs", title, &cast);
}
