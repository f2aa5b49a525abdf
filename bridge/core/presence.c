/* SPDX-License-Identifier: MIT */
/* presence.c - see presence.h: the parts of presence/, the clock, the link and the rows put
 * together. */
#include "core/presence.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/memory.h"
#include "core/presence/ledger.h"
#include "core/presence/questions.h"
#include "core/presence/roster.h"
#include "core/presence/rows.h"
#include "core/presence/typing.h"
#include "link/link.h"

#include <event2/event.h>
#include <stdlib.h>

enum {
    PAYLOAD_MAX = 256,
    TELL_MS = 2000,       /* the plugin tells of 4,096 sessions a turn: this is enough for 80,000 */
    COME_BACK_MS = 10000, /* a link that was lost, or a plugin that may be there at the start */
};

struct presence {
    struct link *link;
    struct roster *roster;
    struct typing *typing;
    struct ledger *ledger;
    struct questions *questions;
    struct rows *rows;
    struct event *timer;
    uint64_t settled_ms; /* until then somebody who is not here may have been before the start */
    uint64_t known_ms;   /* until then who is here has not been told */
    struct buf json;     /* scratch */
    struct buf own_json; /* the same, for the user's own devices */
};

static struct roster_time now(void)
{
    return (struct roster_time){clock_monotonic_ms(), clock_wall_ms()};
}

/* Has the timer come at the next deadline of the roster and of those who type. */
static void run(struct presence *p)
{
    struct roster_time time = now();
    uint64_t roster_ms = roster_turn(p->roster, time);
    uint64_t typing_ms = typing_turn(p->typing, time.now_ms);
    uint64_t next_ms = roster_ms < typing_ms ? roster_ms : typing_ms;
    struct timeval wait;

    if (next_ms == UINT64_MAX)
        return;
    next_ms -= time.now_ms;
    wait.tv_sec = (time_t)(next_ms / 1000);
    wait.tv_usec = (suseconds_t)(next_ms % 1000) * 1000;
    event_add(p->timer, &wait);
}

static void on_timer(evutil_socket_t fd, short what, void *argument)
{
    (void)fd;
    (void)what;
    run(argument);
}

/* {"user","state"}, and "last_seen" of who is offline, was ever seen and lets it be known. */
static struct slice write_state(struct buf *b, const struct roster_view *view, bool discreet)
{
    static const char *const names[] = {
        [SHOWN_OFFLINE] = "offline", [SHOWN_AWAY] = "away", [SHOWN_ONLINE] = "online"};
    char at[RFC3339_MS_LENGTH + 1];

    buf_reset(b);
    buf_str(b, "{\"user\":");
    buf_json(b, view->handle);
    buf_printf(b, ",\"state\":\"%s\"", names[view->shown]);
    if (view->shown == SHOWN_OFFLINE && view->last_seen_ms > 0 && !discreet) {
        rfc3339_ms(view->last_seen_ms, at);
        buf_printf(b, ",\"last_seen\":\"%s\"", at);
    }
    buf_char(b, '}');
    return buf_slice(b);
}

static void on_shown(void *owner, const struct roster_view *view)
{
    struct presence *p = owner;
    struct frame_presence f = {
        .uid = view->uid,
        .payload = write_state(&p->json, view, view->discreet),
        .own_payload = write_state(&p->own_json, view, false),
    };

    link_presence(p->link, &f);
}

static void on_unknown(void *owner, uint64_t uid)
{
    struct presence *p = owner;
    rows_read(p->rows, uid);
}

static void on_seen(void *owner, uint64_t uid, int64_t at_ms)
{
    struct presence *p = owner;
    ledger_seen(p->ledger, uid, at_ms);
}

static void on_hidden(void *owner, uint64_t uid, bool hidden, int64_t at_ms)
{
    struct presence *p = owner;
    ledger_hidden(p->ledger, uid, hidden, at_ms);
}

/* With what is not committed yet put over it. */
static struct presence_row row_now(const struct presence *p, uint64_t uid,
                                   const struct presence_row *read)
{
    struct presence_row row = *read;

    ledger_overlay(p->ledger, uid, &row.hidden, &row.last_seen_ms);
    return row;
}

static void on_row(void *owner, uint64_t uid, const struct presence_row *read)
{
    struct presence *p = owner;
    const struct presence_row row = row_now(p, uid, read);

    roster_loaded(p->roster, uid, &row);
}

/* Of somebody who is not in the roster. */
static struct roster_view offline_view(uint64_t uid, struct slice handle,
                                       const struct presence_row *row)
{
    return (struct roster_view){.uid = uid,
                                .handle = handle,
                                .shown = SHOWN_OFFLINE,
                                .last_seen_ms = row->last_seen_ms,
                                .discreet = row->discreet};
}

