/* SPDX-License-Identifier: MIT */
/* logs.h - the conversations' logs as they come in: from wherever and in whatever order entries
 * arrive (live, receipts, syncs, history), each is told once and in the order of `seq`.
 *
 * The position of a log is the last seq that was told; it is in the store. While it is not known
 * where a log begins (position < 0) its entries wait. Runs on the client's thread. */
#ifndef BANTER_CLIENT_LOGS_H
#define BANTER_CLIENT_LOGS_H

#include "banter/banter.h"
#include "base/compiler.h"
#include "base/map.h"
#include "client/platform.h"
#include "client/store.h"
#include "client/wire.h"

#include <jansson.h>

struct early; /* an entry that came before its time */

/* The log of one conversation. */
struct tale {
    struct tale *next; /* of those that lack something, while `is_queued` */
    char id[CONVERSATION_SIZE];
    int64_t position;                 /* -1: not known yet */
    int64_t head;                     /* the last seq that is known to exist */
    struct early *early, *last_early; /* those that came before their time */
    bool is_queued;
    bool has_cursors;       /* channels have none */
    bool begins_live;       /* at the first entry that comes live */
    bool is_filling;        /* catch_up's: being read from the history */
    uint64_t not_before;    /* catch_up's */
    struct backoff backoff; /* catch_up's */
};

struct logs_hooks {
    /* Tells the program. False: memory has run out, it was not told. */
    bool (*tell)(void *owner, struct tale *t, const json_t *entry);
    void (*trouble)(void *owner, int error, const char *what);
    void *owner;
};

struct logs {
    struct store *store;
    struct logs_hooks hooks;
    bool begins_at_first; /* an entry of a log that is new to us is not the first one to be told */
    struct map tales;     /* by id */
    struct tale *lacking, **last_lacking;
    size_t early_bytes;
};

/* Reads the positions. *l is always to be finished; its store, hooks and begins_at_first are set.
 */
int logs_init(struct logs *l) MUST_USE;
void logs_finish(struct logs *l);
/* Forgets everything: the store was emptied. */
void logs_clear(struct logs *l);

struct tale *logs_find(const struct logs *l, const char *conversation);
/* Makes one that is not there. NULL: out of memory. */
struct tale *logs_make(struct logs *l, const char *conversation, int64_t position) MUST_USE;
/* Found, or made to begin as `begins_at_first` says. */
struct tale *logs_hold(struct logs *l, const char *conversation) MUST_USE;
/* Takes an entry, and the reference. BANTER_NO_MEMORY: it was not taken, and is missing now. */
int logs_offer(struct logs *l, json_t *entry, size_t size) MUST_USE;
/* Is told from behind `seq` on, if its position was not known. */
int logs_begin(struct logs *l, struct tale *t, int64_t seq) MUST_USE;
/* Is told from the first one on that has come live, or will, if its position was not known. */
int logs_begin_live(struct logs *l, struct tale *t) MUST_USE;
/* The first seq that waits, or 0. */
int64_t logs_first_early(const struct tale *t);
/* `seq` exists. */
void logs_note(struct logs *l, struct tale *t, int64_t seq);
/* Nothing is missing after all. */
void logs_settle(struct logs *l, struct tale *t);
bool logs_lacks(const struct tale *t);
/* Whatever lacks something comes into the queue; needed when what fills it begins anew. */
void logs_queue_all(struct logs *l);
/* The first of the queue, taken out; NULL. */
struct tale *logs_take_lacking(struct logs *l);
void logs_queue(struct logs *l, struct tale *t);

#endif
