/* SPDX-License-Identifier: MIT */
/* cluster.c - see cluster.h: the life of a node among others, from turn to turn.
 *
 * A turn (cluster/lease.h) renews the lease, and brings who else there is. Its first one, and the
 * first after a lease was lost, takes all that the others have told so far as known: whoever is
 * attached after it reads the database, which is no older. */
#include "core/cluster.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "core/cluster/parts.h"
#include "core/commands.h"
#include "db/db.h"
#include "link/link.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

enum {
    ABOUT_MAX = 4096,
    RECONCILE_MS = 1000, /* between times that everybody is attached anew */
    MESSAGE_MAX = BUS_MESSAGE_MAX,
};

static void tell_changed(struct cluster *c)
{
    bool member = cluster_is_member(c);

    if (member == c->was_member)
        return;
    c->was_member = member;
    if (member)
        log_info("cluster", "node %s has its lease", c->own.name);
    else
        log_warning("cluster", "node %s has lost its lease, and delivers nothing", c->own.name);
    if (c->changed)
        c->changed(c->changed_owner, member);
}

void cluster_reset(struct cluster *c, const char *why)
{
    log_warning("cluster", "the plugin begins anew: %s", why);
    c->stats.reconciled++;
    link_reset(c->config.link);
}

/* ---------------------------------------------------------------- who else there is */

/* What its users' devices were told stays; what it may have committed and not told is looked for.
 */
static void lose_peer(struct cluster *c, struct peer *peer, bool well)
{
    log_info("cluster", "node %s has %s", peer->id.name, well ? "left" : "ended");
    presence_node_lost(c->config.presence, peer->index);
    c->reconcile = c->reconcile || !well;
    peers_remove(&c->peers, peer);
}

/* It has left in order, and all that it told has come here. */
static bool has_left_well(const struct peer *peer, const struct lease_row *row)
{
    return row->left_as == peer->id.incarnation && peer->taken >= row->left_number;
}

static struct peer *meet_peer(struct cluster *c, const struct lease_row *row)
{
    struct peer *before = peers_find_name(&c->peers, row->node.name);
    uint64_t taken = row->first > 0 ? row->first - 1 : 0;
    struct peer *peer;

    if (before)
        lose_peer(c, before, has_left_well(before, row));
    if (row->ended || c->peers.count >= CLUSTER_NODES_MAX)
        return NULL;
    peer = peers_add(&c->peers, &row->node, c->fresh ? row->number : taken, clock_monotonic_ms());
    c->met = true;
    peer->rolled = !c->fresh && taken == 0; /* its bulletins tell everything from its start */
    log_info("cluster", "node %s is there", peer->id.name);
    return peer;
}

static void copy_about(struct peer *peer, struct slice about)
{
    free(peer->about);
    peer->about = must_strndup(about);
}

static void take_body(struct cluster *c, struct peer *peer, struct slice body)
{
    struct bulletin b;

    while (body.length > 0 && bulletin_unpack(&body, &b)) {
        c->stats.healed += b.number > peer->taken;
        hear_bulletin(c, peer, &b);
    }
}

static void renew_peer(struct cluster *c, struct peer *peer, const struct lease_row *row)
{
    uint64_t now_ms = clock_monotonic_ms();

    peer->first = row->first;
    if (row->number > peer->number)
        peer->number = row->number;
    if (row->silent_ms < now_ms && now_ms - row->silent_ms > peer->heard_ms)
        peer->heard_ms = now_ms - row->silent_ms;
    peer_read_applied(peer, row->applied, &c->own);
    copy_about(peer, row->about);
    if (c->fresh) {
        peer_skip_to(peer, row->number);
        peer->rolled = false;
    }
    take_body(c, peer, row->body);
    if (peer_is_stuck(peer) || peer->first > peer->taken + 1) { /* nobody has what is missing */
        cluster_reset(c, "it has missed too much of what others told");
        peer_skip_to(peer, row->number);
        peer->rolled = false;
    }
}

