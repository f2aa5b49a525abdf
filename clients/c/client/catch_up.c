/* SPDX-License-Identifier: MIT */
/* catch_up.c - see catch_up.h. */
#include "client/catch_up.h"

#include "client/json.h"
#include "wire/limits.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    FILLS_MAX = 4,     /* gaps that are being filled at once */
    SYNC_ENTRIES = 50, /* of each conversation */
    SYNC_TRIES = 7,    /* about a quarter of a minute; then another server may know better */
    PATH_SIZE = 160,
    ENTRY_SIZE = 256, /* of one in a page, for counting what waits: texts are counted besides */
};

/* A page of the history, or a sync, that is under way. */
struct fetch {
    struct catch_up *c;
    uint64_t number;   /* c->user of a page, c->connection of a sync */
    struct tale *tale; /* NULL: a sync */
    int64_t asked_at;  /* its position then */
};

int catch_up_init(struct catch_up *c)
{
    char *synced;
    int error = store_get(c->store, "synced", &synced);

    c->is_first = synced == NULL;
    c->logs->begins_at_first = c->from_first;
    free(synced);
    c->sync_at = NEVER;
    return error;
}

void catch_up_clear(struct catch_up *c)
{
    c->connection++;
    c->user++;
    c->filling = 0;
    c->is_first = true;
    c->logs->begins_at_first = c->from_first;
}

static struct fetch *fetch_make(struct catch_up *c, struct tale *t)
{
    struct fetch *f = malloc(sizeof *f);

    if (f)
        *f = (struct fetch){c, t ? c->user : c->connection, t, t ? t->position : 0};
    return f;
}

void catch_up_online(struct catch_up *c)
{
    c->connection++;
    c->is_online = c->is_syncing = true;
    c->is_done = false;
    c->logs->begins_at_first = c->from_first; /* the sync says what kind a log is of */
    c->failed_syncs = 0;
    c->sync_at = platform_now(c->platform);
    backoff_reset(&c->backoff);
}

void catch_up_offline(struct catch_up *c)
{
    c->connection++;
    c->is_online = c->is_syncing = false;
    c->sync_at = NEVER;
}

/* ---- the sync ---- */

static struct tale *hold(struct catch_up *c, const char *id)
{
    struct tale *t = logs_find(c->logs, id);

    return t ? t : logs_make(c->logs, id, c->from_first ? 0 : -1);
}

/* A log that is new to us is told from its first entry if one came into it meanwhile, or if all is
 * to be told; else from the first one that has come live, or will. */
static int64_t beginning_of(const struct catch_up *c, const struct tale *t, bool is_channel,
                            int64_t last_seq)
{
    int64_t first_live = logs_first_early(t);

    if (c->from_first || (!c->is_first && !is_channel))
        return 0;
    return first_live > 0 && first_live <= last_seq ? first_live - 1 : last_seq;
}

static int take_conversation(struct catch_up *c, json_t *told)
{
    const char *id = json_text_of(told, "conversation"), *kind = json_text_of(told, "kind");
    const json_t *limits = json_object_get(told, "limits");
    int64_t last_seq = json_count_of(told, "last_seq");
    json_t *entries = json_object_get(told, "entries"), *entry;
    bool is_channel = kind && strcmp(kind, "channel") == 0;
    struct tale *t;
    size_t i;
    int error;

    if (!id || strlen(id) != CONVERSATION_LENGTH || last_seq < 0 || last_seq == INT64_MAX)
        return BANTER_OK;
    t = hold(c, id);
    if (!t)
        return BANTER_NO_MEMORY;
    t->has_cursors = !limits || json_truth_of(limits, "cursors");
    error = logs_begin(c->logs, t, beginning_of(c, t, is_channel, last_seq));
    json_array_foreach(entries, i, entry)
    {
        const char *text = json_text_of(entry, "text");

        if (!error)
            error = logs_offer(c->logs, json_incref(entry), ENTRY_SIZE + (text ? strlen(text) : 0));
    }
    logs_note(c->logs, t, last_seq);
    return error;
}

