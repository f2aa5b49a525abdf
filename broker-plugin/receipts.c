/* SPDX-License-Identifier: MIT */
/* receipts.c - see receipts.h. Texts are made in one scratch buffer that is kept. */
#include "receipts.h"

#include "base/clock.h"
#include "broker.h"
#include "core.h"
#include "wire/entry.h"
#include "wire/topic.h"

#include <inttypes.h>

static void send(struct core *c, const struct session *session, const char *topic,
                 struct slice correlation)
{
    if (!c->json.failed &&
        broker_publish(session->client_id, topic, buf_slice(&c->json), correlation))
        c->stats.delivered++;
    else
        c->stats.lost++;
}

static struct slice none(void)
{
    return slice_of(NULL, 0);
}

static void write_error(struct buf *b, struct verdict verdict)
{
    buf_str(b, "\"error\":{\"code\":");
    buf_json(b, slice_str(code_name(verdict.code)));
    buf_str(b, ",\"reason\":");
    buf_json(b, slice_str(verdict.reason));
    if (verdict.retry_after_ms > 0)
        buf_printf(b, ",\"retry_after_ms\":%" PRIu64, verdict.retry_after_ms);
    buf_char(b, '}');
}

void receipts_refuse(struct core *c, const struct session *session, struct slice target,
                     struct slice id, struct verdict verdict)
{
    int64_t retry_after_ms = verdict.retry_after_ms > 0 ? (int64_t)verdict.retry_after_ms : -1;

    c->stats.refused[verdict.code]++;
    buf_reset(&c->json);
    receipt_write_error(&c->json, id, target, verdict.code, verdict.reason, retry_after_ms);
    send(c, session, TOPIC_RECEIPT, none());
}

void receipts_ready(struct core *c, struct session *session)
{
    char at[RFC3339_MS_LENGTH + 1];

    if (session->ready)
        return;
    session->ready = true;
    rfc3339_ms(clock_wall_ms(), at);
    buf_reset(&c->json);
    buf_str(&c->json, "{\"user\":");
    buf_json(&c->json, slice_str(session->user->handle));
    buf_str(&c->json, ",\"device\":");
    buf_json(&c->json, slice_str(session_device(session)));
    buf_str(&c->json, ",\"node\":");
    buf_json(&c->json, slice_str(c->node));
    buf_printf(&c->json, ",\"at\":\"%s\"}", at);
    send(c, session, TOPIC_READY, none());
}

void receipts_closing(struct core *c, const struct session *session, struct slice reason)
{
    buf_reset(&c->json);
    buf_str(&c->json, "{\"event\":\"closing\",\"reason\":");
    buf_json(&c->json, reason);
    buf_char(&c->json, '}');
    send(c, session, TOPIC_EVENT, none());
}

void receipts_going_away(struct core *c, const struct session *session, uint32_t within_ms)
{
    buf_reset(&c->json);
    buf_printf(&c->json,
               "{\"event\":\"closing\",\"reason\":\"going_away\",\"within_ms\":%" PRIu32 "}",
               within_ms);
    send(c, session, TOPIC_EVENT, none());
}

void receipts_token_expires(struct core *c, const struct session *session)
{
    char at[RFC3339_MS_LENGTH + 1];

    rfc3339_ms(session->expires_s * 1000, at);
    buf_reset(&c->json);
    buf_printf(&c->json, "{\"event\":\"token_expires\",\"at\":\"%s\"}", at);
    send(c, session, TOPIC_EVENT, none());
}

void receipts_presence_refused(struct core *c, const struct session *session, const char *handle)
{
    buf_reset(&c->json);
    buf_str(&c->json, "{\"event\":\"presence_refused\",\"user\":");
    buf_json(&c->json, slice_str(handle));
    buf_char(&c->json, '}');
    send(c, session, TOPIC_EVENT, none());
}

void receipts_membership(struct core *c, const struct session *session,
                         const struct uuid *conversation, enum conversation_kind kind,
                         enum role before, enum role role)
{
    const char *event = "role_changed";
    char id[UUID_TEXT_LENGTH + 1];

    if (before == ROLE_NONE)
        event = "added";
    else if (role == ROLE_NONE)
        event = "removed";
    uuid_format(conversation, id);
    buf_reset(&c->json);
    buf_printf(&c->json, "{\"event\":\"%s\",\"conversation\":\"%s\"", event, id);
    if (before == ROLE_NONE)
        buf_printf(&c->json, ",\"kind\":\"%s\"", conversation_kind_name(kind));
    if (role != ROLE_NONE)
        buf_printf(&c->json, ",\"role\":\"%s\"", role_name(role));
    buf_char(&c->json, '}');
    send(c, session, TOPIC_EVENT, none());
}

void receipts_sync_error(struct core *c, const struct session *session, struct verdict verdict)
{
    buf_reset(&c->json);
    buf_char(&c->json, '{');
    write_error(&c->json, verdict);
    buf_char(&c->json, '}');
    send(c, session, TOPIC_SYNC, none());
}

void receipts_control_error(struct core *c, const struct session *session, const char *topic,
                            struct slice correlation, struct verdict verdict)
{
    buf_reset(&c->json);
    buf_str(&c->json, "{\"responses\":[{");
    write_error(&c->json, verdict);
    buf_str(&c->json, "}]}");
    send(c, session, topic, correlation);
}
