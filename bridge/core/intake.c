/* SPDX-License-Identifier: MIT */
/* intake.c - between the link and the core.
 *
 * A draft is answered (receipt and CONFIRM) only over the link it came over. The plugin sends every
 * unconfirmed draft again over the next one; the copy is then recognized as a duplicate, and its
 * receipt keeps its place among the others.
 *
 * Rule: CONFIRM(n) says that all drafts up to n are answered, and the writer may answer some later
 * than others that came after them. */
#include "core/intake.h"

#include "base/buf.h"
#include "base/fault_point.h"
#include "base/memory.h"
#include "core/cluster.h"
#include "core/cursors.h"
#include "core/drain.h"
#include "core/fills.h"
#include "core/ingest.h"
#include "core/members.h"
#include "core/presence.h"
#include "core/rates.h"
#include "core/refused_draft.h"
#include "core/requests.h"
#include "core/revocations.h"
#include "wire/entry.h"
#include "wire/topic.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/queue.h>

enum { RECEIPT_MAX_BYTES = 4096 };

struct intake {
    struct intake_modules modules;
    uint64_t link_generation; /* rises with every link that comes or goes */
    uint64_t settled_number;  /* of this link: up to it all receipts are written; 0: no news */
    TAILQ_HEAD(, posting) postings; /* of this link, in order, from the first without receipt */
    bool held;                      /* the writer is full */
    bool closed;
    struct buf json; /* scratch */
};

/* Where the outcome of one draft goes. */
struct posting {
    TAILQ_ENTRY(posting) link; /* only while its link is up */
    bool done;
    struct intake *intake;
    uint64_t link_generation;
    uint64_t number;
    uint64_t uid;
    char handle[HANDLE_MAX_LENGTH + 1];
    char device[DEVICE_MAX_LENGTH + 1];
    char target[UUID_TEXT_LENGTH + 1]; /* as the device named it: an id, or "@handle" */
};

static_assert(HANDLE_MAX_LENGTH + 1 <= UUID_TEXT_LENGTH, "a target is a UUID or @handle");

static void copy_text(char *to, size_t capacity, struct slice from)
{
    assert(from.length < capacity); /* frame_read_draft() has looked */
    if (from.length > 0)
        memcpy(to, from.data, from.length);
    to[from.length] = '\0';
}

static void write_receipt(struct intake *i, const struct posting *p, struct slice id,
                          const struct ingest_outcome *outcome)
{
    struct slice to = slice_str(p->target[0] == '@' ? p->target : "");

    buf_reset(&i->json);
    if (outcome->code == CODE_OK)
        receipt_write(&i->json, id, &outcome->conversation, to,
                      outcome->seq + fault_breaks(wrong_seq_receipt), outcome->at_ms);
    else
        receipt_write_error(&i->json, id, slice_str(p->target), outcome->code, outcome->reason, -1);
    assert(!i->json.failed);
    link_device(i->modules.link, &(struct frame_device){.uid = p->uid,
                                                        .device = slice_str(p->device),
                                                        .topic = slice_str(TOPIC_RECEIPT),
                                                        .payload = buf_slice(&i->json)});
}

static void on_done(void *owner, struct slice id, const struct ingest_outcome *outcome)
{
    struct posting *p = owner;
    struct intake *i = p->intake;

    if (outcome->code != CODE_OK)
        refused_draft_log(&(struct refused_draft){.user = slice_str(p->handle),
                                                  .device = slice_str(p->device),
                                                  .target = slice_str(p->target),
                                                  .id = id,
                                                  .outcome = outcome});
    if (p->link_generation != i->link_generation) {
        free(p);
        return;
    }
    write_receipt(i, p, id, outcome);
    p->done = true;
    while ((p = TAILQ_FIRST(&i->postings)) != NULL && p->done) {
        i->settled_number = p->number;
        TAILQ_REMOVE(&i->postings, p, link);
        free(p);
    }
}

/* The writer answers the rest for nobody. */
static void forget_postings(struct intake *i)
{
    struct posting *p;

    while ((p = TAILQ_FIRST(&i->postings)) != NULL) {
        TAILQ_REMOVE(&i->postings, p, link);
        if (p->done)
            free(p);
    }
    i->link_generation++;
    i->settled_number = 0;
}

static void on_settled(void *owner)
{
    struct intake *i = owner;

    fault_point("bridge.before_confirm");
    if (i->settled_number > 0)
        link_confirm(i->modules.link, i->settled_number);
    i->settled_number = 0;
    if (i->held && !i->closed && ingest_has_room(i->modules.ingest)) {
        i->held = false;
        link_hold(i->modules.link, false);
    }
}

