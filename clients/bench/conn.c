/* SPDX-License-Identifier: MIT */
/* conn.c - see conn.h. Level-triggered; a handler may write to any connection, but closing waits
 * until it has returned, so that no event of this turn meets a freed buffer. */
#include "conn.h"

#include "base/clock.h"

#include <assert.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    RECEIVE_BYTES = 256 * 1024,
    PACKET_MAX = 1 << 20,
    OUT_MAX = 64 << 20, /* more than this unwritten: the peer has stopped reading */
    EVENTS_PER_TURN = 512
};

struct conn_set {
    struct conn_handlers handlers;
    int epoll;
    unsigned capacity;
    unsigned dirty_count;
    struct conn **dirty; /* `capacity` places: each connection is listed once at most */
    struct epoll_event events[EVENTS_PER_TURN];
    char receive[PACKET_MAX + RECEIVE_BYTES]; /* a partial packet and what follows it */
};

struct conn_set *conn_set_create(const struct conn_handlers *handlers, unsigned capacity)
{
    struct conn_set *set = calloc(1, sizeof(*set));

    if (!set)
        return NULL;
    set->handlers = *handlers;
    set->capacity = capacity;
    set->dirty = calloc(capacity, sizeof(*set->dirty));
    set->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (!set->dirty || set->epoll < 0) {
        conn_set_destroy(set);
        return NULL;
    }
    return set;
}

void conn_set_destroy(struct conn_set *set)
{
    if (!set)
        return;
    if (set->epoll >= 0)
        close(set->epoll);
    free(set->dirty);
    free(set);
}

void conn_init(struct conn *c)
{
    memset(c, 0, sizeof(*c));
    c->fd = -1;
    c->budget = SIZE_MAX;
    buf_init(&c->out, OUT_MAX);
    buf_init(&c->partial, PACKET_MAX);
}

static bool watch(struct conn_set *set, struct conn *c, int operation)
{
    struct epoll_event event = {.events = c->budget > 0 ? EPOLLIN : 0, .data.ptr = c};

    if (c->state == CONN_CONNECTING || c->blocked)
        event.events |= EPOLLOUT;
    return epoll_ctl(set->epoll, operation, c->fd, &event) == 0;
}

bool conn_open(struct conn_set *set, struct conn *c, const struct sockaddr_in *address)
{
    int on = 1;

    assert(c->state == CONN_CLOSED);
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (c->fd < 0)
        return false;
    c->state = CONN_CONNECTING;
    if (setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) < 0)
        goto fail;
    if (c->receive_bytes > 0 &&
        setsockopt(c->fd, SOL_SOCKET, SO_RCVBUF, &c->receive_bytes, sizeof(c->receive_bytes)) < 0)
        goto fail;
    if (connect(c->fd, (const struct sockaddr *)address, sizeof(*address)) < 0 &&
        errno != EINPROGRESS)
        goto fail;
    if (!watch(set, c, EPOLL_CTL_ADD))
        goto fail;
    return true;
fail:
    conn_close(set, c);
    return false;
}

static void forget_dirty(struct conn_set *set, const struct conn *c)
{
    for (unsigned i = 0; i < set->dirty_count; i++) {
        if (set->dirty[i] == c) {
            set->dirty[i] = set->dirty[--set->dirty_count];
            return;
        }
    }
}

void conn_close(struct conn_set *set, struct conn *c)
{
    int saved = errno;

    if (c->dirty)
        forget_dirty(set, c);
    if (c->fd >= 0)
        close(c->fd); /* leaves the epoll with it */
    buf_finish(&c->out);
    buf_finish(&c->partial);
    conn_init(c);
    errno = saved;
}

void conn_reset(struct conn_set *set, struct conn *c)
{
    const struct linger none = {.l_onoff = 1, .l_linger = 0};

    if (c->fd >= 0)
        (void)setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
    conn_close(set, c);
}

/* Stops all traffic; the owner is told, and calls conn_close() when it likes. */
static void lose(struct conn_set *set, struct conn *c, const char *reason)
{
    if (c->state == CONN_CLOSED)
        return;
    c->state = CONN_CLOSED;
    (void)epoll_ctl(set->epoll, EPOLL_CTL_DEL, c->fd, NULL);
    set->handlers.lost(set->handlers.owner, c, reason);
}

struct buf *conn_write(struct conn_set *set, struct conn *c)
{
    if (!c->dirty) {
        assert(set->dirty_count < set->capacity);
        c->dirty = true;
        set->dirty[set->dirty_count++] = c;
    }
    return &c->out;
}

uint16_t conn_next_packet_id(struct conn *c)
{
    if (++c->packet_id == 0)
        c->packet_id = 1;
    return c->packet_id;
}

bool conn_meter(struct conn_set *set, struct conn *c, size_t bytes)
{
    bool stands_still = c->budget == 0;

    c->budget = bytes;
    return c->state != CONN_OPEN || stands_still == (bytes == 0) || watch(set, c, EPOLL_CTL_MOD);
}

