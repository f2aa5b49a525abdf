/* SPDX-License-Identifier: MIT */
/* ingest.c - see ingest.h. Drafts go into the ring in the order in which they come, whatever they
 * name: the conversation's id and @handle may be the same conversation. */
#include "ingest.h"

#include "base/fault_point.h"
#include "base/log_fields.h"
#include "broker.h"
#include "core.h"
#include "receipts.h"
#include "requests.h"
#include "signals.h"
#include "wire/draft.h"
#include "wire/json.h"
#include "wire/limits.h"
#include "wire/names.h"
#include "wire/topic.h"

#include <string.h>

#define DRAFT_PREFIX "send/"
#define REACTION_KIND "reaction"

enum { FULL_RETRY_MS = 1000 };

struct posting {
    struct session *session;
    struct publish_topic topic;
    struct slice target; /* what comes after send/ */
    struct slice payload;
};

static const struct verdict accepted = {.code = CODE_OK};

static struct slice target_of(struct slice topic)
{
    size_t length = sizeof DRAFT_PREFIX - 1;

    if (topic.length < length || memcmp(topic.data, DRAFT_PREFIX, length) != 0)
        return slice_of(NULL, 0);
    return slice_of(topic.data + length, topic.length - length);
}

static void log_refusal(struct core *c, const struct session *session, struct slice target,
                        struct slice id, struct verdict verdict)
{
    struct log_fields fields = {.length = 0};

    if (!log_quota_take(&c->refusals_logged, c->now_ms, &fields))
        return;
    log_field(&fields, "user", slice_str(session->user->handle));
    log_field(&fields, "device", slice_str(session_device(session)));
    log_field(&fields, "conversation", target);
    log_field(&fields, "draft", id);
    log_field(&fields, "code", slice_str(code_name(verdict.code)));
    broker_log(BROKER_INFO, "a draft is refused: %s%s", verdict.reason, fields.text);
}

static void refuse(struct core *c, const struct session *session, struct slice target,
                   struct slice payload, struct verdict verdict)
{
    char id[DRAFT_ID_MAX_BYTES + 1];

    draft_peek_id(payload, id);
    receipts_refuse(c, session, target, slice_str(id), verdict);
    log_refusal(c, session, target, slice_str(id), verdict);
}

void ingest_refuse(struct core *c, struct session *session, struct slice topic,
                   struct slice payload, enum code code, const char *reason)
{
    struct slice target = target_of(topic);
    enum publish_kind kind = topic_parse_publish(topic).kind;

    if (target.data && kind != PUBLISH_PRESENCE && kind != PUBLISH_TYPING && kind != PUBLISH_CURSOR)
        refuse(c, session, target, payload, (struct verdict){.code = code, .reason = reason});
}

/* The version nibble of RFC 9562: direct conversations have ids of version 8. */
static bool is_direct_id(const struct uuid *id)
{
    return id->bytes[6] >> 4 == 8;
}

/* Readers of a channel react and send nothing else: the draft's own word decides what reaches the
 * bridge, which judges it. The bound keeps this cheap; no id and emoji need more. */
static bool is_reaction(struct slice payload)
{
    char kind[sizeof REACTION_KIND];

    return payload.length <= READER_DRAFT_MAX_BYTES &&
           json_peek_string(payload, "kind", kind, sizeof kind - 1) &&
           strcmp(kind, REACTION_KIND) == 0;
}

/* What the plugin's memory says about the sender's right to post. */
static struct verdict check_right(const struct core *c, const struct posting *p)
{
    const struct user *u = p->session->user;
    const struct conversation *conversation;
    const struct membership *membership;

    if (p->topic.kind == PUBLISH_DRAFT_TO_USER || !user_is_known(u))
        return accepted;
    conversation = members_find(&c->members, &p->topic.conversation);
    membership = conversation ? members_of(u, conversation) : NULL;
    if (membership && membership->role >= ROLE_MEMBER)
        return accepted;
    if (membership && membership->kind == CONVERSATION_CHANNEL && is_reaction(p->payload))
        return accepted;
    if (membership)
        return (struct verdict){CODE_FORBIDDEN, "readers may not post here", 0};
    /* It may be being made by a draft to @handle that is still on its way. */
    if (is_direct_id(&p->topic.conversation))
        return accepted;
    return (struct verdict){CODE_NOT_FOUND, "there is no such conversation", 0};
}

