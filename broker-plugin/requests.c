/* SPDX-License-Identifier: MIT */
/* requests.c - see requests.h. */
#include "requests.h"

#include "core.h"
#include "receipts.h"
#include "wire/limits.h"
#include "wire/topic.h"

#include <string.h>

#define BUSY "the server is busy"
#define LOST "the server was interrupted: ask again"

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

bool requests_sync(struct core *c, struct session *session, struct slice payload)
{
    struct frame_request f = {.kind = REQUEST_SYNC, .payload = payload};

    if (payload.length > PAYLOAD_MAX_BYTES) {
        receipts_sync_error(c, session, CODE_TOO_LARGE, "the request is larger than 1 MiB");
        return false;
    }
    if (!pass_on(c, session, &f)) {
        receipts_sync_error(c, session, CODE_UNAVAILABLE, BUSY);
        return false;
    }
    return true;
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

    if (response_topic.length > 0 && !topic_is_valid_response(response_topic)) {
        receipts_control_error(c, session, TOPIC_CONTROL_RESPONSE, slice_of(NULL, 0), CODE_INVALID,
                               "the response topic is not allowed");
        return;
    }
    choose_topic(response_topic, topic);
    if (correlation.length > CORRELATION_MAX_LENGTH) {
        receipts_control_error(c, session, topic, slice_of(NULL, 0), CODE_INVALID,
                               "the correlation data is too long");
        return;
    }
    if (payload.length > PAYLOAD_MAX_BYTES)
        receipts_control_error(c, session, topic, correlation, CODE_TOO_LARGE,
                               "the request is larger than 1 MiB");
    else if (!pass_on(c, session, &f))
        receipts_control_error(c, session, topic, correlation, CODE_UNAVAILABLE, BUSY);
}

static void tell_lost(struct core *c, const struct asked *a)
{
    struct slice response_topic = slice_of(a->text, a->topic_length);
    struct slice correlation = slice_of(a->text + a->topic_length, a->correlation_length);
    char topic[RESPONSE_TOPIC_MAX_LENGTH + 1];

    if (a->kind == REQUEST_SYNC) {
        receipts_sync_error(c, a->session, CODE_UNAVAILABLE, LOST);
        return;
    }
    choose_topic(response_topic, topic);
    receipts_control_error(c, a->session, topic, correlation, CODE_UNAVAILABLE, LOST);
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