static void on_begun(void *owner, const struct cluster_key *key, bool was_lost)
{
    struct cluster *c = owner;

    c->key = *key;
    c->fresh = was_lost || c->turn_done == 0;
    if (!c->fresh)
        return;
    c->complete_ms = clock_monotonic_ms() + ROLL_GIVE_UP_MS;
    if (c->turn_done > 0)
        cluster_reset(c, "the others did not wait for this node any more");
}

static void on_row(void *owner, const struct lease_row *row)
{
    struct cluster *c = owner;
    struct peer *peer = peers_find(&c->peers, &row->node);

    c->config.heard(c->config.heard_owner, row->about);
    if (!peer)
        peer = meet_peer(c, row);
    if (!peer)
        return;
    renew_peer(c, peer, row);
    if (row->ended)
        lose_peer(c, peer, has_left_well(peer, row));
}

/* Once what was told last is where the others find it. */
static void leave(struct cluster *c)
{
    uint64_t number = bulletins_number(c->bulletins);

    if (c->stored >= number || peers_applied(&c->peers) >= number)
        lease_leave(c->lease);
    else
        cluster_turn_soon(c, true);
}

static void on_done(void *owner)
{
    struct cluster *c = owner;

    c->stored = c->met ? 0 : c->storing;
    c->met = false;
    c->turn_done = c->turn;
    c->fresh = false;
    tell_changed(c);
    bulletins_forget(c->bulletins, peers_applied(&c->peers), clock_monotonic_ms());
    tell_barriers(c);
    if (c->closing)
        leave(c);
    if (clock_monotonic_ms() >= c->turn_ms)
        event_active(c->timer, EV_TIMEOUT, 1); /* somebody waits for the next one */
}

static void on_failed(void *owner)
{
    struct cluster *c = owner;

    tell_changed(c);
    cluster_turn_soon(c, false);
}

/* ---------------------------------------------------------------- turns */

void cluster_turn_soon(struct cluster *c, bool now)
{
    uint64_t due_ms = clock_monotonic_ms() + (now ? 0 : LEASE_SOON_MS);

    if (due_ms < c->turn_ms)
        c->turn_ms = due_ms;
    if (now)
        event_active(c->timer, EV_TIMEOUT, 1);
}

/* Somebody has not applied what has been told for a while, and it is not in the database yet. */
static bool is_unapplied(const struct cluster *c, uint64_t now_ms)
{
    uint64_t next = peers_applied(&c->peers) + 1;

    return next != 0 && next > c->stored && next <= bulletins_number(c->bulletins) &&
           now_ms - bulletins_closed_ms(c->bulletins, next) >= UNAPPLIED_MS;
}

/* Something is missing here that only PostgreSQL may bring, or there. */
static bool is_hurried(const struct cluster *c, uint64_t now_ms)
{
    const struct peer *peer;

    if (c->closing || !STAILQ_EMPTY(&c->barriers) || is_unapplied(c, now_ms))
        return true;
    LIST_FOREACH(peer, &c->peers.list, link)
    {
        if (peer_has_gap(peer) || now_ms - peer->bus_ms >= DEAF_MS)
            return true;
    }
    return false;
}

static void list_known(const struct cluster *c, struct applied *known)
{
    const struct peer *peer;

    LIST_FOREACH(peer, &c->peers.list, link)
    {
        *known++ = (struct applied){peer->id, peer->taken};
    }
}

/* Whoever sees a new incarnation looks for what the one before may have changed. So there is none
 * until nothing of that can change any more. */
static bool may_take_turn(const struct cluster *c)
{
    return !lease_is_busy(c->lease) && (c->turn_done > 0 || db_node_is_settled(c->config.node));
}

