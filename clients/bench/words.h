/* SPDX-License-Identifier: MIT */
/* words.h - what the messages of the bench say: words, because what repeats a single byte would be
 * compressed and indexed like no message ever is. Nothing in them needs an escape, neither in JSON
 * nor in XML nor in an array of PostgreSQL's. */
#ifndef BANTER_BENCH_WORDS_H
#define BANTER_BENCH_WORDS_H

#include "base/buf.h"

/* Appends a text of so many bytes. */
void words_put(struct buf *b, unsigned bytes);

#endif
