/* SPDX-License-Identifier: MIT */
/* requests.c - see requests.h. */
#include "requests.h"

#include "core.h"
#include "receipts.h"
#include "wire/limits.h"
#include "wire/topic.h"

#include <string.h>

static const struct verdict lost = {CODE_UNAVAILABLE, "the server was interrupted: ask again", 0};

/* False: the link is away, has too much to write or no memory, or the device asks too much. */
static bool pass_on(struct core *c, struct session *session, struct frame_request *f)
{
    if (!link_is_up(&c->link) || !link_has_room(&c->link))
        return false;
    f->number = asked_add(&c->asked, session, f->kind, f->response_topic, f->correlation);
    if (f->number == 0)
        return false;
    f->uid = session->user->uid;
    f->handle = slice_str(session->user->handle);
    f->device = slice_str(session_device(session));
    frame_write_request(link_out(&c->link), f);
    if (link_out(&c->link)->failed) {
        asked_end(&c->asked, f->number);
        return false;
    }
    c->stats.requests++;
    return true;
}

/* Passes the request on, unless it is too large or one too many. */
static struct verdict start(struct core *c, struct session *session, struct frame_request *f)
{
    uint64_t wait_ms;

    if (f->payload.length > PAYLOAD_MAX_BYTES)
        return (struct verdict){CODE_TOO_LARGE, "the request is larger than 1 MiB", 0};
    wait_ms = rates_request(c, session);
    if (wait_ms > 0)
        return (struct verdict){CODE_RATE_LIMITED, "too many requests: ask again later", wait_ms};
    if (!pass_on(c, session, f))
        return (struct verdict){CODE_UNAVAILABLE, "the server is busy", 0};
    return (struct verdict){.code = CODE_OK};
}

enum ingest_answer requests_sync(struct core *c, struct session *session, struct slice payload)
{
    struct frame_request f = {.kind = REQUEST_SYNC, .payload = payload};
    struct verdict verdict = start(c, session, &f);

    if (verdict.code == CODE_OK)
        return INGEST_TAKEN;
    receipts_sync_error(c, session, verdict);
    return verdict.code == CODE_RATE_LIMITED ? INGEST_LIMITED : INGEST_REFUSED;
}

/* Where the answer goes; `response_topic` is valid or empty. */
static void choose_topic(struct slice response_topic, char topic[RESPONSE_TOPIC_MAX_LENGTH + 1])
{
    struct slice chosen =
        response_topic.length > 0 ? response_topic : slice_str(TOPIC_CONTROL_RESPONSE);

    memcpy(topic, chosen.data, chosen.length);
    topic[chosen.length] = '\0';
}

void requests_control(struct core *c, struct session *session, struct slice response_topic,
                      struct slice correlation, struct slice payload)
{
    struct frame_request f = {.kind = REQUEST_CONTROL,
                              .response_topic = response_topic,
                              .correlation = correlation,
                              .payload = payload};
    char topic[RESPONSE_TOPIC_MAX_LENGTH + 1];
    struct verdict verdict;

    if (response_topic.length > 0 && !topic_is_valid_response(response_topic)) {
        receipts_control_error(
            c, session, TOPIC_CONTROL_RESPONSE, slice_of(NULL, 0),
            (struct verdict){CODE_INVALID, "the response topic is not allowed", 0});
        return;
    }
    choose_topic(response_topic, topic);
    if (correlation.length > CORRELATION_MAX_LENGTH) {
        receipts_control_error(
            c, session, topic, slice_of(NULL, 0),
            (struct verdict){CODE_INVALID, "the correlation data is too long", 0});
        return;
    }
    verdict = start(c, session, &f);
    if (verdict.code != CODE_OK)
        receipts_control_error(c, session, topic, correlation, verdict);
}

static void tell_lost(struct core *c, const struct asked *a)
{
    struct slice response_topic = slice_of(a->text, a->topic_length);
    struct slice correlation = slice_of(a->text + a->topic_length, a->correlation_length);
    char topic[RESPONSE_TOPIC_MAX_LENGTH + 1];

    if (a->kind == REQUEST_SYNC) {
        receipts_sync_error(c, a->session, lost);
        return;
    }
    choose_topic(response_topic, topic);
    receipts_control_error(c, a->session, topic, correlation, lost);
}

void requests_link_lost(struct core *c)
{
    for (struct session *s = c->sessions.first; s; s = s->next) {
        while (!LIST_EMPTY(&s->asked)) {
            struct asked *a = LIST_FIRST(&s->asked);

            if (!s->superseded)
                tell_lost(c, a);
            asked_forget(&c->asked, a);
        }
    }
}