/* What no other state of the world could change. */
static struct verdict check_form(const struct core *c, const struct posting *p)
{
    if (p->payload.length == 0)
        return (struct verdict){CODE_INVALID, "the draft is empty", 0};
    if (p->payload.length > PAYLOAD_MAX_BYTES)
        return (struct verdict){CODE_TOO_LARGE, "the draft is larger than 1 MiB", 0};
    return check_right(c, p);
}

static bool append_to_ring(struct core *c, const struct posting *p)
{
    struct frame_draft f = {
        .number = ring_next_number(&c->ring),
        .uid = p->session->user->uid,
        .handle = slice_str(p->session->user->handle),
        .device = slice_str(session_device(p->session)),
        .target = p->target,
        .payload = p->payload,
    };

    if (fault_breaks_for(lost_draft, p->payload))
        return true;
    buf_reset(&c->frame);
    frame_write_draft(&c->frame, &f);
    if (c->frame.failed || fault_fails("plugin.ring_full") ||
        !ring_append(&c->ring, buf_slice(&c->frame)))
        return false;
    fault_point("plugin.draft_in_ring");
    c->stats.drafts++;
    return true;
}

static struct uuid conversation_of(const struct posting *p)
{
    if (p->topic.kind == PUBLISH_DRAFT)
        return p->topic.conversation;
    return direct_conversation_id(slice_str(p->session->user->handle), p->topic.handle);
}

/* The draft is the next one of its conversation. */
static struct verdict accept(struct core *c, const struct posting *p)
{
    bool is_shared = p->topic.kind == PUBLISH_DRAFT && !is_direct_id(&p->topic.conversation);
    uint64_t wait_ms = rates_draft(c, p->session, is_shared ? &p->topic.conversation : NULL);

    if (wait_ms > 0)
        return (struct verdict){CODE_RATE_LIMITED, "too many drafts: send this one later", wait_ms};
    if (!append_to_ring(c, p))
        return (struct verdict){CODE_UNAVAILABLE, "the server is busy", FULL_RETRY_MS};
    return accepted;
}

/* The usual case: nothing was refused on this connection before. */
static struct verdict submit(struct core *c, const struct posting *p)
{
    struct refusals *refusals = &p->session->refusals;
    bool in_order = !refusals_any(refusals) || fault_breaks(no_sticky);
    struct verdict verdict = {CODE_UNAVAILABLE, "the server has no memory", FULL_RETRY_MS};
    char id[DRAFT_ID_MAX_BYTES + 1];
    struct uuid conversation;

    if (in_order && (verdict = accept(c, p)).code == CODE_OK)
        return accepted;
    conversation = conversation_of(p);
    draft_peek_id(p->payload, id);
    if (refusals_block(refusals, &conversation, slice_str(id)))
        return (struct verdict){CODE_OUT_OF_ORDER, "an earlier draft was refused: send it first",
                                0};
    if (!in_order && !uuid_is_nil(&conversation) && (verdict = accept(c, p)).code == CODE_OK) {
        refusals_clear(refusals, &conversation);
        return accepted;
    }
    /* A draft without a valid id will never be stored: nothing has to wait for it. */
    if (id[0] && !refusals_add(refusals, &conversation, slice_str(id)))
        core_kick(c, p->session);
    return verdict;
}

static enum ingest_answer ingest_draft(struct core *c, const struct posting *p)
{
    struct verdict verdict = check_form(c, p);

    if (verdict.code == CODE_OK)
        verdict = submit(c, p);
    if (verdict.code == CODE_OK)
        return INGEST_TAKEN;
    refuse(c, p->session, p->target, p->payload, verdict);
    return verdict.code == CODE_RATE_LIMITED ? INGEST_LIMITED : INGEST_REFUSED;
}

enum ingest_answer ingest_message(struct core *c, struct session *session, struct slice topic,
                                  struct slice payload)
{
    struct posting posting = {session, topic_parse_publish(topic), target_of(topic), payload};

    switch (posting.topic.kind) {
    case PUBLISH_DRAFT:
    case PUBLISH_DRAFT_TO_USER:
        return ingest_draft(c, &posting);
    case PUBLISH_SYNC:
        return requests_sync(c, session, payload);
    case PUBLISH_PRESENCE:
        return signals_presence(c, session, payload);
    case PUBLISH_TYPING:
        return signals_send(c, session, SIGNAL_TYPING, &posting.topic.conversation, payload);
    case PUBLISH_CURSOR:
        return signals_send(c, session, SIGNAL_CURSOR, &posting.topic.conversation, payload);
    case PUBLISH_CONTROL:
    case PUBLISH_REFUSED:
        break;
    }
    return INGEST_REFUSED;
}
