/* SPDX-License-Identifier: MIT */
/* draft_text.h - what a draft says and what its id is. Pure.
 *
 * Both follow from the device, the conversation and the number alone, so that a draft published
 * again, even long after its receipt, is the same byte for byte without having been kept. */
#ifndef BANTER_CHAOS_DRAFT_TEXT_H
#define BANTER_CHAOS_DRAFT_TEXT_H

#include "base/buf.h"
#include "base/compiler.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>

/* Appends `handle/name n` and filler, most often 50 to 300 bytes, seldom 10,000 and very seldom
 * 100,000 characters in all. `seed` differs between devices and conversations. */
void draft_text_write(struct buf *b, struct slice device, uint64_t seed, uint64_t n);
/* Reads the number back. False: not such a text. */
bool draft_text_number(struct slice text, uint64_t *n) MUST_USE;

/* Appends `name-run-n`. `run` keeps two runs on one database apart. */
void draft_id_write(struct buf *b, struct slice device_name, uint32_t run, uint64_t n);
/* False: not the id of such a draft. */
bool draft_id_read(struct slice id, struct slice device_name, uint32_t run, uint64_t *n) MUST_USE;

/* FNV-1a, 64 bits (Fowler, Noll and Vo): what the log says of a text. */
uint64_t draft_text_hash(struct slice text);

#endif
