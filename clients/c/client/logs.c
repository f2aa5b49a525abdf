/* SPDX-License-Identifier: MIT */
/* logs.c - see logs.h. */
#include "client/logs.h"

#include "base/hash.h"
#include "client/json.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
    EARLY_MAX_BYTES = 16 << 20, /* of all logs; beyond, whoever fills the gap brings it again */
    EARLY_OVERHEAD = 512,       /* of an entry, about */
};

/* In the order of seq, each once. */
struct early {
    struct early *next;
    int64_t seq;
    size_t size;
    json_t *entry;
};

static uint64_t hash_of_id(const void *key)
{
    return hash_bytes(key, CONVERSATION_LENGTH);
}

static bool is_same_id(const void *a, const void *b)
{
    return memcmp(a, b, CONVERSATION_LENGTH) == 0;
}

static const void *id_of(const void *item)
{
    return ((const struct tale *)item)->id;
}

static const struct map_type by_id = {hash_of_id, is_same_id, id_of};

/* ---- those that came before their time ---- */

static json_t *pop_early(struct logs *l, struct tale *t)
{
    struct early *e = t->early;
    json_t *entry = e->entry;

    t->early = e->next;
    if (!t->early)
        t->last_early = NULL;
    l->early_bytes -= e->size;
    free(e);
    return entry;
}

static void drop_early(struct logs *l, struct tale *t, int64_t up_to)
{
    while (t->early && t->early->seq <= up_to)
        json_decref(pop_early(l, t));
}

/* False: out of memory. */
static bool keep_early(struct logs *l, struct tale *t, json_t *entry, int64_t seq, size_t size)
{
    struct early **at = &t->early, *e;

    size += EARLY_OVERHEAD;
    if (t->last_early && t->last_early->seq < seq)
        at = &t->last_early->next; /* as they come live: nobody walks past thousands for each */
    while (*at && (*at)->seq < seq)
        at = &(*at)->next;
    if ((*at && (*at)->seq == seq) || l->early_bytes + size > EARLY_MAX_BYTES) {
        json_decref(entry);
        return true;
    }
    e = malloc(sizeof *e);
    if (!e) {
        json_decref(entry);
        return false;
    }
    *e = (struct early){*at, seq, size, entry};
    *at = e;
    if (!e->next)
        t->last_early = e;
    l->early_bytes += size;
    return true;
}

int64_t logs_first_early(const struct tale *t)
{
    return t->early ? t->early->seq : 0;
}

/* ---- tales ---- */

struct tale *logs_make(struct logs *l, const char *conversation, int64_t position)
{
    struct tale *t = calloc(1, sizeof *t);

    if (!t)
        return NULL;
    assert(strlen(conversation) == CONVERSATION_LENGTH);
    memcpy(t->id, conversation, sizeof t->id);
    t->position = position;
    t->head = position > 0 ? position : 0;
    t->has_cursors = true;
    if (map_insert(&l->tales, t))
        return t;
    free(t);
    return NULL;
}

static int take_position(void *owner, const char *conversation, int64_t seq)
{
    if (strlen(conversation) != CONVERSATION_LENGTH || seq < 0)
        return BANTER_STORE; /* somebody has meddled with the store */
    return logs_make(owner, conversation, seq) ? BANTER_OK : BANTER_NO_MEMORY;
}

int logs_init(struct logs *l)
{
    map_init(&l->tales, &by_id);
    l->lacking = NULL;
    l->last_lacking = &l->lacking;
    l->early_bytes = 0;
    return store_positions(l->store, take_position, l);
}

void logs_finish(struct logs *l)
{
    struct tale *t;
    size_t cursor = 0;

    while ((t = map_next(&l->tales, &cursor)) != NULL) {
        drop_early(l, t, INT64_MAX);
        free(t);
    }
    map_finish(&l->tales);
}

void logs_clear(struct logs *l)
{
    logs_finish(l);
    map_init(&l->tales, &by_id);
    l->lacking = NULL;
    l->last_lacking = &l->lacking;
}

struct tale *logs_find(const struct logs *l, const char *conversation)
{
    return strlen(conversation) == CONVERSATION_LENGTH ? map_find(&l->tales, conversation) : NULL;
}

