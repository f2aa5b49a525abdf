/* SPDX-License-Identifier: MIT */
/* signals.h - what devices tell each other in passing: typing, cursors, and what they say of
 * themselves. Never an entry, so nobody is told of one that is refused or lost but by its PUBACK.
 */
#ifndef BANTER_PLUGIN_SIGNALS_H
#define BANTER_PLUGIN_SIGNALS_H

#include "wire/frame.h"

#include <stdbool.h>

struct core;
struct session;

enum {
    SIGNALS_BURST = 20,       /* that a session may send at once */
    SIGNALS_INTERVAL_MS = 50, /* in which it may send one more */
};

/* send/{conversation}/{kind}. False: refused. */
bool signals_send(struct core *c, struct session *session, enum signal_kind kind,
                  const struct uuid *conversation, struct slice payload);
/* send/me/presence. False: refused. */
bool signals_presence(struct core *c, struct session *session, struct slice payload);
/* A signal from the bridge. */
void signals_out(struct core *c, const struct frame_signal_out *f);

#endif
