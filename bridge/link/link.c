/* SPDX-License-Identifier: MIT */
/* link.c - the bridge's end of the link: who is the plugin, what its frames mean, when the bell
 * rings.
 *
 * Everything written during a turn of the loop is sent by on_turn_end(), which also does whatever
 * must not happen inside a caller's call: telling of a lost plugin, freeing peers, ending barriers
 * that no plugin will answer. */
#include "link/link.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "link/bell.h"
#include "link/listener.h"
#include "link/outlet.h"
#include "link/peer.h"

#include <assert.h>
#include <event2/event.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    GUESTS_MAX = 4, /* connections that have not said HELLO; more are turned away */
    HELLO_TIMEOUT_MS = 5000,
    BARRIER_TIMEOUT_MS = 5000,
    DEADLINE_CHECK_MS = 250,
    PING_MS = 1000, /* of silence, after which the plugin is asked for a sign of life */
};

/* A connection that is not (or no longer) the plugin. */
struct guest {
    struct peer *peer; /* NULL: free slot */
    uint64_t deadline_ms;
    uint64_t boot;
    bool greeted; /* it has said HELLO, with this boot, and waits to be welcomed */
};

struct barrier {
    struct barrier *next;
    uint64_t number;
    uint64_t deadline_ms;
    link_barrier_fn *done;
    void *owner;
};

struct link {
    struct event_base *base;
    char *socket_path;
    char *key;
    char *node;
    struct link_handlers handlers;
    struct peer_handlers peer_handlers;
    struct listener *listener;
    struct bell *bell;
    struct peer *plugin; /* NULL: none */
    struct guest guests[GUESTS_MAX];
    struct barrier *barriers; /* oldest first */
    struct barrier **barriers_end;
    uint64_t barrier_number; /* of the last one */
    struct event *turn_end;
    struct event *deadline_timer;
    uint64_t heard_ms; /* when the plugin last said anything */
    uint64_t asked_ms; /* when it was asked for a sign of life, after that; 0: it was not */
    bool interests;    /* wanted */
    bool held;         /* the plugin is to keep its drafts */
    bool shut;         /* no plugin is welcomed */
    bool bell_wanted;
};

static void schedule_turn_end(struct link *l)
{
    event_active(l->turn_end, EV_TIMEOUT, 1); /* once, however often it is asked for */
}

static void end_barriers(struct link *l, uint64_t upto)
{
    while (l->barriers && l->barriers->number <= upto) {
        struct barrier *b = l->barriers;
        l->barriers = b->next;
        if (!l->barriers)
            l->barriers_end = &l->barriers;
        b->done(b->owner); /* may add another one */
        free(b);
    }
}

void link_barrier(struct link *l, link_barrier_fn *done, void *owner)
{
    struct barrier *b = must_calloc(1, sizeof *b);

    b->number = ++l->barrier_number;
    b->deadline_ms = clock_monotonic_ms() + BARRIER_TIMEOUT_MS;
    b->done = done;
    b->owner = owner;
    *l->barriers_end = b;
    l->barriers_end = &b->next;
    if (link_is_connected(l))
        frame_write_barrier(peer_out(l->plugin), &(struct frame_barrier){.number = b->number});
    schedule_turn_end(l);
}

static void heard(struct link *l)
{
    l->heard_ms = clock_monotonic_ms();
    l->asked_ms = 0;
}

/* A barrier that nobody waits for. Busy or not, the plugin answers or says WAKE meanwhile. */
static void ask_for_sign(struct link *l, uint64_t now_ms)
{
    struct buf *b = outlet_begin(l);

    if (!b || l->asked_ms > 0 || now_ms - l->heard_ms < PING_MS)
        return;
    l->asked_ms = now_ms;
    frame_write_barrier(b, &(struct frame_barrier){.number = BARRIER_PING});
    outlet_end(l);
}

static struct guest *find_guest(struct link *l, const struct peer *peer)
{
    for (int i = 0; i < GUESTS_MAX; i++) {
        if (l->guests[i].peer == peer)
            return &l->guests[i];
    }
    return NULL;
}

