/* SPDX-License-Identifier: MIT */
/* hear.c - what other nodes tell this one.
 *
 * A bulletin is acknowledged once what it says holds here: the memberships that it names have been
 * looked up, and the plugin has applied everything. Entries do not wait for that, except those of a
 * conversation whose members are being looked up: the plugin fetches these afterwards. */
#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "core/cluster/parts.h"
#include "core/presence/row.h"
#include "core/revocations.h"
#include "link/link.h"

#include <assert.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

/* ---------------------------------------------------------------- news */

/* What taking a bulletin leads to. */
struct taking {
    struct cluster *cluster;
    struct peer *peer;
    uint64_t ticket;
    bool plugin; /* has to apply something */
};

static void on_head(struct taking *t, const struct news *n)
{
    struct cluster *c = t->cluster;

    herald_change(c->config.herald, &n->conversation);
    if (memberships_hold(c->memberships, &n->conversation, n->seq))
        return;
    if (!interests_has(c->interests, &n->conversation))
        attaching_note(c->attaching, &n->conversation, n->seq);
    else if (interests_note(c->interests, &n->conversation, n->seq))
        link_head(c->config.link, &(struct frame_head){n->conversation, n->seq});
}

static void on_member(struct taking *t, const struct news *n)
{
    struct cluster *c = t->cluster;

    herald_change(c->config.herald, &n->conversation);
    if (!cluster_concerns(c, n->uid))
        return;
    interests_expect(c->interests, &n->conversation, 0, clock_monotonic_ms());
    t->ticket = memberships_look_up(c->memberships, &n->conversation, n->uid, n->seq);
    t->plugin = true;
}

static void on_ended(struct taking *t, const struct news *n)
{
    herald_change(t->cluster->config.herald, &n->conversation);
    link_ended(t->cluster->config.link, &(struct frame_ended){n->conversation});
    t->plugin = true;
}

static void on_profile(struct taking *t, const struct news *n)
{
    herald_profile_here(t->cluster->config.link, n->uid);
}

static void on_revoked(struct taking *t, const struct news *n)
{
    if (!t->cluster->revocations)
        return;
    revocations_add(t->cluster->revocations, &n->conversation, n->uid, n->at_ms, false);
    t->plugin = true;
}

static void on_person(struct taking *t, const struct news *n)
{
    const struct roster_part part = {
        .uid = n->uid,
        .handle = n->handle,
        .state = (enum shown)n->person.state,
        .here = n->person.here,
        .hidden = n->person.hidden,
        .discreet = n->person.discreet,
        .said_ms = n->person.said_ms,
        .seen_ms = n->person.seen_ms,
    };

    presence_elsewhere(t->cluster->config.presence, t->peer->index, &part);
}

static void on_row(struct taking *t, const struct news *n)
{
    const struct presence_row row = {.last_seen_ms = n->person.seen_ms,
                                     .hidden = n->person.hidden,
                                     .discreet = n->person.discreet};

    presence_row_elsewhere(t->cluster->config.presence, n->uid, n->handle, &row);
}

static void on_device(struct taking *t, const struct news *n)
{
    struct cluster *c = t->cluster;
    bool lesser = strcmp(c->own.name, t->peer->id.name) < 0;

    if (presence_is_overtaken(c->config.presence, n->uid, n->device, n->epoch, lesser))
        link_kick(c->config.link, &(struct frame_kick){.uid = n->uid,
                                                       .device = n->device,
                                                       .reason = slice_str("taken_over")});
}

static void on_kick(struct taking *t, const struct news *n)
{
    link_kick(t->cluster->config.link,
              &(struct frame_kick){.uid = n->uid, .device = n->device, .reason = n->word});
    t->plugin = true;
}

static void on_unsure(struct taking *t, const struct news *n)
{
    (void)n;
    cluster_reset(t->cluster, "another node does not know what it has changed");
    t->plugin = true;
}

static void (*const news_table[NEWS_LAST + 1])(struct taking *t, const struct news *n) = {
    [NEWS_HEAD] = on_head,       [NEWS_MEMBER] = on_member,   [NEWS_ENDED] = on_ended,
    [NEWS_PROFILE] = on_profile, [NEWS_REVOKED] = on_revoked, [NEWS_PERSON] = on_person,
    [NEWS_ROW] = on_row,         [NEWS_DEVICE] = on_device,   [NEWS_UNSURE] = on_unsure,
    [NEWS_KICK] = on_kick,
};

/* The rest of what is malformed is passed over: it is of a node of another version. */
static void take_news(struct taking *t, struct slice news)
{
    struct news n;
    bool malformed;

    while (news_next(&news, &n, &malformed))
        news_table[n.type](t, &n);
    if (malformed)
        log_error("cluster", "news of %s cannot be understood", t->peer->id.name);
}