static void take_turn(struct cluster *c, uint64_t now_ms)
{
    struct applied *known = must_calloc(c->peers.count + 1, sizeof *known);
    struct buf applied, about, body;
    struct lease_turn turn = {.known = known, .known_count = c->peers.count};

    buf_init(&applied, CLUSTER_NODES_MAX * (CLUSTER_NAME_MAX + 32));
    buf_init(&about, ABOUT_MAX);
    buf_init(&body, BODY_MAX_BYTES + 4 * BULLETIN_BYTES);
    list_known(c, known);
    peers_write_applied(&c->peers, &applied);
    c->config.describe(c->config.describe_owner, &about);
    c->storing = tell_body(c, &body);
    turn.first = bulletins_first(c->bulletins);
    turn.number = bulletins_number(c->bulletins);
    turn.applied = buf_slice(&applied);
    turn.about = buf_slice(&about);
    turn.upto = c->storing;
    turn.body = buf_slice(&body);
    c->turn_ms = now_ms + LEASE_TURN_MS;
    if (lease_turn(c->lease, &turn))
        c->turn++;
    buf_finish(&applied);
    buf_finish(&about);
    buf_finish(&body);
    free(known);
}

/* Sealed, as all that goes where others might write. */
static void tell_registry(struct cluster *c, uint64_t now_ms)
{
    if (!c->registry || c->closing || c->turn_done == 0 || now_ms < c->about_ms)
        return;
    c->about_ms = now_ms + REGISTRY_SAY_MS;
    buf_reset(&c->message);
    message_begin(&c->message, MESSAGE_ABOUT, &c->own);
    c->config.describe(c->config.describe_owner, &c->message);
    message_seal(&c->message, &c->key);
    if (!c->message.failed)
        registry_say(c->registry, buf_slice(&c->message));
}

/* One statement per second at the most, however many nodes end at the same time. */
static void reconcile(struct cluster *c, uint64_t now_ms)
{
    if (!c->reconcile || !cluster_is_member(c) || now_ms - c->reconciled_ms < RECONCILE_MS)
        return;
    c->reconcile = false;
    c->reconciled_ms = now_ms;
    c->stats.reconciled++;
    link_attach_again(c->config.link);
}

static void look(struct cluster *c)
{
    uint64_t now_ms = clock_monotonic_ms();

    tell_changed(c);
    if (c->heads_ms > 0 && now_ms >= c->heads_ms)
        tell_bulletin(c, false);
    if (now_ms >= c->beat_ms) {
        c->beat_ms = now_ms + BEAT_MS;
        tell_beat(c);
    }
    tell_registry(c, now_ms);
    if (is_hurried(c, now_ms))
        cluster_turn_soon(c, false);
    if (now_ms >= c->turn_ms && may_take_turn(c))
        take_turn(c, now_ms);
    if (c->unsure && db_node_is_settled(c->config.node)) {
        c->unsure = false;
        tell_news(c, &(struct news){.type = NEWS_UNSURE});
    }
    reconcile(c, now_ms);
    hear_look(c, now_ms);
    tell_barriers(c);
    if (interests_turn(c->interests, now_ms))
        event_active(c->timer, EV_TIMEOUT, 1);
}

static void on_timer(evutil_socket_t fd, short what, void *argument)
{
    (void)fd;
    (void)what;
    look(argument);
}

static void on_flush(evutil_socket_t fd, short what, void *argument)
{
    struct cluster *c = argument;
    (void)fd;
    (void)what;

    if (!bulletins_is_empty(c->bulletins))
        tell_bulletin(c, false);
}

/* ---------------------------------------------------------------- the bus */

static void on_bus_up(void *owner)
{
    struct cluster *c = owner;
    char name[2 + CLUSTER_NAME_MAX + 1] = "n:";

    memcpy(name + 2, c->own.name, strlen(c->own.name) + 1);
    bus_subscribe(c->bus, slice_str(CHANNEL_ALL));
    bus_subscribe(c->bus, slice_str(name));
    interests_bus_up(c->interests);
    tell_beat(c);
}

