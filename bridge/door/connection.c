/* SPDX-License-Identifier: MIT */
/* connection.c - what all connections have in common: from the accept to the last byte.
 *
 * Flow: each side is read only while nothing waits to be written to the other, so at most one
 * read's worth of bytes waits for a slow reader. */
#include "base/log.h"
#include "base/memory.h"
#include "base/unix_socket.h"
#include "door/internal.h"

#include <assert.h>
#include <errno.h>
#include <openssl/ssl.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    TLS_HANDSHAKE_MS = 10000,
    PART_MS = 2000,   /* for the other side to close as well */
    STUCK_MS = 30000, /* in which a reader must take something */
    /* Answers to a client that does not read them (pongs) wait up to this; then it is not read. */
    CLIENT_WAITING_MAX_BYTES = 2 * STREAM_READ_BYTES,
    TURNED_AWAY_MAX = 64, /* at a time, of those for whom there are no descriptors */
    /* Of incomplete first requests and CONNECTs, all together. */
    HELD_MUCH_BYTES = STREAM_WAITING_MUCH_BYTES,
};

static void count_bytes(struct connection *c)
{
    struct door_counters *n = &c->door->counters;

    atomic_store_explicit(&n->waiting, c->door->pool.waiting, memory_order_relaxed);
}

static void balance(struct connection *c)
{
    size_t to_client = stream_waiting(&c->client);

    if (c->closed)
        return;
    stream_pause(&c->client, stream_waiting(&c->inner) > 0 || to_client > CLIENT_WAITING_MAX_BYTES);
    stream_pause(&c->inner, to_client > 0);
    count_bytes(c);
}

/* ---------------------------------------------------------------- what the streams tell */

static void client_received(void *owner, struct slice bytes)
{
    struct connection *c = owner;

    atomic_fetch_add_explicit(&c->door->counters.from_clients, bytes.length, memory_order_relaxed);
    c->stage->from_client(c, bytes);
    balance(c);
}

static void client_ended(void *owner)
{
    struct connection *c = owner;

    c->stage->client_ended(c);
    balance(c);
}

static void inner_received(void *owner, struct slice bytes)
{
    struct connection *c = owner;

    atomic_fetch_add_explicit(&c->door->counters.to_clients, bytes.length, memory_order_relaxed);
    c->stage->from_inner(c, bytes);
    balance(c);
}

static void inner_ended(void *owner)
{
    struct connection *c = owner;

    c->stage->inner_ended(c);
    balance(c);
}

static void client_failed(void *owner)
{
    struct connection *c = owner;

    if (c->has_tls && !c->client.secured)
        connection_count_refusal(c, DOOR_REFUSED_TLS);
    client_ended(c);
}

static void client_secured(void *owner)
{
    struct connection *c = owner;
    struct door_counters *n = &c->door->counters;

    atomic_fetch_add_explicit(&n->handshakes, 1, memory_order_relaxed);
    if (SSL_session_reused(c->client.ssl))
        atomic_fetch_add_explicit(&n->resumed, 1, memory_order_relaxed);
    connection_set_timer(c, c->patience_ms);
}

static void drained(void *owner)
{
    balance(owner);
}

static const struct stream_handlers client_handlers = {
    .received = client_received,
    .ended = client_ended,
    .failed = client_failed,
    .drained = drained,
    .secured = client_secured,
};

static const struct stream_handlers inner_handlers = {
    .received = inner_received,
    .ended = inner_ended,
    .failed = inner_ended,
    .drained = drained,
};

/* ---------------------------------------------------------------- time */

static void on_timer(evutil_socket_t fd, short what, void *owner)
{
    struct connection *c = owner;

    (void)fd, (void)what;
    c->stage->timer(c);
    balance(c);
}

void connection_set_timer(struct connection *c, unsigned ms)
{
    const struct timeval interval = {.tv_sec = ms / 1000, .tv_usec = (ms % 1000) * 1000};

    c->client_sent_then = c->client.sent;
    c->client_received_then = c->client.received;
    event_add(&c->timer, &interval);
}

void connection_set_patience(struct connection *c, unsigned ms)
{
    c->patience_ms = ms;
    connection_set_timer(c, c->has_tls && !c->client.secured ? TLS_HANDSHAKE_MS : ms);
}

bool connection_is_stuck(const struct connection *c)
{
    return stream_waiting(&c->client) > 0 && c->client.sent == c->client_sent_then;
}

bool connection_was_silent(const struct connection *c)
{
    return c->client.received == c->client_received_then;
}

/* ---------------------------------------------------------------- beginning */

void connection_enter(struct connection *c, const struct stage *stage)
{
    struct door_counters *n = &c->door->counters;

    if (c->stage)
        atomic_fetch_sub_explicit(&n->connections[c->stage->kind], 1, memory_order_relaxed);
    if (stage)
        atomic_fetch_add_explicit(&n->connections[stage->kind], 1, memory_order_relaxed);
    c->stage = stage;
}

static bool has_descriptors(const struct door *d, unsigned more)
{
    return d->descriptors + more <= d->descriptors_max;
}

static bool is_full(const struct door *d)
{
    enum { MOST_DESCRIPTORS = 3 }; /* that one connection can come to cost */

    return d->count > d->config.connections_max || !has_descriptors(d, MOST_DESCRIPTORS);
}

/* Without a TLS handshake, which would cost more than the answer is worth, and without an answer if
 * those who are still to go have taken too much of what is not the door's. */
static void turn_away(struct connection *c, enum door_refusal why, const char *detail)
{
    const struct door *d = c->door;

    if (c->stage == &first_stage && !c->has_tls &&
        d->descriptors <= d->descriptors_max + TURNED_AWAY_MAX) {
        first_refuse(c, why, 503, detail);
    } else {
        connection_count_refusal(c, why);
        connection_close(c);
    }
}

