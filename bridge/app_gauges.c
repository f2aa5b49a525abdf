/* SPDX-License-Identifier: MIT */
/* app_gauges.c - see app_gauges.h. */
#include "app_gauges.h"

#include "core/cluster.h"
#include "core/commands.h"
#include "core/ingest.h"
#include "core/presence.h"

void app_read_gauges(void *owner, struct command_gauges *out)
{
    const struct app_gauges *g = owner;
    struct cluster_stats cluster = {.nodes = 1};
    struct ingest_stats ingest;

    if (g->cluster)
        cluster_get_stats(g->cluster, &cluster);
    ingest_get_stats(g->ingest, &ingest);
    *out = (struct command_gauges){
        .devices = presence_devices(g->presence),
        .users_online = presence_count(g->presence),
        .nodes = cluster.nodes,
        .drafts_waiting = ingest.queued,
    };
}
