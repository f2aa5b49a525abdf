/* SPDX-License-Identifier: MIT */
/* emission.h - what leaves for the plugin once a draft is committed, and never before. */
#ifndef BANTER_BRIDGE_INGEST_EMISSION_H
#define BANTER_BRIDGE_INGEST_EMISSION_H

#include "base/buf.h"
#include "core/ingest/directs.h"
#include "core/ingest/submission.h"

struct herald;

struct emission {
    struct herald *herald;
    struct directs *directs; /* borrowed */
    struct buf json;         /* scratch */
};

void emission_init(struct emission *e, struct herald *herald, struct directs *directs);
void emission_finish(struct emission *e);
/* Writes the MEMBER frames that the entry needs, and the ENTRY. So too for an entry that had been
 * stored before, as nobody can know whether it was written then, by this bridge or one before it:
 * the plugin drops what it has delivered. */
void emission_write(struct emission *e, const struct submission *s);

#endif
