/* SPDX-License-Identifier: MIT */
/* client_rig_server.c - the server of client_rig.h, and the way to it: logs that keep the order as
 * the real one does, tokens that work once, and whatever the faults say goes wrong. */
#include "unit/unit.h"

#include "unit/client_rig.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    PAGE_MAX = 20,
    ANSWER_SIZE = 1 << 17,
    STATUS_OK = 200,
    STATUS_UNAUTHORIZED = 401,
    STATUS_NOT_FOUND = 404,
    STATUS_UNAVAILABLE = 503,
    LAST_KIND = RIG_CONVERSATIONS - 1, /* the channel */
};

const char *const rig_ids[RIG_CONVERSATIONS] = {
    "0190f3a1-0000-7000-8000-000000000001",
    "0190f3a1-0000-7000-8000-000000000002",
    "0190f3a1-0000-7000-8000-000000000003",
};

uint64_t rig_chance(struct rig *r, uint64_t bound)
{
    r->seed ^= r->seed << 13; /* xorshift64 (Marsaglia, 2003) */
    r->seed ^= r->seed >> 7;
    r->seed ^= r->seed << 17;
    return r->seed % bound;
}

bool rig_happens(struct rig *r, unsigned percent)
{
    return percent > 0 && rig_chance(r, 100) < percent;
}

struct rig_conversation *rig_conversation(struct rig *r, const char *id)
{
    for (int i = 0; i < RIG_CONVERSATIONS; i++)
        if (strncmp(r->conversations[i].id, id, strlen(rig_ids[0])) == 0)
            return &r->conversations[i];
    fail_msg("no conversation %s", id);
    return NULL;
}

/* ---- the network ---- */

static void send_net(struct rig *r, enum net_kind kind, int code, const char *topic,
                     const char *payload)
{
    struct rig_net *n = &r->net[(r->net_first + r->net_count) % RIG_NET_MAX];

    assert_in_range(r->net_count++, 0, RIG_NET_MAX - 1);
    *n = (struct rig_net){.kind = kind, .generation = r->generation, .code = code};
    (void)snprintf(n->topic, sizeof n->topic, "%s", topic);
    (void)snprintf(n->payload, sizeof n->payload, "%s", payload);
}

void rig_message(struct rig *r, const char *topic, const char *payload)
{
    if (r->ready)
        send_net(r, NET_MESSAGE, 0, topic, payload);
}

void rig_event(struct rig *r, const char *json)
{
    rig_message(r, "me/event", json);
}

void rig_lose(struct rig *r, int code)
{
    if (!r->connected)
        return;
    r->connected = r->ready = false;
    send_net(r, NET_LOST, code, "cut", "");
    for (int i = 0; i < RIG_CONVERSATIONS; i++)
        r->conversations[i].refused_from = 0;
}

static int transport_open(void *self, const struct transport_target *target, uint64_t generation)
{
    struct rig *r = self;
    char token[16];

    assert_string_equal(target->client_id, "alice/phone");
    r->generation = generation;
    r->connects++;
    (void)snprintf(token, sizeof token, "a%u", r->access);
    if (strcmp(target->password, token) != 0) {
        send_net(r, NET_REFUSED, REASON_NOT_AUTHORIZED, "not authorized", "");
    } else if (rig_happens(r, r->faults.refuse_connect)) {
        send_net(r, NET_REFUSED, 0, "no route", "");
    } else {
        r->connected = r->ready = true;
        send_net(r, NET_UP, 2000, "", "");
        send_net(r, NET_MESSAGE, 0, "me/ready", "{}");
    }
    return BANTER_OK;
}

void rig_entry_json(const struct rig_conversation *c, int64_t seq, char *to, size_t size)
{
    const struct rig_entry *e = &c->log[seq - 1];

    (void)snprintf(to, size,
                   "{\"conversation\":\"%s\",\"seq\":%" PRId64
                   ",\"at\":\"2026-11-22T10:00:00.000Z\""
                   ",\"from\":\"%s\",\"id\":\"%s\",\"kind\":\"text\",\"text\":\"t\\u0065xt\"}",
                   c->id, seq, e->from, e->id);
}

int64_t rig_append(struct rig_conversation *c, const char *from, const char *id)
{
    struct rig_entry *e = &c->log[c->last_seq];

    assert_in_range(c->last_seq, 0, RIG_ENTRIES_MAX - 1);
    (void)snprintf(e->from, sizeof e->from, "%s", from);
    (void)snprintf(e->id, sizeof e->id, "%s", id);
    return ++c->last_seq;
}