/* Puts the plugin's peer into a free slot, doomed, to be freed at the end of the turn. */
static void lose_plugin(struct link *l, struct guest *slot)
{
    uint64_t last = l->barrier_number;

    slot->peer = l->plugin;
    l->plugin = NULL;
    peer_doom(slot->peer, "replaced by a new connection");
    l->handlers.disconnected(l->handlers.owner);
    end_barriers(l, last);
}

static bool key_is_ours(const struct link *l, struct slice key)
{
    struct slice ours = slice_str(l->key);

    return key.length == ours.length && CRYPTO_memcmp(key.data, ours.data, ours.length) == 0;
}

static void welcome(struct link *l, struct guest *slot)
{
    struct peer *peer = slot->peer;
    uint64_t boot = slot->boot, unwritten;

    *slot = (struct guest){0};
    if (l->plugin)
        lose_plugin(l, slot);
    unwritten = l->barrier_number;
    l->plugin = peer;
    heard(l);
    log_info("link", "plugin connected, boot %016llx", (unsigned long long)boot);
    frame_write_welcome(peer_out(peer), &(struct frame_welcome){.version = LINK_VERSION,
                                                                .node = slice_str(l->node),
                                                                .interests = l->interests});
    if (l->held)
        frame_write_hold(peer_out(peer), &(struct frame_hold){true});
    schedule_turn_end(l);
    l->handlers.connected(l->handlers.owner, boot);
    end_barriers(l, unwritten); /* this plugin will not answer what it is not asked */
}

/* The plugin has come anew before it was welcomed: as with WELCOME, the last one counts. */
static void turn_away_greeted(struct link *l)
{
    for (int i = 0; i < GUESTS_MAX; i++) {
        if (l->guests[i].peer && l->guests[i].greeted)
            peer_doom(l->guests[i].peer, "replaced by a new connection");
    }
}

static void welcome_greeted(struct link *l)
{
    for (int i = 0; i < GUESTS_MAX && !l->shut; i++) {
        if (l->guests[i].peer && l->guests[i].greeted && !peer_is_doomed(l->guests[i].peer))
            welcome(l, &l->guests[i]);
    }
}

static bool on_hello(struct link *l, struct peer *peer, const struct frame *f)
{
    struct guest *slot = find_guest(l, peer);
    struct frame_hello hello;

    if (f->type != FRAME_HELLO || slot->greeted || !frame_read_hello(f->body, &hello))
        return false;
    if (hello.version != LINK_VERSION || !key_is_ours(l, hello.key)) {
        log_warning("link", "HELLO refused: %s",
                    hello.version != LINK_VERSION ? "another version" : "wrong key");
        return false;
    }
    turn_away_greeted(l);
    slot->boot = hello.boot;
    slot->greeted = true;
    if (l->shut)
        log_info("link", "a plugin waits until nothing of lost connections is left");
    else
        welcome(l, slot);
    return true;
}

static bool on_attach(struct link *l, struct slice body)
{
    struct frame_attach f;
    if (!frame_read_attach(body, &f))
        return false;
    l->handlers.attach(l->handlers.owner, &f);
    return true;
}

static bool on_draft(struct link *l, struct slice body)
{
    struct frame_draft f;
    if (!frame_read_draft(body, &f))
        return false;
    l->handlers.draft(l->handlers.owner, &f);
    return true;
}

static bool on_request(struct link *l, struct slice body)
{
    struct frame_request f;
    if (!frame_read_request(body, &f))
        return false;
    l->handlers.request(l->handlers.owner, &f);
    return true;
}

static bool on_fill(struct link *l, struct slice body)
{
    struct frame_fill f;
    if (!frame_read_fill(body, &f))
        return false;
    l->handlers.fill(l->handlers.owner, &f);
    return true;
}

static bool on_session(struct link *l, struct slice body)
{
    struct frame_session f;
    if (!frame_read_session(body, &f))
        return false;
    l->handlers.session(l->handlers.owner, &f);
    return true;
}

static bool on_signal(struct link *l, struct slice body)
{
    struct frame_signal f;
    if (!frame_read_signal(body, &f))
        return false;
    l->handlers.signal(l->handlers.owner, &f);
    return true;
}

static bool on_watch(struct link *l, struct slice body)
{
    struct frame_watch f;
    if (!frame_read_watch(body, &f))
        return false;
    l->handlers.watch(l->handlers.owner, &f);
    return true;
}

