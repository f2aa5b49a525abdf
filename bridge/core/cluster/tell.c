/* SPDX-License-Identifier: MIT */
/* tell.c - what this node tells the others.
 *
 * Entries and signals go over the bus at once, to whoever is subscribed to their conversation. That
 * they exist, and all that is not about one conversation, stands in bulletins. A bulletin that
 * holds a change of members goes before the entries that follow the change. */
#include "base/clock.h"
#include "base/memory.h"
#include "core/cluster/parts.h"
#include "core/presence/row.h"

#include <assert.h>
#include <event2/event.h>
#include <stdlib.h>

static void publish_message(struct cluster *c, struct slice channel)
{
    message_seal(&c->message, &c->key);
    if (!c->message.failed)
        bus_publish(c->bus, channel, buf_slice(&c->message));
    buf_reset(&c->message);
}

static void begin(struct cluster *c, enum message_kind kind)
{
    buf_reset(&c->message);
    message_begin(&c->message, kind, &c->own);
}

/* Nobody would hear it, or nobody may know what it is sealed with. */
static bool is_mute(const struct cluster *c)
{
    return c->peers.count == 0 || !bus_is_up(c->bus) || c->turn_done == 0;
}

static void send_to(struct cluster *c, const struct node_id *to)
{
    char name[2 + CLUSTER_NAME_MAX + 1] = "n:";

    memcpy(name + 2, to->name, strlen(to->name) + 1);
    publish_message(c, slice_str(name));
}

void tell_beat(struct cluster *c)
{
    if (is_mute(c))
        return;
    begin(c, MESSAGE_BEAT);
    beat_write(&c->message, bulletins_first(c->bulletins), bulletins_number(c->bulletins));
    peers_write_applied(&c->peers, &c->message);
    publish_message(c, slice_str(CHANNEL_ALL));
}

void tell_bulletin(struct cluster *c, bool urgent)
{
    struct bulletin b;
    bool kept;

    bulletins_close(c->bulletins, urgent, clock_monotonic_ms());
    c->heads_ms = 0;
    c->pressing = false;
    event_del(c->flush);
    c->stats.bulletins++;
    if (is_mute(c))
        return;
    kept = bulletins_get(c->bulletins, bulletins_number(c->bulletins), &b);
    assert(kept);
    begin(c, MESSAGE_BULLETIN);
    bulletin_write(&c->message, b.number, b.urgent, b.news);
    publish_message(c, slice_str(CHANNEL_ALL));
}

/* Into the bulletin that is being gathered. */
static void add(struct cluster *c, const struct news *n)
{
    if (bulletins_add(c->bulletins, n))
        tell_bulletin(c, false);
}

/* What entries may not overtake, and what somebody may wait for, goes at the end of this turn of
 * the loop; who has come and gone is gathered for a moment. */
static bool is_pressing(const struct news *n)
{
    return n->type != NEWS_PERSON && n->type != NEWS_ROW && n->type != NEWS_PROFILE;
}

void tell_news(struct cluster *c, const struct news *n)
{
    const struct timeval gathering = {.tv_usec = GATHER_MS * 1000};

    add(c, n);
    if (bulletins_is_empty(c->bulletins))
        return;
    if (is_pressing(n)) {
        c->pressing = true;
        event_active(c->flush, EV_TIMEOUT, 1);
    } else if (!evtimer_pending(c->flush, NULL)) {
        event_add(c->flush, &gathering);
    }
}

static void publish_frame(struct cluster *c, const struct uuid *conversation)
{
    char name[INTEREST_CHANNEL_LENGTH + 1];

    begin(c, MESSAGE_FRAME);
    buf_slice_put(&c->message, buf_slice(&c->frame));
    publish_message(c, interest_channel(conversation, name));
}

static void publish_head(struct cluster *c, const struct news *head)
{
    char name[INTEREST_CHANNEL_LENGTH + 1];

    begin(c, MESSAGE_HEAD);
    news_write(&c->message, head);
    publish_message(c, interest_channel(&head->conversation, name));
}