struct tale *logs_hold(struct logs *l, const char *conversation)
{
    struct tale *t = logs_find(l, conversation);

    return t ? t : logs_make(l, conversation, l->begins_at_first ? 0 : -1);
}

/* ---- the queue ---- */

bool logs_lacks(const struct tale *t)
{
    return t->position >= 0 && t->position < t->head;
}

void logs_queue(struct logs *l, struct tale *t)
{
    if (t->is_queued || t->is_filling || !logs_lacks(t))
        return;
    t->is_queued = true;
    t->next = NULL;
    *l->last_lacking = t;
    l->last_lacking = &t->next;
}

void logs_queue_all(struct logs *l)
{
    struct tale *t;
    size_t cursor = 0;

    while ((t = map_next(&l->tales, &cursor)) != NULL) {
        t->not_before = 0;
        backoff_reset(&t->backoff);
        logs_queue(l, t);
    }
}

struct tale *logs_take_lacking(struct logs *l)
{
    struct tale *t = l->lacking;

    if (!t)
        return NULL;
    l->lacking = t->next;
    if (!l->lacking)
        l->last_lacking = &l->lacking;
    t->is_queued = false;
    return t;
}

void logs_note(struct logs *l, struct tale *t, int64_t seq)
{
    if (seq > t->head)
        t->head = seq;
    logs_queue(l, t);
}

void logs_settle(struct logs *l, struct tale *t)
{
    if (t->position < 0)
        return;
    t->head = t->position;
    drop_early(l, t, INT64_MAX);
}

/* ---- telling ---- */

/* Tells one, whose turn it is; takes the reference. */
static int tell(struct logs *l, struct tale *t, json_t *entry)
{
    bool told = l->hooks.tell(l->hooks.owner, t, entry);
    int error;

    json_decref(entry);
    if (!told)
        return BANTER_NO_MEMORY;
    t->position++;
    error = store_set_position(l->store, t->id, t->position);
    if (error)
        l->hooks.trouble(l->hooks.owner, error, "a position could not be noted");
    return BANTER_OK;
}

/* Those whose turn has come meanwhile. */
static int tell_ripe(struct logs *l, struct tale *t)
{
    int error = BANTER_OK;

    drop_early(l, t, t->position);
    while (!error && t->early && t->early->seq == t->position + 1) {
        error = tell(l, t, pop_early(l, t));
        drop_early(l, t, t->position);
    }
    return error;
}

int logs_begin(struct logs *l, struct tale *t, int64_t seq)
{
    int error;

    if (t->position >= 0)
        return BANTER_OK;
    t->position = seq;
    if (t->head < seq)
        t->head = seq;
    error = store_set_position(l->store, t->id, seq);
    if (error)
        l->hooks.trouble(l->hooks.owner, error, "a position could not be noted");
    error = tell_ripe(l, t);
    logs_queue(l, t);
    return error;
}

int logs_begin_live(struct logs *l, struct tale *t)
{
    if (t->position >= 0)
        return BANTER_OK;
    if (t->early)
        return logs_begin(l, t, t->early->seq - 1);
    t->begins_live = true;
    return BANTER_OK;
}

int logs_offer(struct logs *l, json_t *entry, size_t size)
{
    struct banter_entry read;
    struct tale *t;
    int error = BANTER_OK;

    if (!wire_entry(entry, &read)) {
        json_decref(entry); /* as the contract asks: what is broken is passed over */
        return BANTER_OK;
    }
    t = logs_hold(l, read.conversation);
    if (!t) {
        json_decref(entry);
        return BANTER_NO_MEMORY;
    }
    if (read.seq > t->head)
        t->head = read.seq;
    if (t->position < 0 && t->begins_live)
        error = logs_begin(l, t, read.seq - 1);
    if (error || (t->position >= 0 && read.seq <= t->position)) {
        json_decref(entry);
    } else if (t->position >= 0 && read.seq == t->position + 1) {
        error = tell(l, t, entry);
        if (!error)
            error = tell_ripe(l, t);
    } else if (!keep_early(l, t, entry, read.seq, size)) {
        error = BANTER_NO_MEMORY;
    }
    logs_queue(l, t);
    return error;
}
