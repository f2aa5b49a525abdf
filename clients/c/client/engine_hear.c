/* SPDX-License-Identifier: MIT */
/* engine_hear.c - what the server says over MQTT: topics and payloads in, calls out. What is
 * unknown or broken is passed over, as the contract asks. */
#include "client/engine.h"

#include "client/json.h"

#include <string.h>

static void lost(struct engine *e)
{
    const struct failure why = failure_make(BANTER_NO_MEMORY, "something that came was lost");

    connection_drop(&e->connection, &why, false);
}

static void hear_entry(struct engine *e, json_t *json, size_t length)
{
    if (e->listens && logs_offer(&e->logs, json_incref(json), length) != BANTER_OK)
        lost(e);
}

static void hear_typing(struct engine *e, const char *conversation, const json_t *json)
{
    const struct banter_callbacks *told = e->parts.callbacks;
    const char *from = json_text_of(json, "from"), *state = json_text_of(json, "state");

    if (from && state && told->on_typing)
        told->on_typing(told->owner, conversation, from, strcmp(state, "start") == 0);
}

static void hear_cursor(struct engine *e, const char *conversation, const json_t *json)
{
    const struct banter_callbacks *told = e->parts.callbacks;
    const struct banter_cursor cursor = {conversation, json_text_of(json, "from"),
                                         json_count_of(json, "received"),
                                         json_count_of(json, "read")};

    if (cursor.from && told->on_cursor)
        told->on_cursor(told->owner, &cursor);
}

static void hear_receipt(struct engine *e, const json_t *json)
{
    struct banter_receipt receipt;
    const char *to;
    struct failure f;

    if (wire_receipt(json, &receipt, &to, &f)) {
        outbox_receipt(&e->outbox, &receipt, to, &f);
        e->parts.changed(e->parts.owner);
    }
}

static void hear_heads(struct engine *e, json_t *json)
{
    const char *conversation;
    json_t *seq;

    json_object_foreach(json, conversation, seq)
    {
        struct tale *t;

        if (!e->listens || !json_is_integer(seq) || strlen(conversation) != CONVERSATION_LENGTH)
            continue;
        t = logs_hold(&e->logs, conversation);
        if (!t) {
            lost(e);
            return;
        }
        logs_note(&e->logs, t, json_integer_value(seq));
    }
}

static void closing(struct engine *e, const json_t *json)
{
    const char *reason = json_text_of(json, "reason");
    int64_t within = json_count_of(json, "within_ms");
    struct failure why;

    engine_log(e, BANTER_LOG_INFO, "the server closes this connection: %s", reason ? reason : "?");
    if (reason && strcmp(reason, "going_away") == 0) {
        connection_leave(&e->connection, within > 0 ? (uint64_t)within : 0);
    } else if (reason && strcmp(reason, "taken_over") == 0) {
        why = failure_make(BANTER_CONFLICT, "this device has connected to another node");
        connection_displace(&e->connection, &why);
    } else if (reason && strcmp(reason, "too_many_devices") == 0) {
        why = failure_make(BANTER_LIMIT_REACHED, "too many devices are connected");
        connection_displace(&e->connection, &why);
    }
}

static void hear_event(struct engine *e, const json_t *json, const char *payload)
{
    const struct banter_callbacks *told = e->parts.callbacks;
    const char *event = json_text_of(json, "event"), *user = json_text_of(json, "user"),
               *conversation = json_text_of(json, "conversation");
    struct tale *t;

    if (!event)
        return;
    if (told->on_event)
        told->on_event(told->owner, payload);
    if (strcmp(event, "token_expires") == 0) {
        e->renew_at = session_renew_at(e->session);
    } else if (strcmp(event, "presence_refused") == 0 && user) {
        watches_refused(&e->watches, user);
    } else if (strcmp(event, "added") == 0 && conversation) {
        if (e->listens &&
            catch_up_added(&e->catch_up, conversation, json_text_of(json, "kind")) != BANTER_OK)
            lost(e);
        watches_retry(&e->watches);
    } else if (strcmp(event, "removed") == 0 && conversation) {
        t = logs_find(&e->logs, conversation);
        if (t)
            logs_settle(&e->logs, t);
    } else if (strcmp(event, "closing") == 0) {
        closing(e, json);
    }
}

static void hear_chat(struct engine *e, const char *conversation, const char *below, json_t *json,
                      size_t length)
{
    if (below[0] == '\0')
        hear_entry(e, json, length);
    else if (strcmp(below, "/typing") == 0)
        hear_typing(e, conversation, json);
    else if (strcmp(below, "/cursor") == 0)
        hear_cursor(e, conversation, json);
}

void engine_hear(struct engine *e, const char *topic, const char *payload, size_t length)
{
    static const char presence[] = "presence/";
    char conversation[CONVERSATION_SIZE];
    const char *below;
    json_t *json;
    int error;

    if (strncmp(topic, presence, sizeof presence - 1) == 0) {
        watches_message(&e->watches, topic + sizeof presence - 1, payload, length);
        return;
    }
    json = json_read(payload, length, &error);
    if (!json) {
        if (error == BANTER_NO_MEMORY)
            lost(e);
        return;
    }
    if (wire_chat_topic(topic, conversation, &below))
        hear_chat(e, conversation, below, json, length);
    else if (strcmp(topic, "me/receipt") == 0)
        hear_receipt(e, json);
    else if (strcmp(topic, "me/heads") == 0)
        hear_heads(e, json);
    else if (strcmp(topic, "me/event") == 0)
        hear_event(e, json, payload);
    json_decref(json);
}