int64_t rig_find_draft(const struct rig_conversation *c, const char *id)
{
    for (int64_t i = 0; i < c->last_seq; i++)
        if (strcmp(c->log[i].id, id) == 0)
            return i + 1;
    return 0;
}

static void take_id(const char *json, char *id, size_t size)
{
    const char *at = strstr(json, "\"id\":\"");

    assert_non_null(at);
    at += strlen("\"id\":\"");
    (void)snprintf(id, size, "%.*s", (int)strcspn(at, "\""), at);
}

static void refuse_draft(struct rig *r, const char *target, const char *id, const char *code)
{
    char payload[2 * RIG_TEXT_SIZE];

    (void)snprintf(payload, sizeof payload,
                   "{\"id\":\"%s\",\"conversation\":\"%s\",\"error\":{\"code\":\"%s\","
                   "\"reason\":\"by chance\",\"retry_after_ms\":10}}",
                   id, target, code);
    rig_message(r, "me/receipt", payload);
}

static int place_of_draft(const struct rig *r, const char *id)
{
    for (size_t i = 0; i < r->posted_count; i++)
        if (strcmp(r->posted[i], id) == 0)
            return (int)i + 1;
    fail_msg("%s was never posted", id);
    return 0;
}

/* As a server that keeps the order: after a refusal in passing nothing is taken before that. */
static void take_draft(struct rig *r, struct rig_conversation *c, const char *target,
                       const char *payload)
{
    char id[24], receipt[2 * RIG_TEXT_SIZE];
    const char *to = target[0] == '@' ? ",\"to\":\"@bob\"" : "";
    int64_t seq;
    int place;

    take_id(payload, id, sizeof id);
    seq = rig_find_draft(c, id);
    place = place_of_draft(r, id);
    if (strncmp(id, "bad", 3) == 0) {
        refuse_draft(r, target, id, "invalid");
        return;
    }
    if (c->refused_from && c->refused_from != place && !seq) {
        refuse_draft(r, target, id, "out_of_order");
        return;
    }
    if (!seq && rig_happens(r, r->faults.refuse)) {
        c->refused_from = place;
        refuse_draft(r, target, id, "unavailable");
        return;
    }
    c->refused_from = 0;
    if (!seq)
        seq = rig_append(c, "alice", id);
    (void)snprintf(receipt, sizeof receipt,
                   "{\"id\":\"%s\",\"conversation\":\"%s\"%s,\"seq\":%" PRId64
                   ",\"at\":\"2026-11-22T10:00:00.000Z\"}",
                   id, c->id, to, seq);
    if (!rig_happens(r, r->faults.lose_receipt))
        rig_message(r, "me/receipt", receipt);
}

static int transport_publish(void *self, const char *topic, const char *payload, size_t length,
                             int qos, int *token)
{
    struct rig *r = self;

    assert_true(qos == 0 || qos == 1);
    assert_int_equal(payload[length], '\0');
    if (!r->connected)
        return BANTER_OFFLINE;
    if (token) {
        *token = ++r->next_token;
        send_net(r, NET_ACK, 0, "", "");
        r->net[(r->net_first + r->net_count - 1) % RIG_NET_MAX].token = *token;
    }
    if (strncmp(topic, "send/@bob", 9) == 0) {
        take_draft(r, &r->conversations[0], "@bob", payload);
    } else if (strlen(topic) == strlen("send/") + strlen(rig_ids[0])) {
        take_draft(r, rig_conversation(r, topic + strlen("send/")), topic + strlen("send/"),
                   payload);
    } else {
        r->signals++;
        (void)snprintf(r->last_publish, sizeof r->last_publish, "%s %s", topic, payload);
    }
    return BANTER_OK;
}

static int transport_subscribe(void *self, const char *filter, int *token)
{
    struct rig *r = self;
    bool is_refused = strcmp(filter, "presence/nobody") == 0;

    if (!r->connected)
        return BANTER_OFFLINE;
    *token = ++r->next_token;
    send_net(r, NET_ACK, is_refused ? REASON_NOT_AUTHORIZED : 0, "", "");
    r->net[(r->net_first + r->net_count - 1) % RIG_NET_MAX].token = *token;
    if (!is_refused)
        rig_message(r, filter, "{\"user\":\"bob\",\"state\":\"online\"}");
    return BANTER_OK;
}

