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

/* How much care is taken after PostgreSQL has refused a slice: enough to find the entry that it
 * refuses, and to go on without it. */
enum slice_care {
    SLICE_AS_USUAL,
    SLICE_SINGLE_ENTRY,
    SLICE_WITHOUT_WORDS, /* a single entry, which is not to be found */
};

struct index_slice {
    struct uuid conversations[SLICE_CONVERSATIONS_MAX];
    bool has_entries[SLICE_CONVERSATIONS_MAX]; /* so there may be more: see index_slice_read() */
    size_t count;
    enum slice_care care;
    size_t entries;
    struct uuid last_conversation; /* of the last entry */
    int64_t last_seq;
    bool is_cut; /* it ended before the last conversation's entries: `has_entries` is not known of
                    those after the last one that has some */
};

extern const struct db_statement index_slice_read_statement;
extern const struct db_statement index_slice_write_statement;

struct db_params *index_slice_read_params(const struct index_slice *s);
/* Takes the entries that were read and returns the parameters of the statement that records them,
 * or NULL if there were none. */
struct db_params *index_slice_read(struct index_slice *s, const PGresult *result);
/* True when conversation `i` is to be looked at again. */
bool index_slice_wants_more(const struct index_slice *s, size_t i);

#endif