static bool on_left(struct link *l, struct slice body)
{
    struct frame_left f;
    if (!frame_read_left(body, &f))
        return false;
    l->handlers.left(l->handlers.owner, &f);
    return true;
}

static bool on_interest(struct link *l, struct slice body)
{
    struct frame_interest f;
    if (!l->interests || !frame_read_interest(body, &f))
        return false;
    l->handlers.interest(l->handlers.owner, &f);
    return true;
}

static bool on_limited(struct link *l, struct slice body)
{
    struct frame_limited f;
    if (!frame_read_limited(body, &f))
        return false;
    l->handlers.limited(l->handlers.owner, &f);
    return true;
}

static bool on_wake(struct link *l, struct slice body)
{
    l->bell_wanted = true;
    schedule_turn_end(l);
    return body.length == 0;
}

static bool on_barrier_done(struct link *l, struct slice body)
{
    struct frame_barrier f;
    if (!frame_read_barrier(body, &f) || f.number > l->barrier_number)
        return false;
    end_barriers(l, f.number);
    return true;
}

static const struct {
    enum frame_type type;
    bool (*handle)(struct link *l, struct slice body);
} frame_table[] = {
    {FRAME_DRAFT, on_draft},       {FRAME_ATTACH, on_attach},
    {FRAME_REQUEST, on_request},   {FRAME_FILL, on_fill},
    {FRAME_WAKE, on_wake},         {FRAME_BARRIER_DONE, on_barrier_done},
    {FRAME_SESSION, on_session},   {FRAME_SIGNAL, on_signal},
    {FRAME_WATCH, on_watch},       {FRAME_LEFT, on_left},
    {FRAME_INTEREST, on_interest}, {FRAME_LIMITED, on_limited},
};

static bool on_frame(void *owner, struct peer *peer, const struct frame *f)
{
    struct link *l = owner;

    if (peer != l->plugin)
        return on_hello(l, peer, f);
    heard(l);
    for (size_t i = 0; i < sizeof frame_table / sizeof frame_table[0]; i++) {
        if (frame_table[i].type == f->type)
            return frame_table[i].handle(l, f->body);
    }
    return false;
}

static void on_drained(void *owner, struct peer *peer)
{
    struct link *l = owner;
    if (peer != l->plugin)
        return;
    l->handlers.drained(l->handlers.owner);
    /* The plugin writes only in its own turns: the rest of a large frame would wait for one. */
    if (peer_is_inside_frame(peer)) {
        l->bell_wanted = true;
        schedule_turn_end(l);
    }
}

static void on_sent(void *owner, struct peer *peer)
{
    struct link *l = owner;
    if (peer != l->plugin)
        return;
    l->bell_wanted = true;
    schedule_turn_end(l);
}

static void on_doomed(void *owner, struct peer *peer)
{
    (void)peer;
    schedule_turn_end(owner);
}

static void on_accepted(void *owner, int fd)
{
    struct link *l = owner;
    struct guest *slot = find_guest(l, NULL);

    if (!slot) {
        log_warning("link", "too many connections without HELLO: one is turned away");
        close(fd);
        return;
    }
    *slot = (struct guest){.peer = peer_create(l->base, fd, &l->peer_handlers),
                           .deadline_ms = clock_monotonic_ms() + HELLO_TIMEOUT_MS};
}

static void free_doomed_guests(struct link *l)
{
    for (int i = 0; i < GUESTS_MAX; i++) {
        struct guest *g = &l->guests[i];
        if (g->peer && peer_is_doomed(g->peer)) {
            peer_destroy(g->peer);
            g->peer = NULL;
        }
    }
}

static void on_turn_end(evutil_socket_t fd, short what, void *argument)
{
    struct link *l = argument;
    (void)fd;
    (void)what;

    if (l->plugin && peer_flush(l->plugin))
        l->bell_wanted = true;
    free_doomed_guests(l);
    welcome_greeted(l);
    if (l->plugin && peer_is_doomed(l->plugin)) {
        struct guest slot = {0};
        lose_plugin(l, &slot);
        peer_destroy(slot.peer);
    }
    if (!l->plugin)
        end_barriers(l, l->barrier_number);
    if (l->bell_wanted)
        bell_ring(l->bell);
    l->bell_wanted = false;
}

