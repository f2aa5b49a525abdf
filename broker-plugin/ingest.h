/* SPDX-License-Identifier: MIT */
/* ingest.h - what devices publish: judged from memory and passed on to the bridge.
 *
 * The plugin refuses only what is certain without PostgreSQL; the bridge judges again. */
#ifndef BANTER_PLUGIN_INGEST_H
#define BANTER_PLUGIN_INGEST_H

#include "base/compiler.h"
#include "base/slice.h"
#include "wire/codes.h"

struct core;
struct session;

enum ingest_answer {
    INGEST_REFUSED = 0,
    INGEST_TAKEN,
    INGEST_LIMITED, /* refused for being too much */
};

/* MESSAGE of a device, on a topic that acl_may_publish() allows. Unless it is taken the device has
 * been told. */
enum ingest_answer ingest_message(struct core *c, struct session *session, struct slice topic,
                                  struct slice payload) MUST_USE;
/* The receipt for a publish that is not taken; nothing when the topic is not under send/, or is a
 * signal's. */
void ingest_refuse(struct core *c, struct session *session, struct slice topic,
                   struct slice payload, enum code code, const char *reason);

#endif
