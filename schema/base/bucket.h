/* SPDX-License-Identifier: MIT */
/* bucket.h - how much of something one party may do: token buckets, and a bounded table of them.
 *
 * A rate of 600 in 60 seconds allows 600 at once and then one every tenth of a second. A bucket
 * counts what its party still *owes*: each thing that it does adds to that, time takes it away
 * again, so one that owes nothing needs not be remembered. Whole numbers, no allocation, no clock:
 * the caller says what time it is, in monotonic milliseconds. */
#ifndef BANTER_BASE_BUCKET_H
#define BANTER_BASE_BUCKET_H

#include "base/compiler.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    RATE_COUNT_MAX = 1000000,
    RATE_SECONDS_MAX = 86400,
    BUCKET_WAYS = 8,
};

struct rate {
    uint32_t count; /* at once, and in `seconds`; 0: there is no limit */
    uint32_t seconds;
};

/* Reads "COUNT/SECONDS", both whole numbers from 1 to the bounds above, or "off". */
bool rate_parse(const char *text, struct rate *out) MUST_USE;

/* Zeroed it owes nothing. It belongs to one rate for ever. */
struct bucket {
    uint64_t owed; /* at `at_ms`: `seconds` * 1000 for each thing, less `count` a millisecond */
    uint64_t at_ms;
};

/* What is still owed. A clock that goes back gives nothing and takes nothing. */
uint64_t bucket_owed(const struct bucket *b, struct rate rate, uint64_t now_ms);
/* Counts one thing more, if that is allowed: 0. Otherwise in how many milliseconds it will be. */
uint64_t bucket_take(struct bucket *b, struct rate rate, uint64_t now_ms) MUST_USE;
/* The last thing taken did not happen after all. */
void bucket_give_back(struct bucket *b, struct rate rate);

struct bucket_slot {
    uint64_t key; /* 0: free */
    struct bucket bucket;
};

/* One bucket for each key. A key's bucket has BUCKET_WAYS places to be in; when all are taken, the
 * one that owes least is forgotten. So whoever makes up many keys cannot have a bucket forgotten,
 * neither his own nor somebody else's, without owing as much under each of BUCKET_WAYS others; and
 * when more parties come at once than there is room for, those gain who do least. Keys are
 * hashes with a secret in them: strangers shall not choose a bucket's places. */
struct buckets {
    struct rate rate;
    struct bucket_slot *slots; /* borrowed */
    size_t sets;               /* of BUCKET_WAYS slots: a power of two */
};

/* `slots` are zeroed; `count` is a power of two and at least BUCKET_WAYS. */
void buckets_init(struct buckets *t, struct rate rate, struct bucket_slot *slots, size_t count);
/* As bucket_take() from the key's bucket. */
uint64_t buckets_take(struct buckets *t, uint64_t key, uint64_t now_ms) MUST_USE;
/* As bucket_give_back(). */
void buckets_give_back(struct buckets *t, uint64_t key);
/* The key's bucket, or NULL: it owes nothing. */
struct bucket *buckets_find(const struct buckets *t, uint64_t key);
/* The key's bucket, which is made if there is none. */
struct bucket *buckets_claim(struct buckets *t, uint64_t key, uint64_t now_ms);

#endif
