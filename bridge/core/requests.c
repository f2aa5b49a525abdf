/* SPDX-License-Identifier: MIT */
/* requests.c - commands and sync that came over MQTT. Each one remembers where its answer goes. */
#include "core/requests.h"

#include "base/buf.h"
#include "base/memory.h"
#include "core/commands.h"
#include "core/sync.h"
#include "link/link.h"
#include "wire/topic.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

enum {
    /* With the longest entry on top, a page stays below PACKET_MAX_BYTES. */
    SYNC_PAGE_BYTES = 128 << 10,
    ERROR_MAX_BYTES = 1024,
    SYNCS_PER_DEVICE = 2, /* at once: one that was given up, and the one that counts */
};

struct request {
    LIST_ENTRY(request) siblings;
    struct requests *requests;
    uint64_t number; /* of the plugin's */
    bool is_sync;
    bool orphan; /* the link it came over was lost */
    uint64_t uid;
    char handle[HANDLE_MAX_LENGTH + 1];
    char device[DEVICE_MAX_LENGTH + 1];
    char topic[RESPONSE_TOPIC_MAX_LENGTH + 1];
    char correlation[CORRELATION_MAX_LENGTH];
    size_t correlation_length;
};

struct requests {
    struct link *link;
    struct commands *commands;
    struct sync *sync;
    LIST_HEAD(, request) running;
};

static void copy_text(char *to, size_t capacity, struct slice from)
{
    assert(from.length < capacity); /* frame_read_request() has looked */
    if (from.length > 0)
        memcpy(to, from.data, from.length);
    to[from.length] = '\0';
}

static struct request *new_request(struct requests *r, const struct frame_request *f,
                                   const char *default_topic)
{
    struct request *q = must_calloc(1, sizeof *q);
    bool own_topic = f->response_topic.length > 0;

    q->requests = r;
    q->number = f->number;
    q->is_sync = f->kind == REQUEST_SYNC;
    q->uid = f->uid;
    copy_text(q->handle, sizeof q->handle, f->handle);
    copy_text(q->device, sizeof q->device, f->device);
    copy_text(q->topic, sizeof q->topic, own_topic ? f->response_topic : slice_str(default_topic));
    assert(f->correlation.length <= sizeof q->correlation);
    q->correlation_length = f->correlation.length;
    if (f->correlation.length > 0)
        memcpy(q->correlation, f->correlation.data, f->correlation.length);
    LIST_INSERT_HEAD(&r->running, q, siblings);
    return q;
}

static void free_request(struct request *q)
{
    LIST_REMOVE(q, siblings);
    free(q);
}

static void answer(const struct request *q, struct slice payload, bool last)
{
    if (q->orphan)
        return;
    link_device(
        q->requests->link,
        &(struct frame_device){.uid = q->uid,
                               .device = slice_str(q->device),
                               .topic = slice_str(q->topic),
                               .correlation = slice_of(q->correlation, q->correlation_length),
                               .answers = last ? q->number : 0,
                               .payload = payload});
}

static void answer_error(const struct request *q, enum code code, const char *reason)
{
    struct buf json;

    buf_init(&json, ERROR_MAX_BYTES);
    buf_str(&json, "{\"error\":{\"code\":");
    buf_json(&json, slice_str(code_name(code)));
    buf_str(&json, ",\"reason\":");
    buf_json(&json, slice_str(reason));
    buf_str(&json, "}}");
    if (!json.failed)
        answer(q, buf_slice(&json), true);
    buf_finish(&json);
}

static struct actor actor_of(const struct request *q)
{
    return (struct actor){
        .uid = q->uid, .handle = slice_str(q->handle), .device = slice_str(q->device)};
}

static void on_response(void *owner, struct slice response)
{
    struct request *q = owner;
    answer(q, response, true);
    free_request(q);
}

static bool on_page(void *owner, enum code code, const char *reason, struct slice page, bool last)
{
    struct request *q = owner;
    bool wanted = !q->orphan;

    if (code != CODE_OK)
        answer_error(q, code, reason);
    else
        answer(q, page, last);
    if (code != CODE_OK || last || !wanted)
        free_request(q);
    return wanted;
}

/* Including this one. */
static unsigned syncs_of_device(const struct request *q)
{
    const struct request *other;
    unsigned count = 0;

    LIST_FOREACH(other, &q->requests->running, siblings)
    {
        count += other->is_sync && !other->orphan && other->uid == q->uid &&
                 strcmp(other->device, q->device) == 0;
    }
    return count;
}

static bool start_sync(struct requests *r, struct request *q, struct slice payload)
{
    struct actor actor = actor_of(q);

    return syncs_of_device(q) <= SYNCS_PER_DEVICE &&
           sync_run(r->sync, &actor, payload, SYNC_PAGE_BYTES, on_page, q);
}

void requests_start(struct requests *r, const struct frame_request *f)
{
    bool is_sync = f->kind == REQUEST_SYNC;
    struct request *q = new_request(r, f, is_sync ? TOPIC_SYNC : TOPIC_CONTROL_RESPONSE);
    struct actor actor = actor_of(q);

    if (!is_sync) {
        commands_execute(r->commands, &actor, f->payload, on_response, q);
    } else if (!start_sync(r, q, f->payload)) {
        answer_error(q, CODE_UNAVAILABLE, "the server is busy: ask again");
        free_request(q);
    }
}

struct requests *requests_create(struct link *link, struct commands *commands, struct sync *sync)
{
    struct requests *r = must_calloc(1, sizeof *r);

    r->link = link;
    r->commands = commands;
    r->sync = sync;
    LIST_INIT(&r->running);
    return r;
}

void requests_destroy(struct requests *r)
{
    struct request *q;

    if (!r)
        return;
    while ((q = LIST_FIRST(&r->running)) != NULL)
        free_request(q);
    free(r);
}

void requests_link_lost(struct requests *r)
{
    struct request *q;

    LIST_FOREACH(q, &r->running, siblings)
    {
        q->orphan = true;
    }
}
