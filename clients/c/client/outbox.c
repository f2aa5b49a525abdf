/* SPDX-License-Identifier: MIT */
/* outbox.c - see outbox.h. */
#include "client/outbox.h"

#include "base/hash.h"
#include "client/wire.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    WINDOW_MAX = 64,      /* drafts in flight */
    WINDOW_PER_LANE = 16, /* of one conversation: enough for 300 a second at 50 ms */
    FLYING_MAX_BYTES = 512 << 10,
    RECEIPT_TIMEOUT_MS = 20000,
    BACKOFF_LANE_LAST_MS = 15000, /* people wait for their messages */
    TROUBLE_MS = 1000,
    LOAD_COUNT = 16,
    TOPIC_SIZE = 80,
};

static uint64_t hash_of_id(const void *key)
{
    return hash_bytes(key, strlen(key));
}

static bool is_same_id(const void *a, const void *b)
{
    return strcmp(a, b) == 0;
}

static const void *id_of(const void *item)
{
    return ((const struct letter *)item)->id;
}

static const struct map_type by_id = {hash_of_id, is_same_id, id_of};

void outbox_init(struct outbox *o)
{
    map_init(&o->letters, &by_id);
    o->first = NULL;
    o->last = &o->first;
    o->done = NULL;
    o->done_at = NEVER;
    o->loaded = 0;
    o->flying = o->flying_bytes = 0;
    o->window = WINDOW_MAX;
    o->try_at = NEVER;
    o->is_up = false;
    o->may_be_more = true;
}

void outbox_finish(struct outbox *o)
{
    struct lane *next;
    struct letter *letter;

    while ((letter = o->done) != NULL) {
        o->done = letter->next;
        free(letter);
    }
    for (struct lane *l = o->first; l; l = next) {
        next = l->next;
        for (size_t i = 0; i < l->count; i++)
            free(l->line[i]);
        lane_destroy(l);
    }
    o->first = NULL;
    o->last = &o->first;
    map_finish(&o->letters);
}

void outbox_clear(struct outbox *o)
{
    bool is_up = o->is_up;

    outbox_finish(o);
    outbox_init(o);
    o->is_up = is_up;
}

static void in_trouble(struct outbox *o, int error, const char *what)
{
    o->try_at = platform_now(o->platform) + TROUBLE_MS;
    o->hooks.trouble(o->hooks.owner, error, what);
}

/* ---- lanes ---- */

static struct lane *find_lane(const struct outbox *o, const char *target)
{
    struct lane *l = o->first;

    while (l && strcmp(l->target, target) != 0)
        l = l->next;
    return l;
}

static void append_lane(struct outbox *o, struct lane *l)
{
    l->next = NULL;
    *o->last = l;
    o->last = &l->next;
}

static struct lane *lane_to(struct outbox *o, const char *target)
{
    struct lane *l = find_lane(o, target);

    if (l)
        return l;
    l = lane_create(target);
    if (l)
        append_lane(o, l);
    return l;
}

static void unlink_lane(struct outbox *o, struct lane *l)
{
    struct lane **at = &o->first;

    while (*at != l)
        at = &(*at)->next;
    *at = l->next;
    if (o->last == &l->next)
        o->last = at;
}

static void land(struct outbox *o, const struct letter *letter)
{
    if (lane_is_flying(letter->lane, letter)) {
        o->flying--;
        o->flying_bytes -= letter->length;
    }
}

static void rewind_lane(struct outbox *o, struct lane *l)
{
    for (size_t i = 0; i < l->flying; i++) {
        o->flying--;
        o->flying_bytes -= l->line[i]->length;
    }
    lane_rewind(l);
}

/* It takes no place in the store any more, or will be found there again at the next start. */
static void remove_done(struct outbox *o)
{
    struct letter *letter;

    o->done_at = NEVER;
    while ((letter = o->done) != NULL) {
        int error = store_draft_remove(o->store, letter->number);

        if (error) {
            o->hooks.trouble(o->hooks.owner, error, "a receipted draft stays in the store");
            o->done_at = platform_now(o->platform) + TROUBLE_MS;
            return;
        }
        o->done = letter->next;
        free(letter);
    }
}

static void forget(struct outbox *o, struct letter *letter)
{
    struct lane *l = letter->lane;

    land(o, letter);
    lane_remove(l, letter);
    map_remove(&o->letters, letter->id);
    letter->lane = NULL;
    letter->next = o->done;
    o->done = letter;
    remove_done(o);
    if (l->count == 0) {
        unlink_lane(o, l);
        lane_destroy(l);
    }
}

/* ---- from the store ---- */

static bool place(struct outbox *o, const struct store_draft *draft)
{
    struct letter *letter = calloc(1, sizeof *letter);
    struct lane *l = letter ? lane_to(o, draft->target) : NULL;

    if (!l)
        goto fail;
    letter->number = draft->number;
    letter->length = draft->length;
    memcpy(letter->id, draft->id, sizeof letter->id);
    if (!map_insert(&o->letters, letter))
        goto fail;
    if (lane_add(l, letter))
        return true;
    map_remove(&o->letters, letter->id);
fail:
    free(letter);
    return false; /* an empty lane may be left; it goes when it is looked at */
}

