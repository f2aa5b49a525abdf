/* SPDX-License-Identifier: MIT */
/* draft.h - the JSON a device sends to post something: parsed and judged once, in the bridge. */
#ifndef BANTER_WIRE_DRAFT_H
#define BANTER_WIRE_DRAFT_H

#include "base/compiler.h"
#include "base/slice.h"
#include "wire/codes.h"
#include "wire/entry.h"
#include "wire/limits.h"

#include <stdbool.h>
#include <stdint.h>

struct draft {
    struct slice id;      /* valid draft id, or empty when the JSON gave none that is valid */
    enum entry_kind kind; /* ENTRY_TEXT, ENTRY_EDIT, ENTRY_DELETE or ENTRY_REACTION */
    struct slice text;    /* decoded UTF-8, without NUL; of a reaction, the emoji; or empty */
    int64_t reply_to;     /* of a text: seq, or 0 */
    int64_t target;       /* of the other kinds: seq; else 0 */
    bool remove;          /* a reaction: take it back */
    void *owner;          /* freed by draft_finish(), or NULL */
};

/* Parses
 *   {"id":…,"text":…,"reply_to"?,"kind":"text"?}
 *   {"id":…,"kind":"edit","target":…,"text":…}
 *   {"id":…,"kind":"delete","target":…}
 *   {"id":…,"kind":"reaction","target":…,"emoji":…,"remove"?}
 * Always fills *out (as far as could be read, so that a receipt can name the id) and must be paired
 * with draft_finish(). The slices borrow from `json` and from `owner`. CODE_INVALID or
 * CODE_TOO_LARGE on bad input, and *reason then says in one sentence, in static storage, what is
 * wrong. Members that the kind does not have are ignored; unknown kinds are refused; nesting
 * deeper than JSON_MAX_DEPTH is refused. */
enum code draft_parse(struct draft *out, struct slice json, const char **reason) MUST_USE;
/* The same, but always with the JSON library, which draft_parse() spares plain drafts (see
 * plain_draft.h). Tests hold one against the other. */
enum code draft_parse_json(struct draft *out, struct slice json, const char **reason) MUST_USE;
void draft_finish(struct draft *d);

/* Only the id, for a receipt about a payload that will not be looked at further. Writes at most
 * DRAFT_ID_MAX_BYTES and a NUL to `id`, or an empty string. Allocates nothing. */
void draft_peek_id(struct slice json, char id[DRAFT_ID_MAX_BYTES + 1]);

/* Writes the draft's JSON, as draft_parse() reads it. */
struct buf;
void draft_write(struct buf *b, const struct draft *d);

#endif
