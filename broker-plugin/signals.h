/* SPDX-License-Identifier: MIT */
/* signals.h - what devices tell each other in passing: typing, cursors, and what they say of
 * themselves. Never an entry, so nobody is told of one that is refused or lost but by its PUBACK.
 */
#ifndef BANTER_PLUGIN_SIGNALS_H
#define BANTER_PLUGIN_SIGNALS_H

#include "ingest.h"
#include "wire/frame.h"

struct core;
struct session;

/* send/{conversation}/{kind} */
enum ingest_answer signals_send(struct core *c, struct session *session, enum signal_kind kind,
                                const struct uuid *conversation, struct slice payload) MUST_USE;
/* send/me/presence */
enum ingest_answer signals_presence(struct core *c, struct session *session,
                                    struct slice payload) MUST_USE;
/* A signal from the bridge. */
void signals_out(struct core *c, const struct frame_signal_out *f);

#endif
