/* SPDX-License-Identifier: MIT */
/* announce.h - tells the bridge which devices are here (SESSION frames): at once when one comes or
 * goes, and all of them, a part in each turn, after the link came up. */
#ifndef BANTER_PLUGIN_ANNOUNCE_H
#define BANTER_PLUGIN_ANNOUNCE_H

#include "base/compiler.h"
#include "wire/frame.h"

#include <stdbool.h>

struct core;
struct session;

void announce_opened(struct core *c, const struct session *session);
/* Before the session is closed. */
void announce_closing(struct core *c, const struct session *session);
/* The device says what it is. False: the bridge cannot be told now. */
bool announce_said(struct core *c, struct session *session, enum session_state state) MUST_USE;

void announce_link_up(struct core *c);
void announce_turn(struct core *c);
/* Whether some devices are still to be told. */
bool announce_is_busy(const struct core *c);

#endif
