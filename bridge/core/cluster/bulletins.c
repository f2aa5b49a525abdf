/* SPDX-License-Identifier: MIT */
/* bulletins.c - see bulletins.h. */
#include "core/cluster/bulletins.h"

#include "base/hash.h"
#include "base/map.h"
#include "base/memory.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
    NEWS_SLACK = 1024, /* more than one piece of news takes */
    KEPT_FIRST = 64,
    KEPT_OVERHEAD = 64, /* bytes that one takes besides its news */
};

struct head {
    struct uuid conversation;
    int64_t seq;
};

struct kept {
    uint64_t closed_ms;
    bool urgent;
    size_t length;
    char *news; /* owned */
};

struct bulletins {
    struct buf news;   /* of the next one, but for the heads */
    struct map heads;  /* struct head by conversation; owned */
    struct kept *kept; /* a ring, by rising number, without a gap; owned */
    size_t kept_first; /* its place in the ring */
    size_t kept_count;
    size_t kept_capacity;
    size_t kept_bytes;
    uint64_t number;
};

static uint64_t hash_id(const void *key)
{
    return hash_bytes(key, sizeof(struct uuid));
}

static bool equal_id(const void *a, const void *b)
{
    return uuid_equal(a, b);
}

static const void *id_of(const void *item)
{
    return &((const struct head *)item)->conversation;
}

static const struct map_type heads_type = {hash_id, equal_id, id_of};

struct bulletins *bulletins_create(void)
{
    struct bulletins *b = must_calloc(1, sizeof *b);

    buf_init(&b->news, BULLETIN_BYTES + BULLETIN_BYTES + NEWS_SLACK);
    map_init(&b->heads, &heads_type);
    return b;
}

static struct kept *kept_at(const struct bulletins *b, size_t index)
{
    return &b->kept[(b->kept_first + index) % b->kept_capacity];
}

static void drop_first(struct bulletins *b)
{
    struct kept *k = kept_at(b, 0);

    b->kept_bytes -= k->length + KEPT_OVERHEAD;
    free(k->news);
    b->kept_first = (b->kept_first + 1) % b->kept_capacity;
    b->kept_count--;
}

static struct kept *add_kept(struct bulletins *b)
{
    if (b->kept_count == b->kept_capacity) {
        size_t capacity = b->kept_capacity ? 2 * b->kept_capacity : KEPT_FIRST;
        struct kept *larger = must_calloc(capacity, sizeof *larger);

        for (size_t i = 0; i < b->kept_count; i++)
            larger[i] = *kept_at(b, i);
        free(b->kept);
        b->kept = larger;
        b->kept_first = 0;
        b->kept_capacity = capacity;
    }
    b->kept_count++;
    return kept_at(b, b->kept_count - 1);
}

static void write_heads(struct bulletins *b)
{
    size_t cursor = 0;
    struct head *h;

    while ((h = map_next(&b->heads, &cursor)) != NULL) {
        const struct news n = {.type = NEWS_HEAD, .conversation = h->conversation, .seq = h->seq};
        news_write(&b->news, &n);
        free(h);
    }
    map_finish(&b->heads);
    map_init(&b->heads, &heads_type);
}

void bulletins_destroy(struct bulletins *b)
{
    if (!b)
        return;
    write_heads(b);
    while (b->kept_count > 0)
        drop_first(b);
    free(b->kept);
    map_finish(&b->heads);
    buf_finish(&b->news);
    free(b);
}

static void add_head(struct bulletins *b, const struct news *n)
{
    struct head *h = map_find(&b->heads, &n->conversation);

    if (!h) {
        h = must_calloc(1, sizeof *h);
        h->conversation = n->conversation;
        must_insert(&b->heads, h);
    }
    if (n->seq > h->seq)
        h->seq = n->seq;
}

bool bulletins_add(struct bulletins *b, const struct news *n)
{
    const size_t head_bytes = 1 + sizeof(struct uuid) + 8;

    if (n->type == NEWS_HEAD)
        add_head(b, n);
    else
        news_write(&b->news, n);
    assert(!b->news.failed);
    return b->news.length + b->heads.count * head_bytes >= BULLETIN_BYTES;
}

bool bulletins_is_empty(const struct bulletins *b)
{
    return b->news.length == 0 && b->heads.count == 0;
}

void bulletins_close(struct bulletins *b, bool urgent, uint64_t now_ms)
{
    struct kept *k = add_kept(b);

    write_heads(b);
    assert(!b->news.failed);
    b->number++;
    k->closed_ms = now_ms;
    k->urgent = urgent;
    k->length = b->news.length;
    k->news = must_malloc(k->length + 1);
    if (k->length > 0)
        memcpy(k->news, b->news.data, k->length);
    buf_reset(&b->news);
    b->kept_bytes += k->length + KEPT_OVERHEAD;
    while (b->kept_bytes > BULLETINS_KEPT_BYTES)
        drop_first(b);
}

uint64_t bulletins_number(const struct bulletins *b)
{
    return b->number;
}

uint64_t bulletins_first(const struct bulletins *b)
{
    return b->number + 1 - b->kept_count;
}

static const struct kept *find(const struct bulletins *b, uint64_t number)
{
    uint64_t first = bulletins_first(b);

    return number >= first && number <= b->number ? kept_at(b, number - first) : NULL;
}

bool bulletins_get(const struct bulletins *b, uint64_t number, struct bulletin *out)
{
    const struct kept *k = find(b, number);

    if (!k)
        return false;
    *out = (struct bulletin){
        .number = number, .urgent = k->urgent, .news = slice_of(k->news, k->length)};
    return true;
}

uint64_t bulletins_closed_ms(const struct bulletins *b, uint64_t number)
{
    const struct kept *k = find(b, number);

    return k ? k->closed_ms : 0;
}

void bulletins_forget(struct bulletins *b, uint64_t number, uint64_t now_ms)
{
    while (b->kept_count > 0 && bulletins_first(b) <= number &&
           now_ms - kept_at(b, 0)->closed_ms >= BULLETIN_KEEP_MS)
        drop_first(b);
}
