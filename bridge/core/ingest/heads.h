/* SPDX-License-Identifier: MIT */
/* heads.h - what the writer remembers of conversations that it has written to, so that PostgreSQL
 * need not look it up again for the next draft: the last seq, the trace of the last change of
 * rights (see 0015_rights.sql), and some members who may post.
 *
 * All of it may be wrong by now, as soon as somebody else writes there. So a batch that builds on
 * it has PostgreSQL compare, and fails if anything differs. A table of one slot per hash: a
 * newcomer takes its slot from whoever had it. */
#ifndef BANTER_BRIDGE_INGEST_HEADS_H
#define BANTER_BRIDGE_INGEST_HEADS_H

#include "base/uuid.h"

#include <stdbool.h>
#include <stdint.h>

enum { HEADS_SLOTS = 1 << 16, HEAD_WRITERS_MAX = 8 }; /* 8.5 MiB, once all are used */

struct head {
    struct uuid conversation;
    bool known;       /* false: `last_seq` means nothing, and it is not built on */
    int64_t last_seq; /* once all batches on their way are committed */
    uint64_t rights; /* what conversations.rights was when the writers were looked up: they may post
                        as long as it is that, also if nothing was known meanwhile */
    uint64_t writers[HEAD_WRITERS_MAX]; /* users; 0: free */
    unsigned next_writer;               /* who makes way for the next one */
    uint64_t batch;                     /* the last one on its way that has drafts for it */
    unsigned advance;                   /* and its place there: see struct advance */
    uint64_t distrusted_until_ms;       /* monotonic: it was wrong just now */
};

struct heads {
    struct head *slots;
};

void heads_init(struct heads *h);
void heads_finish(struct heads *h);
/* Where it is, or would be if no other conversation were there: see head_is_of(). For the table's
 * life. */
struct head *heads_slot(const struct heads *h, const struct uuid *conversation);
/* NULL: it is not there. */
struct head *heads_find(const struct heads *h, const struct uuid *conversation);
/* It is not known any more, nor is what is on its way learned. */
void heads_forget(struct heads *h, const struct uuid *conversation);
void heads_forget_all(struct heads *h);

bool head_is_of(const struct head *h, const struct uuid *conversation);
/* The slot is this conversation's, which is not known from now on; `batch` will look. */
void head_claim(struct head *h, const struct uuid *conversation, uint64_t batch);
bool head_has_writer(const struct head *h, uint64_t uid);
void head_add_writer(struct head *h, uint64_t uid);

#endif