static void on_deadline_timer(evutil_socket_t fd, short what, void *argument)
{
    struct link *l = argument;
    uint64_t now_ms = clock_monotonic_ms();
    (void)fd;
    (void)what;

    for (int i = 0; i < GUESTS_MAX; i++) {
        if (l->guests[i].peer && now_ms >= l->guests[i].deadline_ms)
            peer_doom(l->guests[i].peer,
                      l->guests[i].greeted ? "it cannot be welcomed yet" : "no HELLO in time");
    }
    if (l->plugin && l->barriers && now_ms >= l->barriers->deadline_ms)
        peer_doom(l->plugin, "a barrier was not answered in time");
    ask_for_sign(l, now_ms);
}

struct link *link_create(struct event_base *base, const struct link_config *config)
{
    struct link *l = must_calloc(1, sizeof *l);

    l->base = base;
    l->socket_path = must_strndup(slice_str(config->socket_path));
    l->key = must_strndup(slice_str(config->key));
    l->node = must_strndup(slice_str(config->node));
    l->interests = config->interests;
    l->barriers_end = &l->barriers;
    l->peer_handlers = (struct peer_handlers){
        .frame = on_frame, .drained = on_drained, .sent = on_sent, .doomed = on_doomed, .owner = l};
    l->turn_end = event_new(base, -1, 0, on_turn_end, l);
    l->deadline_timer = event_new(base, -1, EV_PERSIST, on_deadline_timer, l);
    l->bell = bell_create(base, config->broker, config->key);
    if (!l->turn_end || !l->deadline_timer || !l->bell) {
        log_error("link", "cannot start: broker must be a path or host:port");
        link_destroy(l);
        return NULL;
    }
    return l;
}

void link_destroy(struct link *l)
{
    if (!l)
        return;
    listener_destroy(l->listener);
    bell_destroy(l->bell);
    for (int i = 0; i < GUESTS_MAX; i++)
        peer_destroy(l->guests[i].peer);
    peer_destroy(l->plugin);
    l->plugin = NULL;
    end_barriers(l, l->barrier_number);
    if (l->turn_end)
        event_free(l->turn_end);
    if (l->deadline_timer)
        event_free(l->deadline_timer);
    explicit_bzero(l->key, strlen(l->key));
    free(l->key);
    free(l->node);
    free(l->socket_path);
    free(l);
}

bool link_start(struct link *l, const struct link_handlers *handlers)
{
    const struct timeval interval = {.tv_usec = DEADLINE_CHECK_MS * 1000};

    assert(!l->listener);
    l->handlers = *handlers;
    l->listener = listener_create(l->base, l->socket_path, on_accepted, l);
    return l->listener && event_add(l->deadline_timer, &interval) == 0;
}

bool link_is_connected(const struct link *l)
{
    return l->plugin && !peer_is_doomed(l->plugin);
}

uint64_t link_silent_ms(const struct link *l)
{
    return link_is_connected(l) && l->asked_ms > 0 ? clock_monotonic_ms() - l->asked_ms : 0;
}

bool link_is_flushed(const struct link *l)
{
    return !link_is_connected(l) || peer_is_flushed(l->plugin);
}

size_t link_waiting(const struct link *l)
{
    return link_is_connected(l) ? peer_waiting(l->plugin) : 0;
}

void link_reset(struct link *l)
{
    if (link_is_connected(l))
        peer_doom(l->plugin, "its picture of the members may be wrong");
}

void link_shut(struct link *l, bool shut)
{
    l->shut = shut;
    schedule_turn_end(l);
}

bool link_is_shut(const struct link *l)
{
    return l->shut;
}

struct buf *outlet_begin(struct link *l)
{
    return link_is_connected(l) ? peer_out(l->plugin) : NULL;
}

void outlet_end(struct link *l)
{
    if (peer_is_overrun(l->plugin))
        peer_doom(l->plugin, "it does not read what it is sent");
    schedule_turn_end(l);
}

void link_hold(struct link *l, bool hold)
{
    struct buf *b = outlet_begin(l);

    if (l->held == hold)
        return;
    l->held = hold;
    if (!b)
        return;
    frame_write_hold(b, &(struct frame_hold){hold});
    outlet_end(l);
}