static void on_bus_down(void *owner)
{
    cluster_turn_soon(owner, false);
}

static void on_bus_message(void *owner, struct slice channel, struct slice payload)
{
    hear_message(owner, channel, payload);
}

/* ---------------------------------------------------------------- life */

static void on_telling(void *owner, const struct uuid *conversation)
{
    const struct cluster *c = owner;

    commands_overtake(c->config.commands, conversation);
}

static void on_looked_up(void *owner, uint64_t ticket)
{
    hear_looked_up(owner, ticket);
}

static bool create_parts(struct cluster *c, struct event_base *base)
{
    const struct timeval interval = {.tv_usec = CLUSTER_LOOK_MS * 1000};
    const struct bus_config bus = {
        .address = c->config.redis, .prefix = c->config.redis_prefix, .tls = c->config.redis_tls};
    const struct registry_config registry = {
        .address = c->config.registry,
        .redis = c->config.redis,
        .prefix = c->config.redis_prefix,
        .redis_tls = c->config.redis_tls,
        .name = c->own.name,
    };
    const struct bus_handlers bus_handlers = {
        .up = on_bus_up, .down = on_bus_down, .message = on_bus_message, .owner = c};
    const struct lease_handlers lease_handlers = {
        .begun = on_begun, .row = on_row, .done = on_done, .failed = on_failed, .owner = c};
    const struct memberships_hooks looking_up = {
        .telling = on_telling, .told = on_looked_up, .owner = c};

    if (c->config.registry[0] && !(c->registry = registry_create(base, &registry)))
        return false;
    return (c->bus = bus_create(base, &bus, &bus_handlers)) &&
           (c->interests = interests_create(c->bus)) &&
           (c->lease = lease_create(base, c->config.dsn, &c->own, &lease_handlers)) &&
           (c->memberships =
                memberships_create(base, c->config.pool, c->config.link, &looking_up)) &&
           (c->flush = event_new(base, -1, 0, on_flush, c)) &&
           (c->timer = event_new(base, -1, EV_PERSIST, on_timer, c)) &&
           event_add(c->timer, &interval) == 0;
}

struct cluster *cluster_create(struct event_base *base, const struct cluster_config *config)
{
    struct cluster *c = must_calloc(1, sizeof *c);
    const char *key = db_node_key(config->node);
    struct herald_others others;
    struct presence_others watchers;

    c->config = *config;
    memcpy(c->own.name, key, strlen(key));
    c->own.incarnation = db_node_incarnation(config->node);
    c->bulletins = bulletins_create();
    c->attaching = attaching_create();
    peers_init(&c->peers);
    STAILQ_INIT(&c->looking);
    STAILQ_INIT(&c->confirming);
    STAILQ_INIT(&c->barriers);
    buf_init(&c->message, MESSAGE_MAX);
    buf_init(&c->frame, LINK_BODY_MAX);
    if (!create_parts(c, base)) {
        cluster_destroy(c);
        return NULL;
    }
    presence_set_complete(config->presence, false);
    others = tell_others(c);
    watchers = tell_presence(c);
    herald_tell_others(config->herald, &others);
    presence_tell_others(config->presence, &watchers);
    return c;
}

static void free_settling(struct settling_list *list)
{
    struct settling *s;

    while ((s = STAILQ_FIRST(list)) != NULL) {
        STAILQ_REMOVE_HEAD(list, link);
        free(s);
    }
}

void cluster_destroy(struct cluster *c)
{
    struct cluster_barrier *b;

    if (!c)
        return;
    c->closing = true;
    lease_destroy(c->lease);
    bus_destroy(c->bus);
    registry_destroy(c->registry);
    if (c->timer)
        event_free(c->timer);
    if (c->flush)
        event_free(c->flush);
    while ((b = STAILQ_FIRST(&c->barriers)) != NULL) {
        STAILQ_REMOVE_HEAD(&c->barriers, link);
        b->done(b->owner, false);
        free(b);
    }
    free_settling(&c->looking);
    free_settling(&c->confirming);
    memberships_destroy(c->memberships);
    interests_destroy(c->interests);
    bulletins_destroy(c->bulletins);
    attaching_destroy(c->attaching);
    peers_finish(&c->peers);
    buf_finish(&c->message);
    buf_finish(&c->frame);
    free(c);
}

