/* SPDX-License-Identifier: MIT */
/* plain_draft.h - reads the drafts that nearly all drafts are, without a JSON library: an object of
 * the two strings `id` and `text`, in either order, without escapes. Whatever is not exactly that,
 * good or bad, is for draft_parse()'s other way; so this one knows no reasons. */
#ifndef BANTER_WIRE_PLAIN_DRAFT_H
#define BANTER_WIRE_PLAIN_DRAFT_H

#include "base/compiler.h"
#include "base/slice.h"

#include <stdbool.h>

/* True: `json` is such an object (RFC 8259), but for the UTF-8 of its strings, which is not looked
 * at; *id and *text are what is between the quotes, borrowed from `json`. False: they are
 * undefined. */
bool plain_draft_read(struct slice json, struct slice *id, struct slice *text) MUST_USE;

#endif
