/* SPDX-License-Identifier: MIT */
/* refused_draft.h - the line that the log has for a draft that was refused, by whatever way it
 * came. */
#ifndef BANTER_BRIDGE_REFUSED_DRAFT_H
#define BANTER_BRIDGE_REFUSED_DRAFT_H

#include "base/slice.h"
#include "core/ingest.h"

struct refused_draft {
    const char *request; /* over HTTP; or NULL */
    struct slice user;   /* the sender's handle */
    struct slice device; /* over MQTT; or empty */
    struct slice target; /* as the sender named it: a conversation's id, or @handle */
    struct slice id;     /* as far as it could be read */
    const struct ingest_outcome *outcome;
};

/* Strangers bring these about: so many a minute, and how many were left out. */
void refused_draft_log(const struct refused_draft *d);

#endif
