/* SPDX-License-Identifier: MIT */
/* ingest.h - what devices publish: judged from memory and passed on to the bridge.
 *
 * The plugin refuses only what is certain without PostgreSQL; the bridge judges again. */
#ifndef BANTER_PLUGIN_INGEST_H
#define BANTER_PLUGIN_INGEST_H

#include "base/slice.h"
#include "wire/codes.h"

#include <stdbool.h>

struct core;
struct session;

/* MESSAGE of a device, on a topic that acl_may_publish() allows. False: refused (0x87), and the
 * device has been told. */
bool ingest_message(struct core *c, struct session *session, struct slice topic,
                    struct slice payload);
/* The receipt for a publish that is not taken; nothing when the topic is not under send/, or is a
 * signal's. */
void ingest_refuse(struct core *c, struct session *session, struct slice topic,
                   struct slice payload, enum code code, const char *reason);

#endif
