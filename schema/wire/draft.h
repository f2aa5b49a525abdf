/* SPDX-License-Identifier: MIT */
/* draft.h - the JSON a device sends to post something: parsed and judged once, in the bridge. */
#ifndef BANTER_WIRE_DRAFT_H
#define BANTER_WIRE_DRAFT_H

#include "base/compiler.h"
#include "base/slice.h"
#include "wire/codes.h"
#include "wire/entry.h"
#include "wire/limits.h"

#include <stdint.h>

struct draft {
    struct slice id;      /* valid draft id, or empty when the JSON gave none that is valid */
    enum entry_kind kind; /* ENTRY_TEXT only, for now */
    struct slice text;    /* decoded UTF-8, without NUL */
    int64_t reply_to;     /* seq, or 0 */
    void *owner;          /* what the slices borrow from; freed by draft_finish() */
};

/* Parses `{"id":…,"text":…,"reply_to"?,"kind"?}`. Always fills *out (as far as could be read, so
 * that a receipt can name the id) and must be paired with draft_finish(). CODE_INVALID or
 * CODE_TOO_LARGE on bad input, and *reason then says in one sentence, in static storage, what is
 * wrong. Unknown members are ignored; unknown kinds are refused; nesting deeper than JSON_MAX_DEPTH
 * is refused. */
enum code draft_parse(struct draft *out, struct slice json, const char **reason) MUST_USE;
void draft_finish(struct draft *d);

/* Only the id, for a receipt about a payload that will not be looked at further. Writes at most
 * DRAFT_ID_MAX_BYTES and a NUL to `id`, or an empty string. */
void draft_peek_id(struct slice json, char id[DRAFT_ID_MAX_BYTES + 1]);

/* Writes a draft's JSON: for clients and tests. reply_to 0: none. */
struct buf;
void draft_write(struct buf *b, struct slice id, struct slice text, int64_t reply_to);

#endif