static int transport_unsubscribe(void *self, const char *filter)
{
    assert_memory_equal(filter, "presence/", 9);
    return ((struct rig *)self)->connected ? BANTER_OK : BANTER_OFFLINE;
}

static void transport_close(void *self)
{
    struct rig *r = self;

    r->connected = r->ready = false;
    for (int i = 0; i < RIG_CONVERSATIONS; i++)
        r->conversations[i].refused_from = 0;
}

static bool transport_is_up(void *self)
{
    return ((struct rig *)self)->connected;
}

/* ---- HTTP ---- */

static int http_start(void *self, const struct http_request *request, http_done_fn *done,
                      void *owner)
{
    struct rig *r = self;
    struct rig_call *call = &r->calls[r->call_count];

    if (r->call_count == RIG_CALLS_MAX)
        return BANTER_FULL;
    r->call_count++;
    *call = (struct rig_call){.done = done, .owner = owner};
    (void)snprintf(call->method, sizeof call->method, "%s", request->method);
    (void)snprintf(call->path, sizeof call->path, "%s", request->path);
    (void)snprintf(call->key, sizeof call->key, "%s", request->key ? request->key : "");
    (void)snprintf(call->body, sizeof call->body, "%s %s", request->bearer ? request->bearer : "-",
                   request->body ? request->body : "");
    return BANTER_OK;
}

static size_t write_entries(const struct rig_conversation *c, int64_t after, int64_t count,
                            char *to, size_t size)
{
    size_t length = (size_t)snprintf(to, size, "\"entries\":[");

    for (int64_t seq = after + 1; seq <= c->last_seq && seq <= after + count; seq++) {
        if (seq > after + 1)
            to[length++] = ',';
        rig_entry_json(c, seq, to + length, size - length);
        length += strlen(to + length);
    }
    return length + (size_t)snprintf(to + length, size - length, "],\"more\":%s",
                                     c->last_seq > after + count ? "true" : "false");
}

static void answer_history(struct rig *r, const struct rig_call *call, char *to)
{
    const struct rig_conversation *c =
        rig_conversation(r, call->path + strlen("/v1/conversations/"));
    const char *after = strstr(call->path, "after=");
    size_t length = (size_t)snprintf(to, ANSWER_SIZE, "{");

    length += write_entries(c, after ? strtoll(after + 6, NULL, 10) : 0, PAGE_MAX, to + length,
                            ANSWER_SIZE - length);
    (void)snprintf(to + length, ANSWER_SIZE - length, "}");
}

static void answer_sync(const struct rig *r, const struct rig_call *call, char *to)
{
    size_t length = (size_t)snprintf(to, ANSWER_SIZE, "{\"conversations\":[");
    const char *separator = "";

    for (int i = 0; i < RIG_CONVERSATIONS; i++) {
        const struct rig_conversation *c = &r->conversations[i];
        const char *cursor = strstr(call->body, c->id);
        bool wants = !strstr(call->body, "\"limit\":0");
        int64_t after = cursor ? strtoll(cursor + strlen(c->id) + 2, NULL, 10) : 0;

        if (r->unsynced == c->id)
            continue;
        length +=
            (size_t)snprintf(to + length, ANSWER_SIZE - length,
                             "%s{\"conversation\":\"%s\",\"kind\":\"%s\",\"last_seq\":%" PRId64
                             ",\"limits\":{\"cursors\":%s},",
                             separator, c->id, i == LAST_KIND ? "channel" : "group", c->last_seq,
                             i == LAST_KIND ? "false" : "true");
        length += write_entries(c, after, wants ? PAGE_MAX : 0, to + length, ANSWER_SIZE - length);
        to[length++] = '}';
        separator = ",";
    }
    (void)snprintf(to + length, ANSWER_SIZE - length, "],\"page\":1,\"more\":false}");
}

static void write_login(const struct rig *r, char *to)
{
    (void)snprintf(to, ANSWER_SIZE,
                   "{\"user\":\"alice\",\"access_token\":\"a%u\",\"refresh_token\":\"r%u\","
                   "\"expires_in\":3600}",
                   r->access, r->refresh);
}

static void answer_login(struct rig *r, char *to)
{
    r->access++;
    r->refresh++;
    write_login(r, to);
}

