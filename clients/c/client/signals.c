/* SPDX-License-Identifier: MIT */
/* signals.c - see signals.h. */
#include "client/signals.h"

#include "base/hash.h"
#include "client/transport.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SIGNAL_COST_MS = 50, /* 20 a second */
    BUCKET_MS = 20 * SIGNAL_COST_MS,
    REST_MS = 700, /* before a cursor is said */
    MARKS_MAX = 10000,
    TYPISTS_MAX = 64,
    TRIES_MAX = 3, /* where there are no cursors the broker says no for ever */
    NO_TOKEN = -1,
    TOPIC_SIZE = 80,
    PAYLOAD_SIZE = 96,
};

struct mark {
    struct mark *next; /* while it is to be said */
    char conversation[CONVERSATION_SIZE];
    int64_t received, read;
    uint64_t due; /* when it has come to rest */
    int token;    /* while the broker has it */
    int tries;
    bool is_queued;
};

struct typing {
    struct typing *next;
    char conversation[CONVERSATION_SIZE];
    bool typing;
};

static uint64_t hash_of(const void *key)
{
    return hash_bytes(key, CONVERSATION_LENGTH);
}

static bool is_same(const void *a, const void *b)
{
    return memcmp(a, b, CONVERSATION_LENGTH) == 0;
}

static const void *key_of(const void *item)
{
    return ((const struct mark *)item)->conversation;
}

static const struct map_type by_conversation = {hash_of, is_same, key_of};

void signals_init(struct signals *s)
{
    map_init(&s->marks, &by_conversation);
    s->first = NULL;
    s->last = &s->first;
    s->typists = NULL;
    s->last_typist = &s->typists;
    s->typist_count = 0;
    s->tokens_ms = BUCKET_MS;
    s->filled_at = 0;
    s->presence[0] = '\0';
    s->presence_due = s->is_up = false;
}

static void drop_typists(struct signals *s)
{
    struct typing *t;

    while ((t = s->typists) != NULL) {
        s->typists = t->next;
        free(t);
    }
    s->last_typist = &s->typists;
    s->typist_count = 0;
}

void signals_finish(struct signals *s)
{
    struct mark *m;
    size_t cursor = 0;

    while ((m = map_next(&s->marks, &cursor)) != NULL)
        free(m);
    map_finish(&s->marks);
    s->first = NULL;
    s->last = &s->first;
    drop_typists(s);
}

static void queue_mark(struct signals *s, struct mark *m, uint64_t due)
{
    if (m->is_queued)
        return;
    m->is_queued = true;
    m->due = due;
    m->next = NULL;
    *s->last = m;
    s->last = &m->next;
}

void signals_up(struct signals *s)
{
    s->is_up = true;
    s->presence_due = s->presence[0] != '\0';
}

/* Cursors that were under way may be lost: they are said again. Typing has no meaning any more. */
void signals_down(struct signals *s)
{
    struct mark *m;
    size_t cursor = 0;

    s->is_up = false;
    drop_typists(s);
    while ((m = map_next(&s->marks, &cursor)) != NULL) {
        m->token = NO_TOKEN;
        queue_mark(s, m, 0);
    }
}

int signals_mark(struct signals *s, const char *conversation, int64_t received, int64_t read)
{
    struct mark *m = map_find(&s->marks, conversation);

    if (!m) {
        if (s->marks.count >= MARKS_MAX)
            return BANTER_FULL;
        m = calloc(1, sizeof *m);
        if (!m)
            return BANTER_NO_MEMORY;
        memcpy(m->conversation, conversation, CONVERSATION_LENGTH);
        m->token = NO_TOKEN;
        if (!map_insert(&s->marks, m)) {
            free(m);
            return BANTER_NO_MEMORY;
        }
    }
    m->read = read > m->read ? read : m->read;
    received = received > read ? received : read; /* who has read has received */
    m->received = received > m->received ? received : m->received;
    m->tries = 0;
    m->token = NO_TOKEN; /* what is under way is not the last word */
    queue_mark(s, m, platform_now(s->platform) + REST_MS);
    return BANTER_OK;
}

