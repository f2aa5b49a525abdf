/* SPDX-License-Identifier: MIT */
/* words.h - cuts text into the words that search compares. Pure.
 *
 * Text and queries must be cut by the same rules, so a change here makes every index row wrong: it
 * needs a migration that empties banter.search_progress.
 *
 * Compatibility forms and case are folded (NFKC_Casefold of Unicode). Words of scripts that write
 * spaces are taken whole, without stemming. Scripts that do not (Chinese, Japanese, Thai …), and
 * Korean, whose particles stick to the words, become overlapping pairs of characters; a text has
 * their single characters too. A pictograph is a word. Arabic and Hebrew vowel points count for
 * nothing, accents count. */
#ifndef BANTER_BRIDGE_WORDS_H
#define BANTER_BRIDGE_WORDS_H

#include "base/buf.h"
#include "base/compiler.h"

#include <stdbool.h>

enum {
    WORD_MAX_CHARACTERS = 64,  /* longer ones are cut, in text and query alike */
    WORDS_MAX_BYTES = 1000000, /* of one text; PostgreSQL takes 2^20 - 1. The rest is not found */
};

/* Appends the words of `text` to `out` as the input of a tsvector: 'one' 'two'. Nothing if there
 * are none. False: not UTF-8, or out of memory. */
bool words_of_text(struct slice text, struct buf *out) MUST_USE;
/* The same as the input of a tsquery that wants all of them: 'one' & 'two'. Whatever `text` holds,
 * the operators of tsquery among it, the result is well-formed. */
bool words_of_query(struct slice text, struct buf *out) MUST_USE;

#endif
