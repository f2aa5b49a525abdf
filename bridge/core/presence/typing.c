/* SPDX-License-Identifier: MIT */
/* typing.c - see typing.h. The queue is in the order of the deadlines because the delay is always
 * the same. */
#include "core/presence/typing.h"

#include "base/buf.h"
#include "base/hash.h"
#include "base/map.h"
#include "base/memory.h"
#include "wire/json.h"
#include "wire/limits.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/queue.h>

enum { PAYLOAD_MAX = 256 };

struct typist_key {
    struct uuid conversation;
    uint64_t uid;
};

struct typist {
    struct typist_key key;
    TAILQ_ENTRY(typist) link;
    uint64_t deadline_ms;
    uint64_t repeat_ms; /* not told again before */
    char handle[HANDLE_MAX_LENGTH + 1];
};

struct typing {
    typing_fn *tell;
    void *owner;
    struct map typists; /* owned */
    TAILQ_HEAD(, typist) queue;
};

static uint64_t hash_key(const void *key)
{
    return hash_bytes(key, sizeof(struct typist_key));
}

static bool equal_key(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct typist_key)) == 0;
}

static const void *key_of(const void *item)
{
    return &((const struct typist *)item)->key;
}

static const struct map_type typists_type = {hash_key, equal_key, key_of};

static_assert(sizeof(struct typist_key) == sizeof(struct uuid) + sizeof(uint64_t),
              "a key is hashed as bytes");

struct typing *typing_create(typing_fn *tell, void *owner)
{
    struct typing *t = must_calloc(1, sizeof *t);

    t->tell = tell;
    t->owner = owner;
    map_init(&t->typists, &typists_type);
    TAILQ_INIT(&t->queue);
    return t;
}

static void forget(struct typing *t, struct typist *typist)
{
    TAILQ_REMOVE(&t->queue, typist, link);
    map_remove(&t->typists, &typist->key);
    free(typist);
}

void typing_link_lost(struct typing *t)
{
    while (!TAILQ_EMPTY(&t->queue))
        forget(t, TAILQ_FIRST(&t->queue));
}

void typing_destroy(struct typing *t)
{
    if (!t)
        return;
    typing_link_lost(t);
    map_finish(&t->typists);
    free(t);
}

static void tell(const struct typing *t, const struct typist *typist, const char *state)
{
    struct frame_signal_out f = {
        .kind = SIGNAL_TYPING,
        .audience = AUDIENCE_OTHERS,
        .conversation = typist->key.conversation,
        .sender = typist->key.uid,
    };
    struct buf json;

    buf_init(&json, PAYLOAD_MAX);
    buf_str(&json, "{\"from\":");
    buf_json(&json, slice_str(typist->handle));
    buf_str(&json, ",\"state\":");
    buf_json(&json, slice_str(state));
    buf_char(&json, '}');
    f.payload = buf_slice(&json);
    if (!json.failed)
        t->tell(t->owner, &f);
    buf_finish(&json);
}

/* NULL: too many are typing. */
static struct typist *add(struct typing *t, const struct typist_key *key, struct slice handle)
{
    struct typist *typist;

    if (t->typists.count >= TYPING_MAX)
        return NULL;
    typist = must_calloc(1, sizeof *typist);
    typist->key = *key;
    assert(handle.length < sizeof typist->handle); /* frame_read_signal() has looked */
    memcpy(typist->handle, handle.data, handle.length);
    TAILQ_INSERT_TAIL(&t->queue, typist, link);
    must_insert(&t->typists, typist);
    return typist;
}

static void start(struct typing *t, const struct typist_key *key, struct slice handle,
                  uint64_t now_ms)
{
    struct typist *typist = map_find(&t->typists, key);

    if (!typist)
        typist = add(t, key, handle);
    if (!typist)
        return;
    typist->deadline_ms = now_ms + TYPING_EXPIRES_MS;
    TAILQ_REMOVE(&t->queue, typist, link);
    TAILQ_INSERT_TAIL(&t->queue, typist, link);
    if (now_ms < typist->repeat_ms)
        return;
    typist->repeat_ms = now_ms + TYPING_REPEAT_MS;
    tell(t, typist, "start");
}

static void stop(struct typing *t, struct typist *typist)
{
    tell(t, typist, "stop");
    forget(t, typist);
}

void typing_signal(struct typing *t, const struct frame_signal *f, uint64_t now_ms)
{
    const struct typist_key key = {f->conversation, f->uid};
    struct typist *typist = map_find(&t->typists, &key);
    const char *reason;
    json_t *root = json_read_object(f->payload, &reason);
    struct slice state = json_member_string(root, "state");

    if (slice_equal(state, slice_str("start")))
        start(t, &key, f->handle, now_ms);
    else if (slice_equal(state, slice_str("stop")) && typist)
        stop(t, typist);
    json_decref(root);
}

uint64_t typing_turn(struct typing *t, uint64_t now_ms)
{
    struct typist *typist;

    while ((typist = TAILQ_FIRST(&t->queue)) != NULL && typist->deadline_ms <= now_ms)
        stop(t, typist);
    return typist ? typist->deadline_ms : UINT64_MAX;
}