/* False: epoll failed. */
static bool spend(struct conn_set *set, struct conn *c, size_t bytes)
{
    return c->budget == SIZE_MAX || conn_meter(set, c, c->budget - bytes);
}

static void flush_one(struct conn_set *set, struct conn *c)
{
    bool was_blocked = c->blocked;

    if (c->state != CONN_OPEN)
        return;
    if (c->out.failed) {
        lose(set, c, "the peer does not read");
        return;
    }
    while (c->out.length > 0) {
        ssize_t n = send(c->fd, c->out.data, c->out.length, MSG_NOSIGNAL);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            if (errno != EAGAIN)
                lose(set, c, "write failed");
            break;
        }
        if ((size_t)n == c->out.length)
            buf_reset(&c->out);
        else
            buf_consume(&c->out, (size_t)n);
    }
    c->blocked = c->out.length > 0;
    if (c->state == CONN_OPEN && c->blocked != was_blocked && !watch(set, c, EPOLL_CTL_MOD))
        lose(set, c, "epoll failed");
}

void conn_set_flush(struct conn_set *set)
{
    uint64_t now_us = set->dirty_count > 0 ? clock_monotonic_us() : 0;

    while (set->dirty_count > 0) {
        struct conn *c = set->dirty[--set->dirty_count];

        c->dirty = false;
        c->wrote_us = now_us;
        if (!c->blocked)
            flush_one(set, c);
    }
}

/* Handles the whole packets of set->receive and keeps the rest in the connection. */
static void take_packets(struct conn_set *set, struct conn *c, size_t length)
{
    struct slice rest = slice_of(set->receive, length);
    struct mqtt_packet packet;
    size_t used;
    uint64_t now_us = clock_monotonic_us();

    while (c->state == CONN_OPEN) {
        enum mqtt_status status = mqtt_next(rest, PACKET_MAX, &packet, &used);

        if (status == MQTT_BAD) {
            lose(set, c, "not an MQTT packet");
            return;
        }
        if (status == MQTT_PARTIAL)
            break;
        set->handlers.packet(set->handlers.owner, c, &packet, now_us);
        rest = slice_of(rest.data + used, rest.length - used);
    }
    buf_reset(&c->partial);
    if (rest.length > 0)
        buf_slice_put(&c->partial, rest);
    if (c->partial.failed)
        lose(set, c, "out of memory");
}

static void read_one(struct conn_set *set, struct conn *c)
{
    size_t kept = c->partial.length;
    size_t room = sizeof(set->receive) - kept;

    if (kept > 0)
        memcpy(set->receive, c->partial.data, kept);

    ssize_t n = recv(c->fd, set->receive + kept, room < c->budget ? room : c->budget, 0);

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        lose(set, c, n == 0 ? "closed by the peer" : "read failed");
        return;
    }
    if (!spend(set, c, (size_t)n)) {
        lose(set, c, "epoll failed");
        return;
    }
    take_packets(set, c, kept + (size_t)n);
}

static void finish_connecting(struct conn_set *set, struct conn *c)
{
    int error = 0;
    socklen_t size = sizeof(error);

    if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0 || error != 0) {
        lose(set, c, "connection refused");
        return;
    }
    c->state = CONN_OPEN;
    if (!watch(set, c, EPOLL_CTL_MOD)) {
        lose(set, c, "epoll failed");
        return;
    }
    set->handlers.opened(set->handlers.owner, c);
}

static void handle(struct conn_set *set, struct conn *c, uint32_t events)
{
    if (c->state == CONN_CONNECTING && (events & (EPOLLOUT | EPOLLERR | EPOLLHUP)))
        finish_connecting(set, c);
    if (c->state == CONN_OPEN && (events & EPOLLOUT) && c->blocked)
        flush_one(set, c);
    if (c->state == CONN_OPEN && c->budget == 0 && (events & (EPOLLERR | EPOLLHUP)))
        lose(set, c, "closed by the peer");
    else if (c->state == CONN_OPEN && (events & (EPOLLIN | EPOLLERR | EPOLLHUP)))
        read_one(set, c);
}

bool conn_set_turn(struct conn_set *set, uint64_t timeout_us)
{
    struct timespec timeout = {.tv_sec = (time_t)(timeout_us / 1000000),
                               .tv_nsec = (long)(timeout_us % 1000000) * 1000};

    conn_set_flush(set);

    int n = epoll_pwait2(set->epoll, set->events, EVENTS_PER_TURN, &timeout, NULL);

    if (n < 0 && errno != EINTR)
        return false;
    for (int i = 0; i < n; i++)
        handle(set, set->events[i].data.ptr, set->events[i].events);
    conn_set_flush(set);
    return true;
}

int conn_set_fd(const struct conn_set *set)
{
    return set->epoll;
}