static void load(struct outbox *o)
{
    struct store_draft drafts[LOAD_COUNT];
    size_t count;
    int error;

    do {
        error = store_drafts_after(o->store, o->loaded, drafts, LOAD_COUNT, &count);
        for (size_t i = 0; !error && i < count; i++) {
            if (place(o, &drafts[i]))
                o->loaded = drafts[i].number;
            else
                error = BANTER_NO_MEMORY;
        }
    } while (!error && count == LOAD_COUNT);
    o->may_be_more = error != BANTER_OK;
    if (error)
        in_trouble(o, error, "drafts cannot be read");
}

/* ---- sending ---- */

static bool has_room(const struct outbox *o, const struct letter *letter)
{
    if (o->flying == 0)
        return true; /* one may always fly, however long it is */
    return o->flying < o->window && o->flying_bytes + letter->length <= FLYING_MAX_BYTES;
}

static bool send_letter(struct outbox *o, struct lane *l, struct letter *letter)
{
    char topic[TOPIC_SIZE];
    char *body;
    size_t length = 0;
    int error = store_draft_body(o->store, letter->number, &body, &length);

    if (!error && !body)
        error = BANTER_STORE; /* somebody has meddled with the store */
    if (!error) {
        (void)snprintf(topic, sizeof topic, "send/%s", l->target);
        error = o->hooks.publish(o->hooks.owner, topic, body, length);
    }
    free(body);
    if (error) {
        in_trouble(o, error, "a draft cannot be sent");
        return false;
    }
    lane_send(l, platform_now(o->platform));
    o->flying++;
    o->flying_bytes += letter->length;
    return true;
}

/* False: sending has to stop. */
static bool send_lane(struct outbox *o, struct lane *l)
{
    size_t most = lane_is_to_handle(l) || l->probing ? 1 : WINDOW_PER_LANE;
    struct letter *letter;

    while (l->flying < most && (letter = lane_next(l)) != NULL) {
        if (!has_room(o, letter) || !send_letter(o, l, letter))
            return false;
    }
    return true;
}

static void check_time(struct outbox *o, struct lane *l, uint64_t now)
{
    uint64_t since = lane_flying_since(l);

    if (since != NEVER && now - since >= RECEIPT_TIMEOUT_MS)
        rewind_lane(o, l);
    if (l->paused_until <= now)
        l->paused_until = 0;
}

/* Whoever had a turn goes behind the others, so that one busy lane does not keep the window. */
static void rotate(struct outbox *o)
{
    struct lane *l = o->first;

    if (!l || !l->next || l->flying == 0)
        return;
    unlink_lane(o, l);
    append_lane(o, l);
}

void outbox_tick(struct outbox *o)
{
    uint64_t now = platform_now(o->platform);
    struct lane *next;

    if (now >= o->done_at) {
        remove_done(o);
        o->hooks.fewer(o->hooks.owner);
    }
    if (o->try_at != NEVER && now < o->try_at)
        return;
    o->try_at = NEVER;
    if (o->may_be_more)
        load(o);
    if (!o->is_up)
        return;
    for (struct lane *l = o->first; l; l = l->next)
        check_time(o, l, now);
    for (struct lane *l = o->first; l; l = next) {
        next = l->next;
        if (l->count == 0) {
            unlink_lane(o, l); /* memory ran out before it had a draft */
            lane_destroy(l);
        } else if (l->paused_until == 0 && !send_lane(o, l)) {
            break;
        }
    }
    rotate(o);
}

uint64_t outbox_deadline(const struct outbox *o)
{
    uint64_t deadline = o->done_at;

    if (o->try_at != NEVER)
        return earlier(deadline, o->try_at);
    if (o->may_be_more)
        return 0;
    if (!o->is_up)
        return deadline;
    for (const struct lane *l = o->first; l; l = l->next) {
        uint64_t since = lane_flying_since(l);

        if (since != NEVER)
            deadline = earlier(deadline, since + RECEIPT_TIMEOUT_MS);
        else if (l->paused_until > 0)
            deadline = earlier(deadline, l->paused_until);
    }
    return deadline;
}

void outbox_look(struct outbox *o)
{
    o->may_be_more = true;
}

void outbox_up(struct outbox *o, unsigned receive_maximum)
{
    /* Paho slows down to a crawl when the broker's window is full: stay below. */
    o->window = receive_maximum / 2 < WINDOW_MAX ? receive_maximum / 2 + 1 : WINDOW_MAX;
    o->is_up = true;
    o->try_at = NEVER;
    for (struct lane *l = o->first; l; l = l->next) {
        l->paused_until = 0;
        backoff_reset(&l->backoff);
    }
}

