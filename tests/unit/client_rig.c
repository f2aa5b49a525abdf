/* SPDX-License-Identifier: MIT */
/* client_rig.c - see client_rig.h. */
#include "unit/unit.h"

#include "unit/client_rig.h"

#include "client/mailbox.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    STEPS_MAX = 200000,
    HOUR_MS = 3600 * 1000,
};

/* ---- what the program is told ---- */

static void on_entry(void *owner, const struct banter_entry *e)
{
    struct rig *r = owner;
    struct rig_conversation *c = rig_conversation(r, e->conversation);

    assert_int_equal(e->seq, c->told + 1);
    assert_in_range(e->seq, 1, c->last_seq);
    assert_string_equal(e->from, c->log[e->seq - 1].from);
    assert_string_equal(e->id, c->log[e->seq - 1].id);
    assert_string_equal(e->text, "text");
    assert_int_equal(e->own, strcmp(e->from, "alice") == 0);
    c->told = e->seq;
}

static void on_receipt(void *owner, const struct banter_receipt *receipt)
{
    struct rig *r = owner;

    for (size_t i = 0; i < r->posted_count; i++) {
        if (strcmp(r->posted[i], receipt->id) != 0)
            continue;
        r->receipts[i]++;
        r->errors[i] = receipt->error;
        if (!receipt->error)
            assert_string_equal(
                rig_conversation(r, receipt->conversation)->log[receipt->seq - 1].id, receipt->id);
        return;
    }
    fail_msg("a receipt for %s, which was never posted", receipt->id);
}

static void on_state(void *owner, const struct banter_state *state)
{
    ((struct rig *)owner)->state = (int)state->connection;
}

static void on_login(void *owner, const struct banter_login *login)
{
    struct rig *r = owner;

    if (login)
        r->logins++;
    else
        r->logouts++;
}

static void on_presence(void *owner, const struct banter_presence *p)
{
    struct rig *r = owner;

    r->presences++;
    (void)snprintf(r->last_presence, sizeof r->last_presence, "%s", p->state ? p->state : "?");
}

static void on_typing(void *owner, const char *conversation, const char *from, bool typing)
{
    assert_non_null(rig_conversation(owner, conversation));
    assert_string_equal(from, "bob");
    ((struct rig *)owner)->typings += typing;
}

static void on_cursor(void *owner, const struct banter_cursor *cursor)
{
    assert_non_null(rig_conversation(owner, cursor->conversation));
    ((struct rig *)owner)->cursors++;
}

static void on_event(void *owner, const char *json)
{
    assert_non_null(strstr(json, "event"));
    ((struct rig *)owner)->events++;
}

/* ---- time ---- */

static uint64_t now_of(void *owner)
{
    return ((struct rig *)owner)->now;
}

static int64_t wall_of(void *owner)
{
    return (int64_t)((struct rig *)owner)->now;
}

static uint64_t random_of(void *owner)
{
    return rig_chance(owner, UINT64_MAX);
}

static void nothing(void *owner)
{
    (void)owner;
}

/* ---- life ---- */

static void make_engine(struct rig *r, const char *path, enum banter_start start)
{
    static const struct banter_server servers[] = {{"http://one:1", NULL},
                                                   {"https://two", "mqtts://two:8883"}};
    struct banter_options options = BANTER_OPTIONS_INIT;
    const struct engine_parts parts = {
        .platform = &r->platform,
        .settings = &r->settings,
        .callbacks = &r->callbacks,
        .http = rig_http(r),
        .transport = rig_transport(r),
        .changed = nothing,
    };
    struct engine_parts with_store = parts;

    options.servers = servers;
    options.server_count = 2;
    options.device = "phone";
    options.store = path;
    options.start = start;
    options.location = "eu/de";
    assert_int_equal(settings_init(&r->settings, &options), BANTER_OK);
    assert_int_equal(store_open(&r->store, path), BANTER_OK);
    with_store.store = r->store;
    assert_int_equal(engine_init(&r->engine, &with_store), BANTER_OK);
    engine_start(&r->engine);
}

static void end_engine(struct rig *r)
{
    static const struct http_answer stopped = {.error = BANTER_STOPPED};

    engine_stop(&r->engine);
    for (size_t i = 0; i < r->call_count; i++)
        r->calls[i].done(r->calls[i].owner, &stopped);
    r->call_count = r->net_count = 0;
    engine_finish(&r->engine);
    store_close(r->store);
    settings_finish(&r->settings);
}

void rig_init(struct rig *r, uint64_t seed, const char *path, enum banter_start start)
{
    const struct banter_callbacks callbacks = {
        .struct_size = sizeof callbacks,
        .owner = r,
        .on_state = on_state,
        .on_entry = on_entry,
        .on_receipt = on_receipt,
        .on_event = on_event,
        .on_typing = on_typing,
        .on_cursor = on_cursor,
        .on_presence = on_presence,
        .on_login = on_login,
    };

    memset(r, 0, sizeof *r);
    r->callbacks = callbacks;
    r->now = HOUR_MS;
    r->seed = seed * 2 + 1;
    r->platform = (struct platform){now_of, wall_of, random_of, r};
    for (int i = 0; i < RIG_CONVERSATIONS; i++)
        r->conversations[i].id = rig_ids[i];
    make_engine(r, path, start);
}

void rig_finish(struct rig *r)
{
    end_engine(r);
}