/* ---------------------------------------------------------------- acknowledging */

static void settle_list(struct cluster *c, struct settling_list *list)
{
    struct settling *s;
    bool urgent = false;

    while ((s = STAILQ_FIRST(list)) != NULL) {
        struct peer *peer = peers_find_index(&c->peers, s->peer);

        STAILQ_REMOVE_HEAD(list, link);
        if (peer && peer->settled < s->number)
            peer->settled = s->number;
        urgent = urgent || s->urgent;
        free(s);
    }
    if (urgent)
        tell_beat(c);
}

static void confirm(struct cluster *c);

/* Since it was asked, more may have come that waits for it. */
struct confirmation {
    struct cluster *cluster;
    struct settling_list list;
};

static void on_confirmed(void *owner)
{
    struct confirmation *f = owner;
    struct cluster *c = f->cluster;

    c->plugin_asked = false;
    settle_list(c, &f->list);
    free(f);
    if (!c->closing)
        confirm(c);
}

/* Asks the plugin to echo, for what has been looked up. */
static void confirm(struct cluster *c)
{
    struct confirmation *f;
    struct settling *s;

    while ((s = STAILQ_FIRST(&c->looking)) != NULL && s->ticket <= c->looked_up) {
        STAILQ_REMOVE_HEAD(&c->looking, link);
        STAILQ_INSERT_TAIL(&c->confirming, s, link);
    }
    if (c->plugin_asked || STAILQ_EMPTY(&c->confirming))
        return;
    f = must_calloc(1, sizeof *f);
    f->cluster = c;
    STAILQ_INIT(&f->list);
    STAILQ_CONCAT(&f->list, &c->confirming);
    c->plugin_asked = true;
    link_barrier(c->config.link, on_confirmed, f);
}

void hear_looked_up(struct cluster *c, uint64_t ticket)
{
    c->looked_up = ticket;
    confirm(c);
}

/* What needs no later look-up than the last one of its peer waits with that: so there are never
 * more of them than look-ups for each peer, however long one takes. */
static bool join_last(struct cluster *c, const struct taking *t, const struct bulletin *b)
{
    struct settling *s;
    struct settling *last = NULL;

    STAILQ_FOREACH(s, &c->looking, link)
    {
        if (s->peer == t->peer->index)
            last = s;
    }
    if (!last || last->ticket < t->ticket)
        return false;
    last->number = b->number;
    last->urgent = last->urgent || b->urgent;
    return true;
}

static void settle_later(struct cluster *c, const struct taking *t, const struct bulletin *b)
{
    struct settling *s;

    if (join_last(c, t, b))
        return;
    s = must_calloc(1, sizeof *s);
    *s = (struct settling){
        .peer = t->peer->index, .number = b->number, .ticket = t->ticket, .urgent = b->urgent};
    STAILQ_INSERT_TAIL(&c->looking, s, link);
    confirm(c);
}

/* Nothing before it waits, nor does it have to. */
static bool is_settled(const struct taking *t, const struct bulletin *b)
{
    return !t->plugin && t->peer->settled + 1 == b->number;
}

static void take(struct cluster *c, struct peer *peer, const struct bulletin *b)
{
    struct taking t = {.cluster = c, .peer = peer, .ticket = c->looked_up};

    take_news(&t, b->news);
    if (!is_settled(&t, b)) {
        settle_later(c, &t, b);
        return;
    }
    peer->settled = b->number;
    if (b->urgent)
        tell_beat(c);
}

void hear_bulletin(struct cluster *c, struct peer *peer, const struct bulletin *b)
{
    struct bulletin next;
    char *owned;

    peer_bulletin(peer, b);
    while (peer_next(peer, &next, &owned)) {
        take(c, peer, &next);
        free(owned);
    }
    if (peer_has_gap(peer))
        cluster_turn_soon(c, false);
}

/* ---------------------------------------------------------------- the bus */

static void on_beat(struct cluster *c, struct peer *peer, struct slice body)
{
    struct beat beat;

    if (!beat_read(body, &beat))
        return;
    peer->first = beat.first;
    if (beat.number > peer->number)
        peer->number = beat.number;
    peer_read_applied(peer, beat.applied, &c->own);
    tell_barriers(c);
    if (peer_has_gap(peer))
        cluster_turn_soon(c, false);
}

static void on_bulletin(struct cluster *c, struct peer *peer, struct slice body)
{
    struct bulletin b;

    if (bulletin_read(body, &b))
        hear_bulletin(c, peer, &b);
}

