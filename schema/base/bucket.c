/* SPDX-License-Identifier: MIT */
/* bucket.c - see bucket.h. The largest sum owed is RATE_COUNT_MAX * RATE_SECONDS_MAX * 1000, which
 * leaves room for more than a hundred thousand times that. */
#include "base/bucket.h"

#include <assert.h>
#include <string.h>

enum { MS_PER_S = 1000 };

/* A number from 1 to `max` at *text, which is moved behind it. 0: there is none. */
static uint32_t read_number(const char **text, uint32_t max)
{
    uint32_t value = 0;

    for (; **text >= '0' && **text <= '9'; (*text)++) {
        value = 10 * value + (uint32_t)(**text - '0');
        if (value > max)
            return 0;
    }
    return value;
}

bool rate_parse(const char *text, struct rate *out)
{
    struct rate rate = {0, 0};

    if (strcmp(text, "off") != 0) {
        rate.count = read_number(&text, RATE_COUNT_MAX);
        if (rate.count == 0 || *text++ != '/')
            return false;
        rate.seconds = read_number(&text, RATE_SECONDS_MAX);
        if (rate.seconds == 0 || *text != '\0')
            return false;
    }
    *out = rate;
    return true;
}

/* What one thing adds to what is owed. */
static uint64_t price(struct rate rate)
{
    return (uint64_t)rate.seconds * MS_PER_S;
}

uint64_t bucket_owed(const struct bucket *b, struct rate rate, uint64_t now_ms)
{
    uint64_t elapsed_ms = now_ms > b->at_ms ? now_ms - b->at_ms : 0;

    if (rate.count == 0 || elapsed_ms > b->owed / rate.count)
        return 0;
    return b->owed - elapsed_ms * rate.count;
}

uint64_t bucket_take(struct bucket *b, struct rate rate, uint64_t now_ms)
{
    uint64_t most = rate.count * price(rate);
    uint64_t wanted = bucket_owed(b, rate, now_ms) + price(rate);

    if (rate.count == 0)
        return 0;
    b->at_ms = now_ms;
    b->owed = wanted <= most ? wanted : wanted - price(rate);
    return wanted <= most ? 0 : (wanted - most + rate.count - 1) / rate.count;
}

void bucket_give_back(struct bucket *b, struct rate rate)
{
    b->owed -= b->owed < price(rate) ? b->owed : price(rate);
}

void buckets_init(struct buckets *t, struct rate rate, struct bucket_slot *slots, size_t count)
{
    assert(count >= BUCKET_WAYS && (count & (count - 1)) == 0);
    *t = (struct buckets){rate, slots, count / BUCKET_WAYS};
}

static struct bucket_slot *set_of(const struct buckets *t, uint64_t key)
{
    return t->slots + (key & (t->sets - 1)) * BUCKET_WAYS;
}

/* 0 marks what is free. */
static uint64_t usable(uint64_t key)
{
    return key ? key : 1;
}

struct bucket *buckets_find(const struct buckets *t, uint64_t key)
{
    struct bucket_slot *set;

    key = usable(key);
    set = set_of(t, key);
    for (unsigned i = 0; i < BUCKET_WAYS; i++) {
        if (set[i].key == key)
            return &set[i].bucket;
    }
    return NULL;
}

/* The slot of the set that is missed least. */
static struct bucket_slot *least_owing(struct bucket_slot *set, struct rate rate, uint64_t now_ms)
{
    struct bucket_slot *least = NULL;
    uint64_t least_owed = 0;

    for (unsigned i = 0; i < BUCKET_WAYS; i++) {
        uint64_t owed = bucket_owed(&set[i].bucket, rate, now_ms);

        if (!least || owed < least_owed) {
            least = &set[i];
            least_owed = owed;
        }
    }
    return least;
}

struct bucket *buckets_claim(struct buckets *t, uint64_t key, uint64_t now_ms)
{
    struct bucket *found = buckets_find(t, key);
    struct bucket_slot *slot;

    if (found)
        return found;
    key = usable(key);
    slot = least_owing(set_of(t, key), t->rate, now_ms);
    *slot = (struct bucket_slot){.key = key, .bucket = {.at_ms = now_ms}};
    return &slot->bucket;
}

uint64_t buckets_take(struct buckets *t, uint64_t key, uint64_t now_ms)
{
    if (t->rate.count == 0)
        return 0;
    return bucket_take(buckets_claim(t, key, now_ms), t->rate, now_ms);
}

void buckets_give_back(struct buckets *t, uint64_t key)
{
    struct bucket *bucket = t->rate.count > 0 ? buckets_find(t, key) : NULL;

    if (bucket)
        bucket_give_back(bucket, t->rate);
}
