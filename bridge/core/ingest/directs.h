/* SPDX-License-Identifier: MIT */
/* directs.h - which direct conversations are known to exist, so that the hot path need not ask.
 *
 * A table of one slot per hash: a newcomer takes its slot from whoever had it. Forgetting costs one
 * look-up in the next batch, and memory stays what it is. */
#ifndef BANTER_BRIDGE_INGEST_DIRECTS_H
#define BANTER_BRIDGE_INGEST_DIRECTS_H

#include "base/uuid.h"

#include <stdbool.h>

enum { DIRECTS_SLOTS = 1 << 16 }; /* 1 MiB */

struct directs {
    struct uuid *slots;
};

void directs_init(struct directs *d);
void directs_finish(struct directs *d);
bool directs_is_known(const struct directs *d, const struct uuid *conversation);
void directs_remember(struct directs *d, const struct uuid *conversation);

#endif