static void forward_entry(struct cluster *c, struct slice body)
{
    struct frame_entry f;

    if (!frame_read_entry(body, &f))
        return;
    herald_change(c->config.herald, &f.conversation);
    if (memberships_hold(c->memberships, &f.conversation, f.seq))
        return;
    interests_note(c->interests, &f.conversation, f.seq);
    link_entry(c->config.link, &f);
}

static void on_frame(struct cluster *c, struct peer *peer, struct slice body)
{
    struct frame_signal_out signal;
    struct frame frame;
    size_t used;
    (void)peer;

    if (!cluster_is_member(c) || frame_next(body, &frame, &used) != FRAME_WHOLE)
        return;
    if (frame.type == FRAME_ENTRY)
        forward_entry(c, frame.body);
    else if (frame.type == FRAME_SIGNAL_OUT && frame_read_signal_out(frame.body, &signal))
        link_signal(c->config.link, &signal);
}

static void on_late_head(struct cluster *c, struct peer *peer, struct slice body)
{
    struct taking t = {.cluster = c, .peer = peer};
    struct news n;
    bool malformed;

    if (cluster_is_member(c) && news_next(&body, &n, &malformed) && n.type == NEWS_HEAD)
        on_head(&t, &n);
}

static void on_roll_call(struct cluster *c, struct peer *peer, struct slice body)
{
    (void)body;
    tell_roll(c, peer);
}

static void on_roll(struct cluster *c, struct peer *peer, struct slice body)
{
    struct taking t = {.cluster = c, .peer = peer};
    struct roll roll;

    if (!roll_read(body, &roll))
        return;
    if (roll.page == 0)
        presence_roll_begin(c->config.presence, peer->index);
    else if (roll.page != peer->roll_page)
        return; /* one was lost: it is asked for again */
    peer->roll_page = roll.page + 1;
    peer->roll_asked_ms = clock_monotonic_ms();
    take_news(&t, roll.news);
    if (!roll.last)
        return;
    presence_roll_end(c->config.presence, peer->index);
    peer->rolled = true;
}

static void (*const message_table[])(struct cluster *c, struct peer *peer, struct slice body) = {
    [MESSAGE_BEAT] = on_beat,      [MESSAGE_BULLETIN] = on_bulletin,   [MESSAGE_FRAME] = on_frame,
    [MESSAGE_HEAD] = on_late_head, [MESSAGE_ROLL_CALL] = on_roll_call, [MESSAGE_ROLL] = on_roll,
};

void hear_message(struct cluster *c, struct slice channel, struct slice payload)
{
    struct message m;
    struct peer *peer;
    (void)channel;

    if (c->turn_done == 0)
        return; /* the key is not known yet */
    if (!message_open(payload, &c->key, &m) || m.kind == MESSAGE_ABOUT) {
        c->stats.forged++;
        return;
    }
    peer = peers_find(&c->peers, &m.from);
    if (!peer)
        return; /* this node itself, or one of whom PostgreSQL has not told */
    peer->heard_ms = peer->bus_ms = clock_monotonic_ms();
    message_table[m.kind](c, peer, m.body);
}

/* ---------------------------------------------------------------- silence */

static bool is_silent(const struct peer *peer, uint64_t now_ms)
{
    return now_ms - peer->heard_ms >= PEER_SUSPECT_MS;
}

static void look_at(struct cluster *c, struct peer *peer, uint64_t now_ms)
{
    if (is_silent(peer, now_ms) && !peer->suspected) {
        log_warning("cluster", "node %s is silent", peer->id.name);
        peer->suspected = true;
        presence_node_lost(c->config.presence, peer->index);
    } else if (!is_silent(peer, now_ms) && peer->suspected) {
        log_info("cluster", "node %s is heard again", peer->id.name);
        peer->suspected = false;
        peer->rolled = false;
    }
    if (peer->rolled || peer->suspected || !bus_is_up(c->bus) ||
        (peer->roll_asked_ms > 0 && now_ms - peer->roll_asked_ms < ROLL_AGAIN_MS))
        return;
    peer->roll_asked_ms = now_ms;
    tell_roll_call(c, &peer->id);
}

void hear_look(struct cluster *c, uint64_t now_ms)
{
    struct peer *peer;
    bool complete = c->turn_done > 0;

    LIST_FOREACH(peer, &c->peers.list, link)
    {
        look_at(c, peer, now_ms);
        tell_roll_slice(c, peer);
        complete = complete && (peer->rolled || peer->suspected);
    }
    if (complete)
        c->complete_ms = now_ms;
    presence_set_complete(c->config.presence, complete || now_ms >= c->complete_ms);
}
