/* SPDX-License-Identifier: MIT */
/* chat_rig.h - a chat without terminal, network and clock: news and keys go in, wishes and rows of
 * the screen come out. The user is alice, the time zone UTC, the day 2026-11-22, noon. */
#ifndef BANTER_TESTS_UNIT_CHAT_RIG_H
#define BANTER_TESTS_UNIT_CHAT_RIG_H

#include "chat/grid.h"
#include "chat/model.h"

#define BOB "0190f3a1-0000-7000-8000-000000000001"
#define TEAM "0190f3a1-0000-7000-8000-000000000002"

struct rig {
    struct model model;
    struct grid grid;
    struct wish last; /* that rig_expect() took */
    char row[4096];
};

int rig_setup(void **state);
int rig_teardown(void **state);

/* Each is followed by a tick. Quotes in JSON are written ' here. */
void rig_state(struct rig *r, enum banter_connection connection, const char *reason);
void rig_entry(struct rig *r, const char *json);
void rig_event(struct rig *r, const char *json);
/* Answers the oldest wish of this kind, which must be there; wishes before it are dropped. */
void rig_answer(struct rig *r, enum wish_kind kind, const char *json);
void rig_refuse(struct rig *r, enum wish_kind kind, int error);
void rig_hear(struct rig *r, const struct news *news);
/* Text; \t, \r and \x1b are the keys Tab, Enter and Esc, \b is Backspace. */
void rig_type(struct rig *r, const char *text);
void rig_press(struct rig *r, enum press_code code);
void rig_alt(struct rig *r, wchar_t letter);
void rig_control(struct rig *r, wchar_t letter);
void rig_pass(struct rig *r, unsigned ms);

/* Takes wishes up to the first of this kind, into r->last; fails if there is none. */
void rig_expect(struct rig *r, enum wish_kind kind);
/* Fails if one of this kind is there; drops all. */
void rig_expect_none(struct rig *r, enum wish_kind kind);

/* Online, with bob (two unread) and Team in the list. */
void rig_begin(struct rig *r);
/* And bob's conversation open, with two messages of his. */
void rig_open_bob(struct rig *r);
/* A row of the screen as text. */
const char *rig_row(struct rig *r, int row);
bool rig_shows(struct rig *r, const char *text);

#endif