/* A refresh token works once; an exchange whose answer was lost may be repeated. */
static long answer_token(struct rig *r, const struct rig_call *call, char *to)
{
    char wanted[32];

    if (r->strangers > 0) {
        r->strangers--;
        (void)snprintf(to, ANSWER_SIZE, "<html>Welcome to our hotel</html>");
        return STATUS_UNAUTHORIZED;
    }
    (void)snprintf(wanted, sizeof wanted, "\"r%u\"", r->refresh);
    assert_int_equal(strlen(call->key), 36);
    if (strcmp(call->key, r->exchanged) == 0) {
        write_login(r, to);
    } else if (strstr(call->body, wanted)) {
        answer_login(r, to);
        (void)snprintf(r->exchanged, sizeof r->exchanged, "%s", call->key);
    } else {
        (void)snprintf(to, ANSWER_SIZE, "{\"code\":\"unauthorized\",\"detail\":\"used before\"}");
        return STATUS_UNAUTHORIZED;
    }
    return STATUS_OK;
}

static bool is_authorized(const struct rig *r, const struct rig_call *call)
{
    char token[16];

    (void)snprintf(token, sizeof token, "a%u ", r->access);
    return strncmp(call->body, token, strlen(token)) == 0;
}

static long answer_as_user(struct rig *r, const struct rig_call *call, char *to)
{
    if (rig_happens(r, r->faults.expire))
        r->access += 1000; /* what the client has is of no use any more */
    if (!is_authorized(r, call)) {
        (void)snprintf(to, ANSWER_SIZE, "{\"code\":\"unauthorized\"}");
        return STATUS_UNAUTHORIZED;
    }
    if (rig_happens(r, r->faults.http_unavailable)) {
        (void)snprintf(to, ANSWER_SIZE, "<html>no</html>");
        return STATUS_UNAVAILABLE;
    }
    if (strcmp(call->path, "/v1/sync") == 0) {
        answer_sync(r, call, to);
    } else if (strncmp(call->path, "/v1/conversations/", 18) == 0 && r->strangers > 0) {
        r->strangers--;
        (void)snprintf(to, ANSWER_SIZE, "<html>no such page</html>");
        return STATUS_NOT_FOUND;
    } else if (strncmp(call->path, "/v1/conversations/", 18) == 0) {
        answer_history(r, call, to);
    } else if (strcmp(call->path, "/v1/servers?location=eu/de") == 0 && r->nodes) {
        (void)snprintf(to, ANSWER_SIZE, "%s", r->nodes);
    } else if (strcmp(call->path, "/v1/control") == 0) {
        (void)snprintf(to, ANSWER_SIZE, "{\"responses\":[{\"command\":\"x\",\"data\":{\"x\":1}}]}");
    } else {
        (void)snprintf(to, ANSWER_SIZE, "{\"code\":\"not_found\"}");
        return STATUS_NOT_FOUND;
    }
    return STATUS_OK;
}

void rig_answer(struct rig *r)
{
    static char text[ANSWER_SIZE];
    struct rig_call call = r->calls[0];
    struct http_answer answer = {.status = STATUS_OK, .body = text};

    r->call_count--;
    memmove(&r->calls[0], &r->calls[1], r->call_count * sizeof r->calls[0]);
    text[0] = '\0';
    if (rig_happens(r, r->faults.http_offline))
        answer = (struct http_answer){
            .error = BANTER_OFFLINE, .never_sent = true, .reason = "no route", .body = ""};
    else if (strcmp(call.path, "/v1/login") == 0)
        answer_login(r, text);
    else if (strcmp(call.path, "/v1/token") == 0)
        answer.status = answer_token(r, &call, text);
    else if (strcmp(call.path, "/v1/logout") != 0)
        answer.status = answer_as_user(r, &call, text);
    if (rig_happens(r, r->faults.lose_answer))
        answer = (struct http_answer){.error = BANTER_OFFLINE, .reason = "cut", .body = ""};
    answer.length = strlen(answer.body);
    call.done(call.owner, &answer);
}

struct http rig_http(struct rig *r)
{
    return (struct http){http_start, r};
}

struct transport rig_transport(struct rig *r)
{
    return (struct transport){transport_open,
                              transport_publish,
                              transport_subscribe,
                              transport_unsubscribe,
                              transport_close,
                              transport_is_up,
                              r};
}
