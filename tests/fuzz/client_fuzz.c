/* SPDX-License-Identifier: MIT */
/* client_fuzz.c - libbanter against a server that says anything: each line of the input is a
 * message over MQTT or the answer to an HTTP request, by its first letter. Whatever comes, entries
 * of one conversation are told in order and without a hole, and every request ends. */
#include "client/engine.h"
#include "client/mailbox.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CALLS_MAX = 16, KNOWN_MAX = 8, LINES_MAX = 64, STATUS_OK = 200 };

static const struct {
    char letter;
    const char *topic;
} topics[] = {
    {'c', "chat/0190f3a1-0000-7000-8000-000000000001"},
    {'t', "chat/0190f3a1-0000-7000-8000-000000000001/typing"},
    {'k', "chat/0190f3a1-0000-7000-8000-000000000001/cursor"},
    {'r', "me/receipt"},
    {'e', "me/event"},
    {'h', "me/heads"},
    {'m', "me/ready"},
    {'p', "presence/bob"},
    {'x', "chat/"},
};

static struct {
    http_done_fn *done;
    void *owner;
} calls[CALLS_MAX];
static size_t call_count;
static uint64_t now, generation;
static struct {
    char id[CONVERSATION_SIZE];
    int64_t told;
} known[KNOWN_MAX];
static size_t known_count;

static void on_entry(void *owner, const struct banter_entry *e)
{
    (void)owner;
    for (size_t i = 0; i < known_count; i++) {
        if (strcmp(known[i].id, e->conversation) != 0)
            continue;
        if (e->seq != known[i].told + 1)
            abort();
        known[i].told = e->seq;
        return;
    }
    if (known_count == KNOWN_MAX)
        return;
    memcpy(known[known_count].id, e->conversation, CONVERSATION_SIZE);
    known[known_count++].told = e->seq;
}

static void on_receipt(void *owner, const struct banter_receipt *receipt)
{
    (void)owner;
    if (!receipt->id || !receipt->conversation || (receipt->error && !receipt->reason))
        abort();
}

static int start(void *self, const struct http_request *request, http_done_fn *done, void *owner)
{
    (void)self;
    (void)request;
    if (call_count == CALLS_MAX)
        return BANTER_FULL;
    calls[call_count].done = done;
    calls[call_count++].owner = owner;
    return BANTER_OK;
}

static void answer(const struct http_answer *a)
{
    http_done_fn *done = calls[0].done;
    void *owner = calls[0].owner;

    if (call_count == 0)
        return;
    call_count--;
    memmove(&calls[0], &calls[1], call_count * sizeof calls[0]);
    done(owner, a);
}

static int open_one(void *self, const struct transport_target *target, uint64_t number)
{
    (void)self;
    (void)target;
    generation = number;
    return BANTER_OK;
}

static int publish(void *self, const char *topic, const char *payload, size_t length, int qos,
                   int *token)
{
    (void)self;
    (void)topic;
    (void)qos;
    if (payload[length] != '\0')
        abort();
    if (token)
        *token = 1;
    return BANTER_OK;
}

static int subscribe(void *self, const char *filter, int *token)
{
    (void)self;
    (void)filter;
    *token = 1;
    return BANTER_OK;
}

static int unsubscribe(void *self, const char *filter)
{
    (void)self;
    (void)filter;
    return BANTER_OK;
}

static void close_one(void *self)
{
    (void)self;
}

static bool is_up(void *self)
{
    (void)self;
    return true;
}

static uint64_t now_of(void *owner)
{
    (void)owner;
    return now;
}

static int64_t wall_of(void *owner)
{
    (void)owner;
    return (int64_t)now;
}

static uint64_t random_of(void *owner)
{
    (void)owner;
    return now;
}

static void nothing(void *owner)
{
    (void)owner;
}

static void post_event(struct engine *e, enum net_kind kind, const char *topic, const char *payload,
                       size_t length)
{
    struct net_event *event =
        net_event_make(kind, generation, topic, strlen(topic), payload, length);

    if (!event)
        abort();
    event->code = 100;
    engine_event(e, event);
    free(event);
}

static void take_line(struct engine *e, const char *line, size_t length)
{
    const struct http_answer said = {.status = STATUS_OK, .body = line + 1, .length = length - 1};
    const struct http_answer offline = {.error = BANTER_OFFLINE, .never_sent = true, .body = ""};

    now += 1000;
    if (line[0] == 'a')
        answer(&said);
    else if (line[0] == 'o')
        answer(&offline);
    else if (line[0] == 'u')
        post_event(e, NET_UP, "", "", 0);
    else if (line[0] == 'l')
        post_event(e, NET_LOST, "", "", 0);
    for (size_t i = 0; i < sizeof topics / sizeof topics[0]; i++)
        if (topics[i].letter == line[0])
            post_event(e, NET_MESSAGE, topics[i].topic, line + 1, length - 1);
    engine_tick(e);
}

static void live(struct engine *e, const char *text, size_t length)
{
    const struct banter_login login = {"alice", "a", "r", INT64_MAX / 2, 0};

    if (session_resume(e->session, &login) != BANTER_OK || watches_add(&e->watches, "bob"))
        abort();
    engine_start(e);
    engine_tick(e);
    for (int i = 0; i < LINES_MAX && length > 0; i++) {
        const char *end = memchr(text, '\n', length);
        size_t line = end ? (size_t)(end - text) : length;

        if (line > 0) {
            /* With a NUL behind it, as all payloads have. */
            char *copy = strndup(text, line);

            if (!copy)
                abort();
            take_line(e, copy, strlen(copy));
            free(copy);
        }
        length -= end ? line + 1 : line;
        text += end ? line + 1 : line;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct banter_server server = {"http://one", NULL};
    static const struct http_answer stopped = {.error = BANTER_STOPPED, .body = ""};
    struct banter_options options = BANTER_OPTIONS_INIT;
    struct banter_callbacks callbacks = BANTER_CALLBACKS_INIT;
    struct platform platform = {now_of, wall_of, random_of, NULL};
    struct settings settings;
    struct engine engine;
    struct engine_parts parts = {
        .platform = &platform,
        .settings = &settings,
        .callbacks = &callbacks,
        .http = {start, NULL},
        .transport = {open_one, publish, subscribe, unsubscribe, close_one, is_up, NULL},
        .changed = nothing,
    };
    static const char drafts[2][24] = {"{\"id\":\"1\",\"text\":\"t\"}",
                                       "{\"id\":\"2\",\"text\":\"t\"}"};

    options.servers = &server;
    options.server_count = 1;
    options.device = "phone";
    options.start = size % 2 == 0 ? BANTER_FROM_FIRST : BANTER_FROM_NOW;
    callbacks.on_entry = on_entry;
    callbacks.on_receipt = on_receipt;
    now = 1;
    known_count = call_count = 0;
    if (settings_init(&settings, &options) || store_open(&parts.store, NULL) ||
        store_post(parts.store, "@bob", "1", drafts[0], strlen(drafts[0]), 9) ||
        store_post(parts.store, "@bob", "2", drafts[1], strlen(drafts[1]), 9) ||
        engine_init(&engine, &parts))
        abort();
    live(&engine, (const char *)data, size);
    engine_stop(&engine);
    while (call_count > 0)
        answer(&stopped);
    engine_finish(&engine);
    store_close(parts.store);
    settings_finish(&settings);
    return 0;
}
