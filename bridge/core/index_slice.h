/* SPDX-License-Identifier: MIT */
/* index_slice.h - one slice of the indexer's work: some conversations, their next entries, and the
 * statement that records what these come to. Pure but for what it reads from query results. */
#ifndef BANTER_BRIDGE_INDEX_SLICE_H
#define BANTER_BRIDGE_INDEX_SLICE_H

#include "base/buf.h"
#include "base/uuid.h"
#include "db/db.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SLICE_CONVERSATIONS_MAX = 32 };

/* What one slice may hold. While people write they wait behind each burst of work, the bridge's and
 * PostgreSQL's; a slice costs what it costs beside its entries, so a backlog is worked off in long
 * ones. */
enum slice_size { SLICE_LONG, SLICE_SHORT };

/* How much care is taken after PostgreSQL has refused a slice: enough to find the entry that it
 * refuses, and to go on without it. */
enum slice_care {
    SLICE_AS_USUAL,
    SLICE_SINGLE_ENTRY,
    SLICE_WITHOUT_WORDS, /* a single entry, which is not to be found */
};

struct index_slice {
    struct uuid conversations[SLICE_CONVERSATIONS_MAX];
    bool wants_more[SLICE_CONVERSATIONS_MAX]; /* or may: see index_slice_wants_more() */
    size_t count;                             /* at most index_slice_conversations_max() */
    enum slice_size size;
    enum slice_care care;
    size_t entries;
    struct uuid last_conversation; /* of the last entry */
    int64_t last_seq;
};

extern const struct db_statement index_slice_read_statement;
extern const struct db_statement index_slice_write_statement;

size_t index_slice_conversations_max(enum slice_size size);
struct db_params *index_slice_read_params(const struct index_slice *s);
/* Takes the entries that were read and returns the parameters of the statement that records them,
 * or NULL if there were none. */
struct db_params *index_slice_read(struct index_slice *s, const PGresult *result);
/* Takes what the statement that recorded them says: where another node was faster. */
void index_slice_written(struct index_slice *s, const PGresult *result);
/* True when conversation `i` is to be looked at again: the slice ended at its bounds before the
 * conversation's entries did, or another node was faster. Entries stored since it was read are
 * noted by themselves. */
bool index_slice_wants_more(const struct index_slice *s, size_t i);

#endif
