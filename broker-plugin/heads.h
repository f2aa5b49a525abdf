/* SPDX-License-Identifier: MIT */
/* heads.h - me/heads: how far the conversations have come in which something was handed out, so
 * that a device notices even that it lost the last entry. */
#ifndef BANTER_PLUGIN_HEADS_H
#define BANTER_PLUGIN_HEADS_H

struct core;

enum {
    HEADS_INTERVAL_MS = 30000, /* from the first entry handed out since the last one */
    HEADS_SCAN_MS = 100,       /* between two parts of a scan */
    HEADS_SCAN_ROUNDS = 50,    /* parts that a whole scan is cut into: 5 s */
    HEADS_CHUNK_BYTES = 60 << 10,
};

/* Looks at some users; the next call goes on with the next ones. */
void heads_scan(struct core *c);

#endif