void rig_restart(struct rig *r, const char *path, enum banter_start start)
{
    end_engine(r);
    make_engine(r, path, start);
}

static void logged_in(void *owner, const struct banter_result *result)
{
    *(int *)owner = result->error;
}

void rig_log_in(struct rig *r)
{
    enum { WAITING = -1 };
    int error = WAITING;

    for (int i = 0; i < 100 && error != BANTER_OK; i++) {
        if (session_enter(r->engine.session, "/v1/login", "alice", "correct horse", NULL, NULL,
                          logged_in, &error) == BANTER_OK)
            while (r->call_count > 0)
                rig_answer(r);
    }
    assert_int_equal(error, BANTER_OK);
}

void rig_others_post(struct rig *r, int conversation)
{
    struct rig_conversation *c = &r->conversations[conversation];
    char id[24], topic[64], payload[2 * RIG_TEXT_SIZE];

    (void)snprintf(id, sizeof id, "b%" PRId64, c->last_seq + 1);
    rig_entry_json(c, rig_append(c, "bob", id), payload, sizeof payload);
    (void)snprintf(topic, sizeof topic, "chat/%s", c->id);
    if (!rig_happens(r, r->faults.lose_live))
        rig_message(r, topic, payload);
}

bool rig_post(struct rig *r, int conversation, const char *id)
{
    char body[RIG_TEXT_SIZE];
    int error;

    assert_in_range(r->posted_count, 0, RIG_DRAFTS_MAX - 1);
    (void)snprintf(body, sizeof body, "{\"id\":\"%s\",\"text\":\"text\"}", id);
    error = store_post(r->store, conversation == 0 ? "@bob" : rig_ids[conversation], id, body,
                       strlen(body), RIG_DRAFTS_MAX);
    outbox_look(&r->engine.outbox);
    if (error) {
        assert_true(r->frail);
        return false;
    }
    (void)snprintf(r->posted[r->posted_count], sizeof r->posted[0], "%s", id);
    r->posted_to[r->posted_count++] = conversation;
    return true;
}

static void take_net(struct rig *r)
{
    const struct rig_net n = r->net[r->net_first];
    struct net_event *e;

    r->net_first = (r->net_first + 1) % RIG_NET_MAX;
    r->net_count--;
    e = net_event_make(n.kind, n.generation, n.topic, strlen(n.topic), n.payload,
                       strlen(n.payload));
    if (!e) {
        assert_true(r->frail);
        engine_torn(&r->engine);
        return;
    }
    e->code = n.code;
    e->token = n.token;
    engine_event(&r->engine, e);
    free(e);
}

void rig_step(struct rig *r)
{
    uint64_t deadline;

    engine_tick(&r->engine);
    if (r->net_count > 0 && (r->call_count == 0 || rig_chance(r, 2) == 0)) {
        take_net(r);
    } else if (r->call_count > 0) {
        rig_answer(r);
    } else {
        deadline = engine_deadline(&r->engine);
        assert_true(deadline == 0 || deadline > r->now || r->frail);
        r->now = deadline == NEVER || deadline <= r->now ? r->now + 1 : deadline;
    }
    if (rig_happens(r, r->faults.cut))
        rig_lose(r, 0);
    engine_tick(&r->engine);
}

bool rig_is_settled(const struct rig *r)
{
    if (r->state != BANTER_ONLINE || store_draft_count(r->store) > 0 || r->call_count > 0 ||
        r->net_count > 0)
        return false;
    for (int i = 0; i < RIG_CONVERSATIONS; i++)
        if (r->conversations[i].told != r->conversations[i].last_seq)
            return false;
    return true;
}

/* The server says every half minute how far the logs reach. */
static void say_heads(struct rig *r)
{
    char payload[2 * RIG_TEXT_SIZE];
    size_t length = 0;

    for (int i = 0; i < RIG_CONVERSATIONS; i++)
        length += (size_t)snprintf(payload + length, sizeof payload - length, "%s\"%s\":%" PRId64,
                                   i > 0 ? "," : "{", rig_ids[i], r->conversations[i].last_seq);
    (void)snprintf(payload + length, sizeof payload - length, "}");
    rig_message(r, "me/heads", payload);
}

void rig_settle(struct rig *r)
{
    for (int i = 0; i < STEPS_MAX && !rig_is_settled(r); i++) {
        if (i % 50 == 49 && r->net_count == 0)
            say_heads(r);
        rig_step(r);
    }
    assert_true(rig_is_settled(r));
}

void rig_pass(struct rig *r, uint64_t ms)
{
    uint64_t until = r->now + ms;

    while (r->now < until || r->net_count > 0 || r->call_count > 0)
        rig_step(r);
}

void rig_assert_complete(const struct rig *r)
{
    int64_t last[RIG_CONVERSATIONS] = {0};

    for (size_t i = 0; i < r->posted_count; i++) {
        const struct rig_conversation *c = &r->conversations[r->posted_to[i]];
        int64_t seq = rig_find_draft(c, r->posted[i]);

        assert_int_equal(r->receipts[i], 1);
        if (r->errors[i]) {
            assert_int_equal(seq, 0);
            continue;
        }
        assert_true(seq > last[r->posted_to[i]]);
        last[r->posted_to[i]] = seq;
    }
    for (int i = 0; i < RIG_CONVERSATIONS; i++)
        assert_int_equal(r->conversations[i].told, r->conversations[i].last_seq);
}
