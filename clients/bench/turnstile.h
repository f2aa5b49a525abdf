/* SPDX-License-Identifier: MIT */
/* turnstile.h - what it costs to join and to leave a large channel, against the same in a small
 * one: the same user, over HTTP, in turns. */
#ifndef BANTER_BENCH_TURNSTILE_H
#define BANTER_BENCH_TURNSTILE_H

#include "base/compiler.h"
#include "metrics.h"

#include <stdbool.h>

struct turnstile {
    const char *http;  /* URL of the bridge */
    const char *token; /* of a user who is in neither */
    const char *large; /* the channels' ids */
    const char *small;
    unsigned rounds; /* of one join and one leave in each */
};

/* False: said why on stderr. */
bool turnstile_measure(const struct turnstile *t, struct measurement *m) MUST_USE;

#endif