/* What has come live of a log that the sync does not name, because it is older than that, is not to
 * wait for the next one. */
static int begin_unnamed(struct catch_up *c)
{
    struct tale *t;
    size_t cursor = 0;
    int error = BANTER_OK;

    while (!error && (t = map_next(&c->logs->tales, &cursor)) != NULL)
        error = logs_begin_live(c->logs, t);
    return error;
}

static void take_sync(struct catch_up *c, json_t *answer)
{
    static const struct store_setting synced = {"synced", "1"};
    json_t *list = json_object_get(answer, "conversations"), *told;
    size_t i;
    int error = BANTER_OK;

    json_array_foreach(list, i, told)
    {
        if (!error)
            error = take_conversation(c, told);
    }
    if (!error)
        error = begin_unnamed(c);
    if (!error && c->is_first)
        error = store_set(c->store, &synced, 1);
    if (error) {
        c->hooks.trouble(c->hooks.owner, error, "a sync could not be taken");
        c->hooks.torn(c->hooks.owner);
        return;
    }
    c->is_first = c->is_syncing = false;
    c->logs->begins_at_first = true;
    logs_queue_all(c->logs);
}

static void synced(void *owner, const struct failure *f, json_t *json, const char *text)
{
    struct fetch *fetch = owner;
    struct catch_up *c = fetch->c;
    bool is_late = fetch->number != c->connection;

    (void)text;
    free(fetch);
    if (is_late)
        return;
    if (!f->error) {
        take_sync(c, json);
        return;
    }
    c->hooks.trouble(c->hooks.owner, f->error, f->reason);
    if (++c->failed_syncs == SYNC_TRIES)
        c->hooks.stuck(c->hooks.owner, f);
    c->sync_at = platform_now(c->platform) +
                 backoff_next(&c->backoff, c->platform, BACKOFF_LAST_MS, f->retry_after_ms);
}

static void write_sync(const struct catch_up *c, struct buf *b)
{
    const struct tale *t;
    size_t cursor = 0, count = 0;
    char separator = '{';

    buf_init(b, PACKET_MAX_BYTES);
    buf_str(b, "{\"cursors\":");
    while ((t = map_next(&c->logs->tales, &cursor)) != NULL) {
        if (t->position < 0 || count++ >= SYNC_CONVERSATIONS_MAX)
            continue;
        buf_char(b, separator);
        buf_json(b, slice_str(t->id));
        buf_char(b, ':');
        buf_i64(b, t->position);
        separator = ',';
    }
    if (separator == '{')
        buf_char(b, '{');
    buf_printf(b, "},\"limit\":%d}", c->is_first && !c->from_first ? 0 : SYNC_ENTRIES);
}

static void ask_for_sync(struct catch_up *c)
{
    struct fetch *f = fetch_make(c, NULL);
    struct buf body;
    int error = BANTER_NO_MEMORY;

    c->sync_at = NEVER;
    if (f) {
        write_sync(c, &body);
        error = api_call(c->api, "POST", "/v1/sync", &body, API_LARGE, synced, f);
    }
    if (error) {
        free(f);
        c->hooks.trouble(c->hooks.owner, error, "a sync could not be asked for");
        c->sync_at =
            platform_now(c->platform) + backoff_next(&c->backoff, c->platform, BACKOFF_LAST_MS, 0);
    }
}

/* ---- gaps ---- */

static void rest(struct catch_up *c, struct tale *t, uint64_t retry_after_ms)
{
    t->not_before = platform_now(c->platform) +
                    backoff_next(&t->backoff, c->platform, BACKOFF_LAST_MS, retry_after_ms);
}

static void take_page(struct catch_up *c, struct tale *t, int64_t asked_at, json_t *answer)
{
    json_t *entries = json_object_get(answer, "entries"), *entry;
    size_t i;
    int error = BANTER_OK;

    json_array_foreach(entries, i, entry)
    {
        const char *text = json_text_of(entry, "text");

        if (!error)
            error = logs_offer(c->logs, json_incref(entry), ENTRY_SIZE + (text ? strlen(text) : 0));
    }
    if (error) {
        c->hooks.torn(c->hooks.owner);
    } else if (t->position > asked_at) {
        backoff_reset(&t->backoff);
    } else if (json_truth_of(answer, "more")) {
        rest(c, t, 0);
    } else {
        logs_settle(c->logs, t); /* the server does not have what it spoke of */
    }
}

