/* SPDX-License-Identifier: MIT */
/* sync_chunk.h - some of a user's conversations, read in one query, and the JSON of each. */
#ifndef BANTER_BRIDGE_SYNC_CHUNK_H
#define BANTER_BRIDGE_SYNC_CHUNK_H

#include "base/compiler.h"
#include "base/uuid.h"
#include "db/db.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;

struct sync_target {
    struct uuid conversation;
    int64_t cursor; /* SYNC_NO_CURSOR: none */
};

struct sync_chunk {
    uint64_t uid;
    const struct sync_target *targets; /* borrowed */
    size_t target_count;
    unsigned limit; /* entries of each conversation; 0: none */
    bool folded;    /* show what they come to, see sync.h */
    unsigned group_members_max;
    size_t bytes_max; /* texts of all of them; the first entry is given whatever its size */
    const PGresult *result;
    int row; /* the next to read */
};

struct sync_conversation {
    size_t target; /* index */
    int head_row;
    int entry_row;   /* the first */
    int entry_count; /* of the log; the folded view does not show all of them */
    bool cut;  /* bytes_max took entries that `limit` would have given, here and from here on */
    bool more; /* there are further entries, newer or (no cursor) older */
};

/* Asks for the chunk. False: no database; no reply. */
bool sync_chunk_ask(const struct sync_chunk *chunk, struct db_pool *pool, db_reply_fn *reply,
                    void *owner) MUST_USE;
/* Begins to read the reply's result. */
void sync_chunk_read(struct sync_chunk *chunk, const PGresult *result);
/* The next conversation; targets that the user is no longer in are left out. False at the end. */
bool sync_chunk_next(struct sync_chunk *chunk, struct sync_conversation *out) MUST_USE;
/* Drops what does not fit into `room` bytes of JSON, the least wanted first; with room > 0 it keeps
 * at least one entry. Returns a length that the JSON of what remains will not pass: less than
 * `room` and one entry and one head. */
size_t sync_chunk_trim(const struct sync_chunk *chunk, struct sync_conversation *conversation,
                       size_t room);
/* Appends its JSON object. */
void sync_chunk_write(const struct sync_chunk *chunk, const struct sync_conversation *conversation,
                      struct buf *out);

#endif
