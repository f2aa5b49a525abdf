/* SPDX-License-Identifier: MIT */
/* batch.h - drafts that are committed together: what is asked of PostgreSQL, and what its answers
 * mean for each draft.
 *
 * One transaction: follow (this batch comes after the one before it) · ensure (only for direct
 * conversations not known to exist) · lock (the conversations, in the order of their ids) · append
 * · fold (only for edits, deletions and reactions: what they make of the messages they concern). Or
 * known and swift in place of lock and append, or one of them: each of the two locks in the order
 * of ids, but not what the other one locks. */
#ifndef BANTER_BRIDGE_INGEST_BATCH_H
#define BANTER_BRIDGE_INGEST_BATCH_H

#include "core/ingest/asides.h"
#include "core/ingest/directs.h"
#include "core/ingest/submission.h"
#include "db/db.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

enum { SQLSTATE_LENGTH = 5 };

struct heads;

/* What a batch makes of a conversation that the writer knows. */
struct advance {
    struct uuid conversation;
    int64_t head;     /* its last seq before, */
    int64_t last_seq; /* and after */
    uint64_t rights;  /* the trace of rights that it must have */
};

struct batch {
    STAILQ_ENTRY(batch) next;
    void *owner;                /* the writer */
    struct aside *aside;        /* its only draft is the first of this one; or NULL */
    uint64_t number;            /* its place in the chain of this session */
    bool hasty;                 /* does not wait long for locks */
    bool swift;                 /* supposes that there is nothing to look for: see statements.h */
    bool orderly;               /* locks all its conversations in the order of their ids */
    bool tells;                 /* texts go to the outbox of push, too */
    struct submission **drafts; /* all, in order of arrival; owned */
    size_t count;
    struct submission **rows; /* those PostgreSQL is asked about, borrowed */
    size_t row_count;
    struct submission **strangers; /* of these the direct conversation may not exist yet */
    size_t stranger_count;
    struct submission **targeted; /* those that concern a message */
    size_t targeted_count;
    struct map names; /* of the rows */
    /* The rows in two parts, each in their order: see foresight.h. */
    struct heads *heads;       /* borrowed */
    struct submission **known; /* with `foreseen_seq` */
    struct submission **looked_up;
    size_t known_count, looked_up_count;
    struct advance *advances; /* one for each conversation in `known` */
    size_t advance_count;
    /* The answer: */
    bool answered;
    bool foreseen;         /* what it was sent as known was right, whatever failed after it */
    enum db_status status; /* DB_OK: committed */
    char sqlstate[SQLSTATE_LENGTH + 1];
};

STAILQ_HEAD(batch_list, batch);

/* `capacity` drafts fit. */
struct batch *batch_create(void *owner, size_t capacity);
/* Frees the drafts in it too. */
void batch_destroy(struct batch *b);
/* False: it concerns a message that another one of the batch edits or deletes, or has the name of
 * another one and says something else. What append reads is as it was before the batch; so this one
 * has to go into the next. */
bool batch_may_add(const struct batch *b, const struct submission *s) MUST_USE;
/* Takes the draft. */
void batch_add(struct batch *b, struct submission *s);
/* All drafts are in: decides what to ask. */
void batch_close(struct batch *b, const struct directs *known);
/* Sends the transaction. `on_end` is called with the batch and the reply of the sync, once what the
 * server said is noted in the drafts. False: the connection broke; `on_end` will not be called. */
bool batch_send(struct batch *b, struct db_conn *c, uint64_t follows, db_reply_fn *on_end) MUST_USE;
/* Gives the drafts whose outcome hangs on another one in the batch theirs. After DB_OK. */
void batch_settle_twins(struct batch *b);

/* What to do about a batch that failed. */
enum batch_remedy {
    REMEDY_RETRY,  /* it is not about the drafts: wait and send again */
    REMEDY_BISECT, /* one of the drafts is at fault: find it */
    REMEDY_ASIDE,  /* something else holds a lock that one of them needs: find it, and set its
                      conversation aside */
    REMEDY_BEWARE, /* it was supposed wrongly that they are easy: send again, and look */
    REMEDY_FOLLOW, /* only the batch before it is to blame */
};
/* `attempts` made so far without anything being committed. */
enum batch_remedy batch_remedy_for(const struct batch *b, unsigned attempts);

#endif
