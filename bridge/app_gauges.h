/* SPDX-License-Identifier: MIT */
/* app_gauges.h - what administrators are told of the running bridge: see getStats. */
#ifndef BANTER_BRIDGE_APP_GAUGES_H
#define BANTER_BRIDGE_APP_GAUGES_H

struct cluster;
struct command_gauges;
struct ingest;
struct presence;

/* Who is counted; all borrowed. */
struct app_gauges {
    const struct presence *presence;
    const struct ingest *ingest;
    const struct cluster *cluster; /* NULL: this node is alone */
};

/* `owner` is a struct app_gauges. */
void app_read_gauges(void *owner, struct command_gauges *out);

#endif
