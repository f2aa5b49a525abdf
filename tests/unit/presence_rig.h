/* SPDX-License-Identifier: MIT */
/* presence_rig.h - a roster's clock, and what it has told and wanted written, as text; for the
 * tests that look at it from several sides. */
#ifndef BANTER_TESTS_PRESENCE_RIG_H
#define BANTER_TESTS_PRESENCE_RIG_H

#include "unit/unit.h"

#include "core/presence/roster.h"

enum { GRACE_MS = 30000, BOB = 2, CAROL = 3 };

extern struct roster *roster;
extern uint64_t now_ms;
extern char told[4096];    /* what others were shown, such as "bob online; " */
extern char written[4096]; /* what was to be written */
extern unsigned unknown_count;

/* Turns the clock: to, and on by. */
struct roster_time at(uint64_t ms);
struct roster_time later(uint64_t ms);

/* Appends the text to the log. */
void rig_note(char *log, size_t capacity, const char *text);

/* What the roster calls. */
void on_shown(void *owner, const struct roster_view *view);
void on_unknown(void *owner, uint64_t uid);
void on_seen(void *owner, uint64_t uid, int64_t at_ms);
void on_hidden(void *owner, uint64_t uid, bool hidden, int64_t at_ms);

/* Empties both logs. */
void forget(void);

#endif