static void on_entry(void *owner, const struct frame_entry *f)
{
    struct cluster *c = owner;
    const struct news head = {.type = NEWS_HEAD, .conversation = f->conversation, .seq = f->seq};

    if (cluster_is_member(c))
        interests_note(c->interests, &f->conversation, f->seq);
    else
        c->reconcile = true; /* the plugin has not got it */
    if (c->pressing)
        tell_bulletin(c, false);
    add(c, &head);
    if (c->heads_ms == 0)
        c->heads_ms = clock_monotonic_ms() + HEADS_MS;
    if (is_mute(c))
        return;
    if (f->payload.length > ENTRY_MAX_BYTES) {
        publish_head(c, &head);
        return;
    }
    buf_reset(&c->frame);
    frame_write_entry(&c->frame, f);
    publish_frame(c, &f->conversation);
}

static void on_member(void *owner, const struct frame_member *f)
{
    struct cluster *c = owner;
    const struct news n = {
        .type = NEWS_MEMBER, .conversation = f->conversation, .uid = f->uid, .seq = f->last_seq};

    memberships_changed(c->memberships, &f->conversation);
    if (f->role != ROLE_NONE && cluster_concerns(c, f->uid))
        interests_expect(c->interests, &f->conversation, f->last_seq, clock_monotonic_ms());
    tell_news(c, &n);
}

static void on_overtaken(void *owner, const struct frame_member *f)
{
    struct cluster *c = owner;

    on_member(c, f);
    if (cluster_concerns(c, f->uid))
        (void)memberships_look_up(c->memberships, &f->conversation, f->uid, f->last_seq);
}

static void on_ended(void *owner, const struct frame_ended *f)
{
    struct cluster *c = owner;
    const struct news n = {.type = NEWS_ENDED, .conversation = f->conversation};

    memberships_changed(c->memberships, &f->conversation);
    tell_news(c, &n);
}

static void on_signal(void *owner, const struct frame_signal_out *f)
{
    struct cluster *c = owner;

    if (is_mute(c) ||
        (f->audience == AUDIENCE_OWN && !presence_is_elsewhere(c->config.presence, f->sender)))
        return;
    buf_reset(&c->frame);
    frame_write_signal_out(&c->frame, f);
    publish_frame(c, &f->conversation);
}

static void on_profile(void *owner, uint64_t uid)
{
    tell_news(owner, &(struct news){.type = NEWS_PROFILE, .uid = uid});
}

static void on_revoked(void *owner, const struct uuid *login, uint64_t uid, int64_t ended_at_ms)
{
    const struct news n = {
        .type = NEWS_REVOKED, .conversation = *login, .uid = uid, .at_ms = ended_at_ms};

    tell_news(owner, &n);
}

static void on_kick(void *owner, const struct frame_kick *f)
{
    tell_news(owner, &(struct news){
                         .type = NEWS_KICK, .uid = f->uid, .device = f->device, .word = f->reason});
}

/* Told once nothing can change any more. */
static void on_unsure(void *owner)
{
    struct cluster *c = owner;

    c->unsure = true;
}

static void on_barrier(void *owner, herald_barrier_fn *done, void *done_owner)
{
    struct cluster *c = owner;
    struct cluster_barrier *b = must_calloc(1, sizeof *b);

    tell_bulletin(c, true);
    b->number = bulletins_number(c->bulletins);
    b->turn = c->turn + 1;
    b->deadline_ms = clock_monotonic_ms() + BARRIER_MS;
    b->done = done;
    b->owner = done_owner;
    STAILQ_INSERT_TAIL(&c->barriers, b, link);
    cluster_turn_soon(c, true);
}

static bool may_deliver(void *owner)
{
    return cluster_is_member(owner);
}

struct herald_others tell_others(struct cluster *c)
{
    return (struct herald_others){
        .entry = on_entry,
        .member = on_member,
        .overtaken = on_overtaken,
        .ended = on_ended,
        .signal = on_signal,
        .profile = on_profile,
        .revoked = on_revoked,
        .kick = on_kick,
        .unsure = on_unsure,
        .barrier = on_barrier,
        .may_deliver = may_deliver,
        .owner = c,
    };
}

static struct news person_of(const struct roster_part *part)
{
    return (struct news){
        .type = NEWS_PERSON,
        .uid = part->uid,
        .handle = part->handle,
        .person = {.state = (uint8_t)part->state,
                   .here = part->here,
                   .hidden = part->hidden,
                   .discreet = part->discreet,
                   .said_ms = part->said_ms,
                   .seen_ms = part->seen_ms},
    };
}

