/* SPDX-License-Identifier: MIT */
/* foresight.h - which drafts of a swift batch need no look-up, because the writer remembers what it
 * would find: their seqs are given here, and PostgreSQL only compares. And what there is to
 * remember in the answers about the others. */
#ifndef BANTER_BRIDGE_INGEST_FORESIGHT_H
#define BANTER_BRIDGE_INGEST_FORESIGHT_H

#include "core/ingest/batch.h"
#include "core/ingest/heads.h"

#include <stdbool.h>
#include <stdint.h>

/* Parts the rows of a batch that has its number into those known and those to be looked up; all
 * are looked up unless it is swift. `heads` is borrowed for the batch's life. */
void foresight_part(struct batch *b, struct heads *heads);
/* The draft, looked up by a swift batch, is stored if the batch commits; `rights` is what the
 * conversation's were. Not for channels, where taking a right may leave no trace. */
void foresight_learn(const struct batch *b, const struct submission *s, uint64_t rights);
/* The batch was not committed: nothing is known of its conversations. */
void foresight_fail(const struct batch *b);
/* Nor will it be for a while, of those that were supposed to be known. */
void foresight_distrust(const struct batch *b);

#endif