int signals_typing(struct signals *s, const char *conversation, bool typing)
{
    struct typing *t = s->typists;

    if (!s->is_up)
        return BANTER_OFFLINE;
    while (t && strcmp(t->conversation, conversation) != 0)
        t = t->next;
    if (t) {
        t->typing = typing;
        return BANTER_OK;
    }
    if (s->typist_count >= TYPISTS_MAX)
        return BANTER_FULL;
    t = calloc(1, sizeof *t);
    if (!t)
        return BANTER_NO_MEMORY;
    memcpy(t->conversation, conversation, CONVERSATION_LENGTH);
    t->typing = typing;
    *s->last_typist = t;
    s->last_typist = &t->next;
    s->typist_count++;
    return BANTER_OK;
}

void signals_presence(struct signals *s, const char *state)
{
    assert(strlen(state) < sizeof s->presence);
    memcpy(s->presence, state, strlen(state) + 1);
    s->presence_due = true;
}

void signals_acknowledged(struct signals *s, int token, int code)
{
    struct mark *m;
    size_t cursor = 0;

    while ((m = map_next(&s->marks, &cursor)) != NULL)
        if (m->token == token)
            break;
    if (!m)
        return;
    m->token = NO_TOKEN;
    if (m->is_queued)
        return; /* a newer word is about to follow */
    if (code < REASON_REFUSED || ++m->tries >= TRIES_MAX) {
        map_remove(&s->marks, m->conversation);
        free(m);
    } else {
        queue_mark(s, m, platform_now(s->platform) + REST_MS);
    }
}

/* ---- the bucket ---- */

static void refill(struct signals *s, uint64_t now)
{
    s->tokens_ms = earlier(BUCKET_MS, s->tokens_ms + (now - s->filled_at));
    s->filled_at = now;
}

/* False: not now. */
static bool say(struct signals *s, const char *topic, const char *payload, int qos, int *token)
{
    if (s->tokens_ms < SIGNAL_COST_MS)
        return false;
    if (s->hooks.publish(s->hooks.owner, topic, payload, strlen(payload), qos, token) != BANTER_OK)
        return false;
    s->tokens_ms -= SIGNAL_COST_MS;
    return true;
}

static bool say_presence(struct signals *s)
{
    char payload[PAYLOAD_SIZE];

    (void)snprintf(payload, sizeof payload, "{\"state\":\"%s\"}", s->presence);
    if (!say(s, "send/me/presence", payload, 1, NULL))
        return false;
    s->presence_due = false;
    return true;
}

static bool say_typing(struct signals *s)
{
    struct typing *t = s->typists;
    char topic[TOPIC_SIZE];

    (void)snprintf(topic, sizeof topic, "send/%s/typing", t->conversation);
    if (!say(s, topic, t->typing ? "{\"state\":\"start\"}" : "{\"state\":\"stop\"}", 0, NULL))
        return false;
    s->typists = t->next;
    if (!s->typists)
        s->last_typist = &s->typists;
    s->typist_count--;
    free(t);
    return true;
}

static bool say_mark(struct signals *s)
{
    struct mark *m = s->first;
    char topic[TOPIC_SIZE], payload[PAYLOAD_SIZE];
    int token;

    (void)snprintf(topic, sizeof topic, "send/%s/cursor", m->conversation);
    (void)snprintf(payload, sizeof payload, "{\"received\":%" PRId64 ",\"read\":%" PRId64 "}",
                   m->received, m->read);
    if (!say(s, topic, payload, 1, &token))
        return false;
    s->first = m->next;
    if (!s->first)
        s->last = &s->first;
    m->is_queued = false;
    m->token = token;
    return true;
}

void signals_tick(struct signals *s)
{
    uint64_t now = platform_now(s->platform);
    bool goes_on = s->is_up;

    refill(s, now);
    if (goes_on && s->presence_due)
        goes_on = say_presence(s);
    while (goes_on && s->typists)
        goes_on = say_typing(s);
    while (goes_on && s->first && s->first->due <= now)
        goes_on = say_mark(s);
}

uint64_t signals_deadline(const struct signals *s)
{
    uint64_t next = NEVER;

    if (!s->is_up)
        return NEVER;
    if (s->presence_due || s->typists)
        next = 0;
    else if (s->first)
        next = s->first->due;
    /* Whoever has something to say and may not waits for the bucket. */
    return next == NEVER                          ? NEVER
           : next > s->filled_at + SIGNAL_COST_MS ? next
                                                  : s->filled_at + SIGNAL_COST_MS;
}