void connection_create(struct door_listener *l, int fd, const struct address *address)
{
    struct connection *c = must_calloc(1, sizeof *c);
    struct door *d = l->door;

    c->door = d;
    c->address = *address;
    stream_init(&c->client, &d->pool, &client_handlers, c);
    stream_init(&c->inner, &d->pool, &inner_handlers, c);
    buf_init(&c->held, HANDSHAKE_MAX_BYTES + STREAM_READ_BYTES);
    evtimer_assign(&c->timer, d->pool.base, on_timer, c);
    LIST_INSERT_HEAD(&d->connections, c, entry);
    d->count++;
    d->descriptors += c->descriptors = 1;
    atomic_fetch_add_explicit(&d->counters.accepted, 1, memory_order_relaxed);
    c->has_tls = l->has_tls;
    l->begin(c);
    if (!stream_open(&c->client, fd, l->has_tls ? tls_accept(d->tls) : NULL)) {
        connection_close(c);
        return;
    }
    if (is_full(d))
        turn_away(c, DOOR_REFUSED_CAPACITY, "the server has too many connections");
    else if (!party_knock(c))
        turn_away(c, DOOR_REFUSED_RATE, "too many connections from your address: wait");
    else if (!party_join(c))
        turn_away(c, DOOR_REFUSED_ADDRESS, "too many connections from your address");
}

int connection_open_inner(struct connection *c, const char *path, const char *name,
                          unsigned descriptors)
{
    struct sockaddr_un address, own = {.sun_family = AF_UNIX};
    int fd, error = 0;

    if (!has_descriptors(c->door, descriptors))
        return EMFILE;
    if (!unix_socket_address(&address, path))
        return errno;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return errno;
    if (name) { /* abstract: it begins with a NUL */
        size_t length = strlen(name);
        assert(length + 1 <= sizeof own.sun_path);
        memcpy(own.sun_path + 1, name, length);
        if (bind(fd, (const struct sockaddr *)&own,
                 (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + length)) != 0)
            error = errno;
    }
    if (!error && connect(fd, (const struct sockaddr *)&address, sizeof address) != 0)
        error = errno;
    if (error) {
        close(fd);
        return error;
    }
    c->door->descriptors += descriptors;
    c->descriptors += descriptors;
    return stream_open(&c->inner, fd, NULL) ? 0 : ECONNRESET;
}

bool connection_hold(struct connection *c, struct slice bytes, size_t max)
{
    struct stream_pool *pool = &c->door->pool;

    if (pool->waiting > HELD_MUCH_BYTES && c->held.length > 0)
        return false;
    buf_slice_put(&c->held, bytes);
    pool->waiting += bytes.length;
    c->held_counted += bytes.length;
    return !c->held.failed && c->held.length <= max;
}

void connection_release(struct connection *c)
{
    c->door->pool.waiting -= c->held_counted;
    c->held_counted = 0;
    buf_finish(&c->held);
}

void connection_count_refusal(struct connection *c, enum door_refusal why)
{
    char text[ADDRESS_TEXT_BYTES];

    atomic_fetch_add_explicit(&c->door->counters.refused[why], 1, memory_order_relaxed);
    address_format(&c->address, text);
    log_debug("door", "refused %s: %s", text, door_refusal_names[why]);
}

/* ---------------------------------------------------------------- end */

void connection_close(struct connection *c)
{
    struct door *d = c->door;

    if (c->closed)
        return;
    c->closed = true;
    stream_close(&c->client);
    stream_close(&c->inner);
    event_del(&c->timer);
    connection_release(c);
    party_leave(c);
    connection_enter(c, NULL);
    d->count--;
    d->descriptors -= c->descriptors;
    count_bytes(c);
    LIST_REMOVE(c, entry);
    LIST_INSERT_HEAD(&d->dead, c, entry);
    event_active(d->reaper, EV_TIMEOUT, 0);
}

void connection_reap(evutil_socket_t fd, short what, void *door)
{
    struct door *d = door;
    struct connection *c;

    (void)fd, (void)what;
    while ((c = LIST_FIRST(&d->dead))) {
        LIST_REMOVE(c, entry);
        frames_finish(&c->frames);
        free(c);
    }
}

static bool has_left(const struct stream *s)
{
    return !stream_is_open(s) || s->ended;
}

static void parting_end(struct connection *c)
{
    if (has_left(&c->client) && has_left(&c->inner) && stream_waiting(&c->client) == 0 &&
        stream_waiting(&c->inner) == 0)
        connection_close(c);
}

static void parting_bytes(struct connection *c, struct slice bytes)
{
    (void)c, (void)bytes;
}

static void parting_timer(struct connection *c)
{
    if (stream_waiting(&c->client) > 0 && !connection_is_stuck(c))
        connection_set_timer(c, STUCK_MS);
    else
        connection_close(c);
}

static const struct stage parting_stages[DOOR_KINDS] = {
#define PARTING(k) [k] = {k, parting_bytes, parting_bytes, parting_end, parting_end, parting_timer}
    PARTING(DOOR_UNDECIDED),
    PARTING(DOOR_HTTP),
    PARTING(DOOR_WEBSOCKET),
    PARTING(DOOR_MQTTS),
};

void connection_part(struct connection *c)
{
    if (c->closed)
        return;
    connection_enter(c, &parting_stages[c->stage->kind]);
    connection_release(c);
    if (!stream_is_open(&c->inner))
        stream_close(&c->inner);
    stream_finish(&c->inner);
    stream_finish(&c->client);
    connection_set_timer(c, stream_waiting(&c->client) > 0 ? STUCK_MS : PART_MS);
    parting_end(c);
}