static void filled(void *owner, const struct failure *f, json_t *json, const char *text)
{
    struct fetch *fetch = owner;
    struct catch_up *c = fetch->c;
    struct tale *t = fetch->tale;
    int64_t asked_at = fetch->asked_at;
    bool is_late = fetch->number != c->user;

    (void)text;
    free(fetch);
    if (is_late)
        return;
    t->is_filling = false;
    c->filling--;
    if (!f->error) {
        take_page(c, t, asked_at, json);
    } else if (!f->is_banters || error_is_passing(f->error) || f->error == BANTER_UNAUTHORIZED) {
        rest(c, t, f->retry_after_ms); /* a new token was refused, too: the next one may do */
    } else {
        logs_settle(c->logs, t); /* one is not in it any more */
    }
    if (c->is_online)
        logs_queue(c->logs, t);
}

static int fill(struct catch_up *c, struct tale *t)
{
    struct fetch *f = fetch_make(c, t);
    int64_t missing = t->head - t->position;
    char path[PATH_SIZE];
    int error;

    if (!f)
        return BANTER_NO_MEMORY;
    (void)snprintf(path, sizeof path, "/v1/conversations/%s/messages?after=%" PRId64 "&limit=%d",
                   t->id, t->position,
                   missing < HISTORY_LIMIT_MAX ? (int)missing : HISTORY_LIMIT_MAX);
    error = api_call(c->api, "GET", path, NULL, API_LARGE, filled, f);
    if (error) {
        free(f);
        return error;
    }
    t->is_filling = true;
    c->filling++;
    return BANTER_OK;
}

/* Goes through the queue once; who has to wait goes to its end. */
static void fill_some(struct catch_up *c)
{
    uint64_t now = platform_now(c->platform);
    const struct tale *first_waiting = NULL;

    while (c->filling < FILLS_MAX && c->logs->lacking != first_waiting) {
        struct tale *t = logs_take_lacking(c->logs);

        if (!t)
            return;
        if (!logs_lacks(t))
            continue;
        if (t->not_before <= now && fill(c, t) == BANTER_OK)
            continue;
        if (t->not_before <= now)
            rest(c, t, 0);
        if (!first_waiting)
            first_waiting = t;
        logs_queue(c->logs, t);
    }
}

void catch_up_tick(struct catch_up *c)
{
    if (!c->is_online)
        return;
    if (platform_now(c->platform) >= c->sync_at)
        ask_for_sync(c);
    if (c->is_syncing)
        return;
    fill_some(c);
    if (!c->is_done && c->filling == 0 && !c->logs->lacking) {
        c->is_done = true;
        c->hooks.done(c->hooks.owner);
    }
}

uint64_t catch_up_deadline(const struct catch_up *c)
{
    uint64_t deadline = c->sync_at;

    if (!c->is_online || c->is_syncing || c->filling == FILLS_MAX)
        return deadline;
    for (const struct tale *t = c->logs->lacking; t; t = t->next)
        deadline = earlier(deadline, t->not_before);
    return deadline;
}

int catch_up_added(struct catch_up *c, const char *conversation, const char *kind)
{
    bool is_channel = kind && strcmp(kind, "channel") == 0;
    struct tale *t;
    int error = BANTER_OK;

    if (strlen(conversation) != CONVERSATION_LENGTH)
        return BANTER_OK;
    t = hold(c, conversation);
    if (!t)
        return BANTER_NO_MEMORY;
    if (t->position < 0) {
        t->has_cursors = !is_channel;
        error = is_channel ? logs_begin_live(c->logs, t) : logs_begin(c->logs, t, 0);
    }
    /* How far it reaches nobody has said; asking for the next entry finds out. */
    if (!error && t->position >= 0)
        logs_note(c->logs, t, t->position + 1);
    return error;
}
