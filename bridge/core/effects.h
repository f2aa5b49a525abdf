/* SPDX-License-Identifier: MIT */
/* effects.h - tells what a change committed, of members above all, and reads why one was
 * refused: the C side of schema/sql/0002_commands.sql. */
#ifndef BANTER_BRIDGE_EFFECTS_H
#define BANTER_BRIDGE_EFFECTS_H

#include "wire/codes.h"

#include <libpq-fe.h>
#include <stdint.h>

struct herald;

/* The select list of statements whose result effects_tell() and `enum effect_column` read. */
#define EFFECT_COLUMNS                                                                             \
    "conversation, conversation_kind, entry_kind, user_id, handle, role, seq, at, data"

enum effect_column {
    EFFECT_COLUMN_CONVERSATION,
    EFFECT_COLUMN_CONVERSATION_KIND,
    EFFECT_COLUMN_ENTRY_KIND, /* NULL: a membership */
    EFFECT_COLUMN_USER_ID,    /* NULL: every member */
    EFFECT_COLUMN_HANDLE,
    EFFECT_COLUMN_ROLE,
    EFFECT_COLUMN_SEQ,
    EFFECT_COLUMN_AT,
    EFFECT_COLUMN_DATA,
};

/* Tells the rows in their order: memberships before the entry they come with, so that
 * new members get that entry and removed ones do not. A membership of nobody (user_id NULL) is the
 * end of the conversation for all its members. `overtaken`: see herald_overtaken(). */
void effects_tell(struct herald *herald, const PGresult *result, bool overtaken);

/* The code of a refusal that a function of ours raised; CODE_OK for any other SQLSTATE. */
enum code effects_refusal(const char *sqlstate);

#endif