void outbox_down(struct outbox *o)
{
    o->is_up = false;
    for (struct lane *l = o->first; l; l = l->next)
        rewind_lane(o, l);
    assert(o->flying == 0 && o->flying_bytes == 0);
}

/* ---- receipts ---- */

/* The direct conversation with a user is known now: their drafts go there. */
static void rename_lane(struct outbox *o, const char *handle, const char *conversation)
{
    struct lane *from = find_lane(o, handle), *to;
    int error = store_retarget(o->store, handle, conversation);

    if (error)
        o->hooks.trouble(o->hooks.owner, error, "a direct conversation could not be noted");
    if (error || !from)
        return;
    rewind_lane(o, from);
    to = lane_to(o, conversation);
    /* All or none, for the order; without memory they go on one by one, as before. */
    if (!to || !lane_make_room(to, from->count))
        return;
    for (size_t i = 0; i < from->count; i++)
        if (!lane_add(to, from->line[i]))
            abort(); /* there is room */
    unlink_lane(o, from);
    lane_destroy(from);
}

static void settle(struct outbox *o, struct letter *letter, const char *conversation)
{
    struct lane *l = letter->lane;
    char target[TARGET_SIZE];

    memcpy(target, l->target, sizeof target);
    backoff_reset(&l->backoff);
    l->probing = false;
    l->paused_until = 0;
    forget(o, letter);
    if (strcmp(target, conversation) != 0)
        rename_lane(o, target, conversation);
}

static json_t *entry_of(struct outbox *o, const struct letter *letter,
                        const struct banter_receipt *receipt, size_t *size)
{
    const char *user = o->hooks.user(o->hooks.owner);
    char *body;
    json_t *entry = NULL;

    if (store_draft_body(o->store, letter->number, &body, size) != BANTER_OK)
        return NULL;
    if (body && user)
        entry = wire_entry_of_draft(body, *size, user, receipt);
    free(body);
    return entry;
}

static void was_stored(struct outbox *o, struct letter *letter,
                       const struct banter_receipt *receipt)
{
    size_t size = 0;
    json_t *entry = entry_of(o, letter, receipt, &size);

    if (!entry) {
        /* Sent again, it has its receipt again. */
        rewind_lane(o, letter->lane);
        in_trouble(o, BANTER_NO_MEMORY, "a receipt could not be taken");
        return;
    }
    o->hooks.receipt(o->hooks.owner, receipt);
    settle(o, letter, receipt->conversation);
    o->hooks.stored(o->hooks.owner, entry, size);
}

static void was_refused(struct outbox *o, struct letter *letter,
                        const struct banter_receipt *receipt, const struct failure *f)
{
    struct lane *l = letter->lane;
    bool is_first = l->line[0] == letter;

    switch (lane_refuse(l, letter, f->error)) {
    case LANE_FINAL:
        l->probing = false;
        o->hooks.receipt(o->hooks.owner, receipt);
        forget(o, letter);
        break;
    case LANE_REWIND:
        rewind_lane(o, l);
        l->probing = true;
        l->paused_until =
            platform_now(o->platform) +
            backoff_next(&l->backoff, o->platform, BACKOFF_LANE_LAST_MS, f->retry_after_ms);
        /* Nothing stands before the first one, yet the server misses something. */
        if (is_first && f->error == BANTER_OUT_OF_ORDER)
            o->hooks.drop(o->hooks.owner, f);
        break;
    case LANE_HAPPENED:
        break;
    }
}

/* An id is the sender's choice, and unique in one conversation only: a late receipt may be of a
 * draft with this id elsewhere. What was sent to @handle may go to the conversation meanwhile. */
static bool is_of(const struct letter *letter, const struct banter_receipt *receipt, const char *to)
{
    const char *target = letter->lane->target;

    return strcmp(target, receipt->conversation) == 0 || strcmp(target, to) == 0;
}

void outbox_receipt(struct outbox *o, const struct banter_receipt *receipt, const char *to,
                    const struct failure *f)
{
    struct letter *letter = map_find(&o->letters, receipt->id);

    if (!letter || !is_of(letter, receipt, to))
        return; /* told before, by the entry itself; or of another draft with this id */
    if (receipt->error)
        was_refused(o, letter, receipt, f);
    else
        was_stored(o, letter, receipt);
}

void outbox_entry(struct outbox *o, const struct banter_entry *entry)
{
    struct letter *letter = entry->id ? map_find(&o->letters, entry->id) : NULL;
    const struct banter_receipt receipt = {
        .id = entry->id, .conversation = entry->conversation, .seq = entry->seq, .at = entry->at};

    /* Not to @handle: an entry with this id may be in any conversation; the receipt will come. */
    if (!letter || strcmp(letter->lane->target, entry->conversation) != 0)
        return;
    o->hooks.receipt(o->hooks.owner, &receipt);
    settle(o, letter, entry->conversation);
}
