/* SPDX-License-Identifier: MIT */
/* requests.h - what a device asks for itself alone: commands and syncs. They go to the bridge while
 * it is there; otherwise the answer is `unavailable`, at once. */
#ifndef BANTER_PLUGIN_REQUESTS_H
#define BANTER_PLUGIN_REQUESTS_H

#include "base/slice.h"
#include "ingest.h"

struct core;
struct session;

/* send/me/sync. Unless it is taken the device has been told. */
enum ingest_answer requests_sync(struct core *c, struct session *session,
                                 struct slice payload) MUST_USE;

/* CONTROL on $CONTROL/chat/v1; `response_topic` and `correlation` are MQTT 5 properties, or
 * empty. */
void requests_control(struct core *c, struct session *session, struct slice response_topic,
                      struct slice correlation, struct slice payload);

/* What was passed on and is not answered will not be: the devices are told, `unavailable`. A
 * command may have been carried out all the same. */
void requests_link_lost(struct core *c);

#endif
