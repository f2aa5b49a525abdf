/* SPDX-License-Identifier: MIT */
/* core.c - see core.h: builds the plugin's parts, and gives each of them its share of a turn. */
#include "core.h"

#include "announce.h"
#include "attach.h"
#include "base/clock.h"
#include "broker.h"
#include "heads.h"
#include "inbound.h"
#include "interests.h"
#include "requests.h"
#include "wire/json.h"
#include "wire/limits.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum {
    FRAME_SCRATCH_MAX = LINK_HEADER_BYTES + LINK_BODY_MAX,
    JSON_SCRATCH_MAX = 64 << 10,
    KICKS_PER_TURN = 64,
    /* A kick waits until what was published before it has been written: the broker does that at
     * the start of its next turn, and TICK may be early in a turn or late. */
    KICK_DELAY_TURNS = 2,
};

static void on_link_up(void *owner, const struct frame_welcome *welcome)
{
    struct core *c = owner;
    struct slice node = welcome->node;

    if (node.length > NODE_MAX_LENGTH)
        node.length = NODE_MAX_LENGTH;
    memcpy(c->node, node.data, node.length);
    c->node[node.length] = '\0';
    c->stats.links++;
    interests_link_up(c, welcome->interests);
    attach_link_up(c);
    announce_link_up(c);
    watches_link_up(c);
    drain_link_up(c);
    rates_link_up(c);
}

static void on_link_down(void *owner)
{
    struct core *c = owner;

    requests_link_lost(c);
    fanout_link_lost(&c->fanout);
    attach_link_lost(c);
    order_link_lost(c);
    stats_log(&c->stats);
}

static bool on_link_frame(void *owner, const struct frame *f)
{
    return inbound_frame(owner, f);
}

static bool on_link_may_read(void *owner)
{
    const struct core *c = owner;

    return fanout_may_read(&c->fanout);
}

struct core *core_create(struct options *options)
{
    struct core *c = calloc(1, sizeof *c);
    struct link_handlers handlers = {on_link_up, on_link_down, on_link_frame, on_link_may_read, c};
    uint64_t boot;

    if (!c) {
        options_finish(options);
        broker_log(BROKER_ERROR, "out of memory");
        return NULL;
    }
    c->options = *options;
    options_init(options);
    buf_init(&c->frame, FRAME_SCRATCH_MAX);
    buf_init(&c->json, JSON_SCRATCH_MAX);
    sessions_init(&c->sessions);
    members_init(&c->members);
    interests_init(c);
    order_init(&c->order);
    fanout_init(&c->fanout);
    watches_init(&c->watches);
    asked_init(&c->asked);
    revoked_set_init(&c->revoked, REVOKED_MAX);
    fanout_refill(&c->fanout);
    json_watch_memory();
    if (getrandom(&boot, sizeof boot, 0) != sizeof boot || !auth_init(c))
        goto fail;
    if (!rates_init(&c->rates, &c->options)) {
        broker_log(BROKER_ERROR, "no memory to count what devices do");
        goto fail;
    }
    if (!ring_init(&c->ring, c->options.ring_bytes)) {
        broker_log(BROKER_ERROR, "no memory for a ring of %zu bytes", c->options.ring_bytes);
        goto fail;
    }
    link_init(&c->link, c->options.link_socket, slice_of(c->auth.link_key, c->auth.link_key_length),
              boot, &c->ring, &handlers);
    return c;
fail:
    json_unwatch_memory();
    rates_finish(&c->rates);
    auth_finish(&c->auth);
    options_finish(&c->options);
    free(c);
    return NULL;
}

void core_destroy(struct core *c)
{
    if (!c)
        return;
    link_flush(&c->link);
    if (!link_is_up(&c->link))
        stats_log(&c->stats); /* otherwise they are logged when the link goes down, below */
    fanout_finish(c);
    order_finish(c);
    while (c->sessions.first)
        core_close_session(c, c->sessions.first);
    link_finish(&c->link); /* frees the users whose attach was under way */
    watches_finish(&c->watches);
    asked_finish(&c->asked);
    revoked_set_finish(&c->revoked);
    sessions_finish(&c->sessions);
    members_finish(&c->members);
    ring_finish(&c->ring);
    rates_finish(&c->rates);
    buf_finish(&c->frame);
    buf_finish(&c->json);
    auth_finish(&c->auth);
    options_finish(&c->options);
    json_unwatch_memory();
    free(c);
}

static void run_kicks(struct core *c)
{
    struct session *session;
    char client_id[CLIENT_ID_MAX_LENGTH + 1];

    for (unsigned i = 0; i < KICKS_PER_TURN; i++) {
        session = sessions_next_kick(&c->sessions, c->turn);
        if (!session)
            return;
        if (session->superseded)
            continue; /* the client id is another connection's now, and this one is ending */
        memcpy(client_id, session->client_id, sizeof client_id);
        c->stats.kicks++;
        broker_kick(client_id); /* DISCONNECT comes from inside and frees the session */
    }
}

void core_tick(struct core *c)
{
    c->turn++;
    c->now_ms = clock_monotonic_ms();
    auth_reload_done(&c->auth);
    fanout_refill(&c->fanout);
    link_turn(&c->link, c->now_ms);
    fanout_turn(c);
    order_turn(c);
    announce_turn(c);
    watches_turn(c);
    drain_turn(c);
    run_kicks(c);
    auth_look(c);
    auth_scan(c);
    heads_scan(c);
    rates_turn(c);
    /* What is left needs another turn soon, but only traffic on its sockets wakes the broker. */
    if (link_is_up(&c->link) &&
        (c->link.unread || fanout_is_busy(&c->fanout) || announce_is_busy(c) ||
         watches_are_busy(&c->watches) || c->sessions.kicks))
        frame_write_wake(link_out(&c->link));
    link_flush(&c->link);
}

void core_bell(struct core *c)
{
    link_read(&c->link);
}

void core_close_session(struct core *c, struct session *session)
{
    struct user *u = session->user;

    watches_closed(c, session);
    asked_closed(&c->asked, session);
    announce_closing(c, session);
    sessions_close(&c->sessions, session);
    attach_closed(c, u);
}

void core_disconnected(struct core *c, const void *client)
{
    struct session *session = sessions_find_any(&c->sessions, client);

    if (session)
        core_close_session(c, session);
}

void core_kick(struct core *c, struct session *session)
{
    sessions_kick(&c->sessions, session, c->turn + KICK_DELAY_TURNS);
}

bool core_is_bell(const char *client_id)
{
    return client_id && strcmp(client_id, BELL_NAME) == 0;
}
