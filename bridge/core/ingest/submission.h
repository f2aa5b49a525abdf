/* SPDX-License-Identifier: MIT */
/* submission.h - one draft on its way through the writer, from ingest_submit() to its `done`. */
#ifndef BANTER_BRIDGE_INGEST_SUBMISSION_H
#define BANTER_BRIDGE_INGEST_SUBMISSION_H

#include "base/compiler.h"
#include "base/map.h"
#include "base/slice.h"
#include "base/uuid.h"
#include "core/ingest.h"
#include "wire/entry.h"
#include "wire/limits.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

struct head;
struct log_fields;

struct submission {
    STAILQ_ENTRY(submission) next;
    uint64_t uid;
    char handle[HANDLE_MAX_LENGTH + 1];
    char device[DEVICE_MAX_LENGTH + 1]; /* empty: HTTP */
    char other[HANDLE_MAX_LENGTH + 1];  /* the target was this user; empty: a conversation */
    struct uuid conversation;           /* also of a user: the direct conversation's id */
    enum entry_kind kind;               /* this and the next five: as struct draft has them */
    struct slice id;                    /* id and text follow this struct in memory */
    struct slice text;
    int64_t reply_to;
    int64_t target;
    bool remove;
    uint64_t name_hash; /* for submission_by_name: a batch asks often */
    size_t size;        /* bytes of memory */

    ingest_done_fn *done; /* or NULL */
    void *owner;

    bool judged; /* `outcome` is final: PostgreSQL is not asked */
    /* Of the batch it is in: */
    struct submission *twin; /* an earlier one with the same name, whose outcome is this one's */
    struct head *head;       /* where what is remembered of the conversation is: see heads.h */
    int64_t foreseen_seq;    /* its seq, if the batch commits; of those of `known` alone */
    bool erased;             /* stored before, and what it said has been deleted since */
    enum role role;          /* of the sender in the conversation */
    bool is_direct;          /* `uid_a` and `uid_b` are the members of a direct conversation that
                                the plugin may not have heard of */
    uint64_t uid_a, uid_b;
    struct ingest_outcome outcome;
};

STAILQ_HEAD(submission_list, submission);

/* Parses and judges the draft's JSON and target. */
struct submission *submission_create(const struct ingest_draft *draft, ingest_done_fn *done,
                                     void *owner);
void submission_destroy(struct submission *s);
/* Forgets what a batch noted, so that it can go into another one. */
void submission_reset(struct submission *s);
/* Makes a refusal of it. `reason` is static. */
void submission_refuse(struct submission *s, enum code code, const char *reason);
/* What the entry has beside the draft's own members: static JSON, or empty. */
struct slice submission_data(const struct submission *s);
/* For the log: sender, conversation and draft id. */
void submission_describe(const struct submission *s, struct log_fields *fields);
/* The same name has the same body. */
bool submission_same_body(const struct submission *a, const struct submission *b);

/* Submissions by name: (conversation, sender, id). */
extern const struct map_type submission_by_name;

#endif