static void on_part(void *owner, const struct roster_part *part)
{
    const struct news n = person_of(part);

    tell_news(owner, &n);
}

static void on_met(void *owner, uint64_t uid, struct slice device, uint64_t epoch)
{
    const struct news n = {.type = NEWS_DEVICE, .uid = uid, .device = device, .epoch = epoch};

    tell_news(owner, &n);
}

static void on_row(void *owner, uint64_t uid, struct slice handle, const struct presence_row *row)
{
    const struct news n = {.type = NEWS_ROW,
                           .uid = uid,
                           .handle = handle,
                           .person = {.state = SHOWN_OFFLINE,
                                      .hidden = row->hidden,
                                      .discreet = row->discreet,
                                      .seen_ms = row->last_seen_ms}};

    tell_news(owner, &n);
}

struct presence_others tell_presence(struct cluster *c)
{
    return (struct presence_others){.part = on_part, .met = on_met, .row = on_row, .owner = c};
}

/* ---------------------------------------------------------------- who is here, all of them */

/* Answers to roll calls go out in slices: each page has what is so at that moment, and what changes
 * afterwards follows in bulletins. */
void tell_roll(struct cluster *c, struct peer *peer)
{
    free(peer->called);
    peer->called = presence_users(c->config.presence, &peer->called_count);
    peer->called_next = 0;
    peer->called_page = 0;
}

static void send_page(struct cluster *c, struct peer *peer, struct buf *page)
{
    bool last = peer->called_next == peer->called_count;

    begin(c, MESSAGE_ROLL);
    roll_write(&c->message, peer->called_page++, last, buf_slice(page));
    send_to(c, &peer->id);
    if (!last)
        return;
    free(peer->called);
    peer->called = NULL;
}

void tell_roll_slice(struct cluster *c, struct peer *peer)
{
    struct roster_part part;
    struct buf page;

    buf_init(&page, 2 * BULLETIN_BYTES);
    for (unsigned i = 0; i < ROLL_PAGES_PER_LOOK && peer->called && !is_mute(c); i++) {
        buf_reset(&page);
        while (peer->called_next < peer->called_count && page.length < BULLETIN_BYTES) {
            if (presence_part(c->config.presence, peer->called[peer->called_next++], &part)) {
                const struct news n = person_of(&part);
                news_write(&page, &n);
            }
        }
        send_page(c, peer, &page);
    }
    buf_finish(&page);
}

void tell_roll_call(struct cluster *c, const struct node_id *to)
{
    if (is_mute(c))
        return;
    begin(c, MESSAGE_ROLL_CALL);
    send_to(c, to);
}

/* ---------------------------------------------------------------- until everybody has applied it
 */

void tell_barriers(struct cluster *c)
{
    uint64_t now_ms = clock_monotonic_ms();
    uint64_t applied = peers_applied(&c->peers);
    struct cluster_barrier *b;

    while ((b = STAILQ_FIRST(&c->barriers)) != NULL) {
        bool reached = c->turn_done >= b->turn && applied >= b->number;

        if (!reached && now_ms < b->deadline_ms)
            return;
        STAILQ_REMOVE_HEAD(&c->barriers, link);
        b->done(b->owner, reached);
        free(b);
    }
}

static bool is_due(const struct cluster *c, uint64_t number, uint64_t now_ms)
{
    return !STAILQ_EMPTY(&c->barriers) || !bus_is_up(c->bus) || c->closing ||
           now_ms - bulletins_closed_ms(c->bulletins, number) >= UNAPPLIED_MS;
}

uint64_t tell_body(struct cluster *c, struct buf *body)
{
    uint64_t number = peers_applied(&c->peers);
    uint64_t last = bulletins_number(c->bulletins);
    uint64_t now_ms = clock_monotonic_ms();
    struct bulletin b;

    if (number == UINT64_MAX)
        return c->stored; /* there is nobody */
    if (number < c->stored)
        number = c->stored;
    if (number + 1 < bulletins_first(c->bulletins))
        number = bulletins_first(c->bulletins) - 1;
    while (number < last && is_due(c, number + 1, now_ms) && body->length < BODY_MAX_BYTES &&
           bulletins_get(c->bulletins, number + 1, &b)) {
        bulletin_pack(body, b.number, b.urgent, b.news);
        number++;
    }
    return number;
}