static void on_typing(void *owner, const struct frame_signal_out *f)
{
    struct presence *p = owner;
    link_signal(p->link, f);
}

/* What the target is now; empty: nobody knows yet. */
static struct slice state_now(struct presence *p, const struct question *q,
                              const struct verdict *verdict)
{
    const uint64_t uid = verdict->target_uid;
    const struct presence_row row = row_now(p, uid, &verdict->row);
    struct roster_view view;

    roster_loaded(p->roster, uid, &row);
    if (!roster_find(p->roster, uid, &view)) {
        view = offline_view(uid, slice_str(q->target), &row);
        if (q->again && !row.hidden && clock_monotonic_ms() < p->settled_ms) {
            view.shown = SHOWN_UNKNOWN;
            roster_expect(p->roster, uid, view.handle, &row, now());
            run(p);
        }
    }
    if (view.shown == SHOWN_UNKNOWN)
        return slice_of(NULL, 0);
    return write_state(&p->json, &view, view.discreet && q->uid != uid);
}

static void on_verdict(void *owner, const struct question *q, const struct verdict *verdict)
{
    struct presence *p = owner;
    struct frame_watched f = {
        .number = q->number,
        .uid = q->uid,
        .device = slice_str(q->device),
        .target = slice_str(q->target),
        .target_uid = verdict->target_uid,
        .allowed = verdict->allowed && verdict->target_uid > 0,
    };

    if (f.allowed)
        f.payload = state_now(p, q, verdict);
    link_watched(p->link, &f);
}

struct presence *presence_create(struct event_base *base, struct db_pool *pool, struct link *link,
                                 const struct presence_config *config)
{
    struct presence *p = must_calloc(1, sizeof *p);
    const struct roster_hooks hooks = {
        .shown = on_shown, .unknown = on_unknown, .seen = on_seen, .hidden = on_hidden, .owner = p};

    p->link = link;
    p->known_ms = clock_monotonic_ms() + COME_BACK_MS;
    p->settled_ms = clock_monotonic_ms() + config->grace_ms;
    buf_init(&p->json, PAYLOAD_MAX);
    buf_init(&p->own_json, PAYLOAD_MAX);
    p->roster = roster_create(config->grace_ms, &hooks);
    p->typing = typing_create(on_typing, p);
    p->ledger = ledger_create(base, pool);
    p->questions = questions_create(base, pool, on_verdict, p);
    p->rows = rows_create(base, pool, on_row, p);
    p->timer = evtimer_new(base, on_timer, p);
    if (p->ledger && p->questions && p->rows && p->timer)
        return p;
    presence_destroy(p);
    return NULL;
}

void presence_destroy(struct presence *p)
{
    if (!p)
        return;
    if (p->timer)
        event_free(p->timer);
    rows_destroy(p->rows);
    questions_destroy(p->questions);
    ledger_destroy(p->ledger);
    typing_destroy(p->typing);
    roster_destroy(p->roster);
    buf_finish(&p->json);
    buf_finish(&p->own_json);
    free(p);
}

void presence_session(struct presence *p, const struct frame_session *f)
{
    roster_session(p->roster, f, now());
    run(p);
}

void presence_watch(struct presence *p, const struct frame_watch *f)
{
    questions_ask(p->questions, f);
}

void presence_typing(struct presence *p, const struct frame_signal *f)
{
    typing_signal(p->typing, f, clock_monotonic_ms());
    run(p);
}

void presence_row_changed(struct presence *p, uint64_t uid, struct slice handle,
                          const struct presence_row *row)
{
    const struct presence_row newest = row_now(p, uid, row);
    const struct roster_view view = offline_view(uid, handle, &newest);

    questions_row_changed(p->questions, handle);
    if (!roster_discreet(p->roster, uid, row->discreet))
        on_shown(p, &view);
}

void presence_link_up(struct presence *p)
{
    p->known_ms = clock_monotonic_ms() + TELL_MS;
}

void presence_link_lost(struct presence *p)
{
    p->known_ms = clock_monotonic_ms() + COME_BACK_MS;
    roster_link_lost(p->roster, now());
    questions_link_lost(p->questions);
    typing_link_lost(p->typing);
    run(p);
}

void presence_close(struct presence *p)
{
    roster_write_all(p->roster, now());
    ledger_flush(p->ledger);
}

bool presence_is_idle(const struct presence *p)
{
    return ledger_is_idle(p->ledger);
}

bool presence_is_here(const struct presence *p, uint64_t uid)
{
    return roster_is_here(p->roster, uid);
}

bool presence_is_known(const struct presence *p)
{
    return clock_monotonic_ms() >= p->known_ms;
}

size_t presence_count(const struct presence *p)
{
    return roster_count(p->roster);
}
