/* SPDX-License-Identifier: MIT */
/* stats.c - see stats.h. */
#include "stats.h"

#include "broker.h"

#include <inttypes.h>

void stats_log(const struct stats *s)
{
    uint64_t refused = 0;

    for (unsigned code = 0; code <= CODE_INTERNAL; code++)
        refused += s->refused[code];
    broker_log(
        BROKER_INFO,
        "logins=%" PRIu64 " logins_refused=%" PRIu64 " drafts=%" PRIu64 " refused=%" PRIu64
        " unavailable=%" PRIu64 " out_of_order=%" PRIu64 " requests=%" PRIu64 " delivered=%" PRIu64
        " lost=%" PRIu64 " repeated=%" PRIu64 " held=%" PRIu64 " fills=%" PRIu64 " sliced=%" PRIu64
        " signals=%" PRIu64 " signals_dropped=%" PRIu64 " limited_drafts=%" PRIu64
        " limited_requests=%" PRIu64 " limited_signals=%" PRIu64 " limited_connections=%" PRIu64
        " watches=%" PRIu64 " links=%" PRIu64 " kicks=%" PRIu64,
        s->logins, s->logins_refused, s->drafts, refused, s->refused[CODE_UNAVAILABLE],
        s->refused[CODE_OUT_OF_ORDER], s->requests, s->delivered, s->lost, s->repeated, s->held,
        s->fills, s->sliced, s->signals, s->signals_dropped, s->limited.drafts, s->limited.requests,
        s->limited.signals, s->limited.connections, s->watches, s->links, s->kicks);
}
