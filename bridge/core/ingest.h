/* SPDX-License-Identifier: MIT */
/* ingest.h - the writer: drafts in, committed entries out, in order. The heart of the message path.
 *
 * Drafts are taken in submission order; whatever has queued goes out as one batch when a slot is
 * free, the first at once and further ones only for a crowd. Results come back in submission order,
 * but those of a conversation on which something else holds a lock for long come later, in order
 * among themselves. After the commit, and only then, ingest tells of MEMBER and ENTRY and calls
 * `done` of every draft of the batch in order; then the function of ingest_on_settled() once. While
 * PostgreSQL is away drafts wait; they are never refused for that. */
#ifndef BANTER_BRIDGE_INGEST_H
#define BANTER_BRIDGE_INGEST_H

#include "base/compiler.h"
#include "base/slice.h"
#include "base/uuid.h"
#include "wire/codes.h"

#include <stdbool.h>
#include <stdint.h>

struct db_node;
struct event_base;
struct herald;
struct ingest;
struct link;

struct ingest_outcome {
    enum code code;           /* CODE_OK: stored, now or before */
    const char *reason;       /* for refusals: one sentence; static */
    struct uuid conversation; /* CODE_OK */
    int64_t seq;              /* CODE_OK */
    int64_t at_ms;            /* CODE_OK */
    bool duplicate;           /* it had been stored before */
};

/* Exactly once per submission, on the loop thread, never from inside ingest_submit(). `id` is the
 * draft's id or empty. */
typedef void ingest_done_fn(void *owner, struct slice id, const struct ingest_outcome *outcome);

struct ingest_draft {
    uint64_t uid;        /* sender */
    struct slice handle; /* sender */
    struct slice device; /* gets no copy of the entry; empty for HTTP */
    struct slice target; /* conversation id in text, or "@handle" */
    struct slice json;   /* the draft as received, copied */
};

enum { INGEST_CROWD = 64 };

struct ingest_config {
    const char *dsn;
    struct db_node *node;    /* borrowed */
    unsigned batch_max;      /* drafts per batch; default 512 */
    unsigned batches_flying; /* batches sent and not answered; default 2 */
    unsigned crowd;          /* drafts: fewer wait for an answer and for others that come meanwhile,
                                instead of being one more batch on its way; INGEST_CROWD */
    unsigned queue_max;      /* drafts waiting before ingest_is_full(); default 20000 */
    bool push;               /* every text leaves a row in the outbox of push */
    bool others;             /* there may be other nodes, whose writers lock conversations, too */
};

struct ingest *ingest_create(struct event_base *base, const struct ingest_config *config,
                             struct link *link, struct herald *herald) MUST_USE;
/* Drafts that are left end with CODE_UNAVAILABLE. */
void ingest_destroy(struct ingest *g);
/* Copies what it needs. `done` may be NULL. Always accepts: callers from outside the link ask
 * ingest_is_full() first. */
void ingest_submit(struct ingest *g, const struct ingest_draft *draft, ingest_done_fn *done,
                   void *owner);
/* `settled` is called after the `done` of a batch's last draft, once per batch. */
typedef void ingest_settled_fn(void *owner);
void ingest_on_settled(struct ingest *g, ingest_settled_fn *settled, void *owner);
/* `stored` is called for every draft that became an entry, after it has gone to the link. It must
 * be quick: everybody waits for it. */
typedef void ingest_stored_fn(void *owner, const struct uuid *conversation);
void ingest_on_stored(struct ingest *g, ingest_stored_fn *stored, void *owner);
/* Somebody else may have written in this conversation, or changed who may: what the writer
 * remembers of it is not to be built on. PostgreSQL would notice, but only by failing a batch. */
void ingest_look_again(struct ingest *g, const struct uuid *conversation);
/* Starts a batch if there is something to send and a slot. Called when the link has been drained
 * and after HTTP posts. */
void ingest_kick(struct ingest *g);
bool ingest_is_full(const struct ingest *g);
/* True when at most half of what ingest_is_full() allows is waiting: drafts may come again. */
bool ingest_has_room(const struct ingest *g);
/* True when drafts wait for those that are under way. */
bool ingest_is_busy(const struct ingest *g);
/* True when nothing waits and nothing is under way. */
bool ingest_is_idle(const struct ingest *g);
/* True when the writer's connection is ready. */
bool ingest_is_ready(const struct ingest *g);

struct ingest_stats {
    uint64_t drafts, stored, duplicates, refused, batches, retries, quarantined;
    uint64_t foreseen; /* of those stored: without a look at anything but their head */
    uint64_t queued;   /* now */
    uint64_t aside;    /* now: conversations that wait for somebody's lock */
};
void ingest_get_stats(const struct ingest *g, struct ingest_stats *out);

#endif