static void on_connected(void *owner, uint64_t boot)
{
    struct intake *i = owner;
    (void)boot;

    forget_postings(i);
    presence_link_up(i->modules.presence);
    revocations_link_up(i->modules.revocations);
    drain_link_changed(i->modules.drain, true);
}

static void on_disconnected(void *owner)
{
    struct intake *i = owner;

    forget_postings(i);
    fills_link_lost(i->modules.fills);
    members_link_lost(i->modules.members);
    presence_link_lost(i->modules.presence);
    requests_link_lost(i->modules.requests);
    if (i->modules.cluster)
        cluster_link_lost(i->modules.cluster);
    drain_link_changed(i->modules.drain, false);
}

static void on_left(void *owner, const struct frame_left *f)
{
    struct intake *i = owner;

    drain_note_left(i->modules.drain, f->connections);
}

static void on_attach(void *owner, const struct frame_attach *f)
{
    struct intake *i = owner;

    members_attach(i->modules.members, f->uid);
    if (i->modules.cluster)
        cluster_attach(i->modules.cluster, f->uid);
}

static void on_draft(void *owner, const struct frame_draft *f)
{
    struct intake *i = owner;
    const struct ingest_draft draft = {.uid = f->uid,
                                       .handle = f->handle,
                                       .device = f->device,
                                       .target = f->target,
                                       .json = f->payload};
    struct posting *p = must_calloc(1, sizeof *p);

    fault_leaks(leak_memory);
    p->intake = i;
    p->link_generation = i->link_generation;
    p->number = f->number;
    p->uid = f->uid;
    copy_text(p->handle, sizeof p->handle, f->handle);
    copy_text(p->device, sizeof p->device, f->device);
    copy_text(p->target, sizeof p->target, f->target);
    TAILQ_INSERT_TAIL(&i->postings, p, link);
    ingest_submit(i->modules.ingest, &draft, on_done, p);
    if (!i->held && ingest_is_full(i->modules.ingest)) {
        i->held = true;
        link_hold(i->modules.link, true);
    }
}

static void on_request(void *owner, const struct frame_request *f)
{
    struct intake *i = owner;
    requests_start(i->modules.requests, f);
}

static void on_fill(void *owner, const struct frame_fill *f)
{
    struct intake *i = owner;
    fills_start(i->modules.fills, f);
}

static void on_session(void *owner, const struct frame_session *f)
{
    struct intake *i = owner;

    presence_session(i->modules.presence, f);
    if (i->modules.cluster)
        cluster_session(i->modules.cluster, f);
}

static void on_signal(void *owner, const struct frame_signal *f)
{
    struct intake *i = owner;
    switch (f->kind) {
    case SIGNAL_TYPING:
        presence_typing(i->modules.presence, f);
        break;
    case SIGNAL_CURSOR:
        cursors_signal(i->modules.cursors, f);
        break;
    }
}

static void on_watch(void *owner, const struct frame_watch *f)
{
    struct intake *i = owner;
    presence_watch(i->modules.presence, f);
}

static void on_interest(void *owner, const struct frame_interest *f)
{
    struct intake *i = owner;
    cluster_interest(i->modules.cluster, f);
}

static void on_limited(void *owner, const struct frame_limited *f)
{
    struct intake *i = owner;
    rates_note_plugin(i->modules.rates, f);
}

static void on_drained(void *owner)
{
    struct intake *i = owner;
    ingest_kick(i->modules.ingest);
}

struct intake *intake_create(const struct intake_modules *modules)
{
    struct intake *i = must_calloc(1, sizeof *i);

    i->modules = *modules;
    TAILQ_INIT(&i->postings);
    buf_init(&i->json, RECEIPT_MAX_BYTES);
    ingest_on_settled(modules->ingest, on_settled, i);
    return i;
}

void intake_destroy(struct intake *i)
{
    if (!i)
        return;
    forget_postings(i);
    buf_finish(&i->json);
    free(i);
}

struct link_handlers intake_handlers(struct intake *i)
{
    return (struct link_handlers){
        .connected = on_connected,
        .disconnected = on_disconnected,
        .attach = on_attach,
        .draft = on_draft,
        .request = on_request,
        .fill = on_fill,
        .session = on_session,
        .signal = on_signal,
        .watch = on_watch,
        .left = on_left,
        .interest = on_interest,
        .limited = on_limited,
        .drained = on_drained,
        .owner = i,
    };
}

void intake_close(struct intake *i)
{
    i->closed = true;
    i->held = true;
    link_hold(i->modules.link, true);
}