void cluster_set_revocations(struct cluster *c, struct revocations *revocations)
{
    c->revocations = revocations;
}

void cluster_on_changed(struct cluster *c, cluster_changed_fn *changed, void *owner)
{
    c->changed = changed;
    c->changed_owner = owner;
}

bool cluster_is_member(const struct cluster *c)
{
    return lease_is_held(c->lease);
}

bool cluster_bus_is_up(const struct cluster *c)
{
    return bus_is_up(c->bus);
}

void cluster_interest(struct cluster *c, const struct frame_interest *f)
{
    interests_set(c->interests, &f->conversation, f->on, clock_monotonic_ms());
}

void cluster_attach(struct cluster *c, uint64_t uid)
{
    if (!presence_is_here_own(c->config.presence, uid))
        attaching_await(c->attaching, uid);
}

void cluster_session(struct cluster *c, const struct frame_session *f)
{
    if (f->state != SESSION_DOWN)
        attaching_come(c->attaching, f->uid);
}

bool cluster_concerns(const struct cluster *c, uint64_t uid)
{
    return presence_was_here_own(c->config.presence, uid) || attaching_concerns(c->attaching, uid);
}

void cluster_link_lost(struct cluster *c)
{
    attaching_link_lost(c->attaching);
    interests_link_lost(c->interests, clock_monotonic_ms());
}

void cluster_close(struct cluster *c)
{
    c->closing = true;
    if (c->registry)
        registry_say(c->registry, slice_of(NULL, 0));
    tell_bulletin(c, false);
    cluster_turn_soon(c, true);
}

bool cluster_is_idle(const struct cluster *c)
{
    return lease_has_left(c->lease) || !cluster_is_member(c);
}

struct listing {
    const struct cluster *cluster;
    void (*tell)(void *owner, struct slice about);
    void *owner;
};

/* What nobody has sealed, or is left of an incarnation before, does not count. */
static void tell_registered(void *owner, struct slice name, struct slice value)
{
    const struct listing *l = owner;
    const struct peer *peer;
    struct message m;

    if (!message_open(value, &l->cluster->key, &m) || m.kind != MESSAGE_ABOUT ||
        !slice_equal(slice_str(m.from.name), name))
        return;
    peer = peers_find(&l->cluster->peers, &m.from);
    if (peer && !peer->suspected)
        l->tell(l->owner, m.body);
}

void cluster_describe_others(const struct cluster *c, void (*tell)(void *owner, struct slice about),
                             void *owner)
{
    struct listing listing = {c, tell, owner};
    const struct peer *peer;

    if (c->registry && registry_is_up(c->registry)) {
        registry_each(c->registry, tell_registered, &listing);
        return;
    }
    LIST_FOREACH(peer, &c->peers.list, link)
    {
        if (peer->about && !peer->suspected)
            tell(owner, slice_str(peer->about));
    }
}

void cluster_get_stats(const struct cluster *c, struct cluster_stats *out)
{
    struct registry_stats registry;
    struct bus_stats bus;

    bus_get_stats(c->bus, &bus);
    *out = c->stats;
    if (c->registry) {
        registry_get_stats(c->registry, &registry);
        out->has_registry = true;
        out->registry_up = registry_is_up(c->registry);
        out->registry_entries = registry.entries;
        out->registry_losses = registry.losses;
    }
    out->published = bus.published;
    out->dropped = bus.dropped;
    out->received = bus.received;
    out->losses = bus.losses;
    out->nodes = 1 + c->peers.count;
    out->interests = interests_count(c->interests);
}
