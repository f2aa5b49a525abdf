/* SPDX-License-Identifier: MIT */
/* names.h - handles, devices and client ids: the only alphabet that reaches a topic or a query.
 * Draft ids and emojis are judged here too; they reach neither. */
#ifndef BANTER_WIRE_NAMES_H
#define BANTER_WIRE_NAMES_H

#include "base/slice.h"
#include "base/uuid.h"

#include <stdbool.h>

/* [a-z0-9][a-z0-9._-]{1,31} */
bool handle_is_valid(struct slice handle);
/* [A-Za-z0-9_-]{1,32} */
bool device_is_valid(struct slice device);
/* Valid UTF-8 of 1..DRAFT_ID_MAX_CHARACTERS code points, none of them a control character (C0, DEL,
 * C1). */
bool draft_id_is_valid(struct slice id);
/* What a reaction shows: valid UTF-8 of 1..EMOJI_MAX_CHARACTERS code points, none of them a control
 * character. Whether it is an emoji is for those who draw it. */
bool emoji_is_valid(struct slice emoji);
/* Splits `handle/device`; both slices borrow from client_id. False unless both are valid. */
bool client_id_split(struct slice client_id, struct slice *handle, struct slice *device);

/* The id of the direct conversation of two users (docs/architecture.md, "Identifiers"); the order
 * of the handles, which must be valid, does not matter. Equal handles give the user's notes to
 * self. Out of memory: the nil UUID, which no conversation has. */
struct uuid direct_conversation_id(struct slice handle_a, struct slice handle_b);

#endif
