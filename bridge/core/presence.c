/* SPDX-License-Identifier: MIT */
/* presence.c - see presence.h: the parts of presence/, the clock, the link and the rows put
 * together. */
#include "core/presence.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/memory.h"
#include "core/herald.h"
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
    struct herald *herald;
    struct presence_others others;
    struct roster *roster;
    struct typing *typing;
    struct ledger *ledger;
    struct questions *questions;
    struct rows *rows;
    struct event *timer;
    uint64_t settled_ms; /* until then somebody who is not here may have been before the start */
    uint64_t known_ms;   /* until then who is here has not been told */
    uint64_t recall_ms;  /* until then the plugin may be telling of old connections */
    bool incomplete;     /* some other node has not told who is there */
    struct buf json;     /* scratch */
    struct buf own_json; /* the same, for the user's own devices */
};

static struct roster_time now(const struct presence *p)
{
    uint64_t now_ms = clock_monotonic_ms();

    return (struct roster_time){now_ms, clock_wall_ms(), now_ms < p->recall_ms};
}

/* Has the timer come at the next deadline of the roster and of those who type. */
static void run(struct presence *p)
{
    struct roster_time time = now(p);
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
    herald_signal(p->herald, f);
}

/* Of somebody of whom nobody has told: before this process, or on a node that has told nothing yet.
 */
static bool may_be_somewhere(const struct presence *p, bool again, const struct presence_row *row)
{
    return !row->hidden && (p->incomplete || (again && clock_monotonic_ms() < p->settled_ms));
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
        if (may_be_somewhere(p, q->again, &row)) {
            view.shown = SHOWN_UNKNOWN;
            roster_expect(p->roster, uid, view.handle, &row, now(p));
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

static void on_part(void *owner, const struct roster_part *part)
{
    struct presence *p = owner;

    if (p->others.part)
        p->others.part(p->others.owner, part);
}

static void on_met(void *owner, uint64_t uid, struct slice device, uint64_t epoch)
{
    struct presence *p = owner;

    if (p->others.met)
        p->others.met(p->others.owner, uid, device, epoch);
}

struct presence *presence_create(struct event_base *base, struct db_pool *pool, struct link *link,
                                 struct herald *herald, const struct presence_config *config)
{
    struct presence *p = must_calloc(1, sizeof *p);
    const struct roster_hooks hooks = {.shown = on_shown,
                                       .unknown = on_unknown,
                                       .seen = on_seen,
                                       .hidden = on_hidden,
                                       .part = on_part,
                                       .met = on_met,
                                       .owner = p};

    p->link = link;
    p->herald = herald;
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
    roster_session(p->roster, f, now(p));
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

void presence_row_elsewhere(struct presence *p, uint64_t uid, struct slice handle,
                            const struct presence_row *row)
{
    const struct presence_row newest = row_now(p, uid, row);
    const struct roster_view view = offline_view(uid, handle, &newest);

    questions_row_changed(p->questions, handle);
    if (!roster_discreet(p->roster, uid, row->discreet))
        on_shown(p, &view);
}

void presence_row_changed(struct presence *p, uint64_t uid, struct slice handle,
                          const struct presence_row *row)
{
    presence_row_elsewhere(p, uid, handle, row);
    if (p->others.row)
        p->others.row(p->others.owner, uid, handle, row);
}

void presence_link_up(struct presence *p)
{
    p->known_ms = p->recall_ms = clock_monotonic_ms() + TELL_MS;
}

void presence_link_lost(struct presence *p)
{
    p->known_ms = clock_monotonic_ms() + COME_BACK_MS;
    roster_link_lost(p->roster, now(p));
    questions_link_lost(p->questions);
    typing_link_lost(p->typing);
    run(p);
}

void presence_close(struct presence *p)
{
    roster_write_all(p->roster, now(p));
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

bool presence_is_here_own(const struct presence *p, uint64_t uid)
{
    return roster_is_here_own(p->roster, uid);
}

bool presence_was_here_own(const struct presence *p, uint64_t uid)
{
    return roster_was_here_own(p->roster, uid);
}

bool presence_is_elsewhere(const struct presence *p, uint64_t uid)
{
    return roster_is_elsewhere(p->roster, uid);
}

bool presence_is_known(const struct presence *p)
{
    return !p->incomplete && clock_monotonic_ms() >= p->known_ms;
}

size_t presence_count(const struct presence *p)
{
    return roster_count(p->roster);
}

size_t presence_devices(const struct presence *p)
{
    return roster_devices_here(p->roster);
}

void presence_each_device(const struct presence *p, uint64_t uid,
                          void (*see)(void *owner, struct slice device), void *owner)
{
    roster_each_device(p->roster, uid, see, owner);
}

void presence_tell_others(struct presence *p, const struct presence_others *others)
{
    p->others = *others;
}

void presence_elsewhere(struct presence *p, unsigned node, const struct roster_part *part)
{
    roster_elsewhere(p->roster, node, part, now(p));
}

bool presence_is_overtaken(struct presence *p, uint64_t uid, struct slice device, uint64_t epoch,
                           bool lesser)
{
    uint64_t own;

    roster_epoch_seen(p->roster, epoch);
    return roster_epoch_of(p->roster, uid, device, &own) &&
           (own < epoch || (own == epoch && lesser));
}

void presence_node_lost(struct presence *p, unsigned node)
{
    roster_node_lost(p->roster, node, now(p));
    run(p);
}

void presence_roll_begin(struct presence *p, unsigned node)
{
    roster_roll_begin(p->roster, node);
}

void presence_roll_end(struct presence *p, unsigned node)
{
    roster_roll_end(p->roster, node, now(p));
    run(p);
}

uint64_t *presence_users(const struct presence *p, size_t *count)
{
    return roster_users(p->roster, count);
}

bool presence_part(const struct presence *p, uint64_t uid, struct roster_part *out)
{
    return roster_part_of(p->roster, uid, out);
}

void presence_set_complete(struct presence *p, bool complete)
{
    p->incomplete = !complete;
}
