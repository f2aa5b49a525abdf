/* SPDX-License-Identifier: MIT */
/* peer.c - the bytes of one connection.
 *
 * Reading takes all there is, up to a budget per turn, so that the drafts that arrived together are
 * committed together and nobody else on the loop starves. */
#include "link/peer.h"

#include "base/fault_point.h"
#include "base/log.h"
#include "base/memory.h"

#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    READ_CHUNK_BYTES = 256 << 10,
    READ_BUDGET_BYTES = 4 << 20, /* per turn of the loop */
    IN_CEILING_BYTES = LINK_HEADER_BYTES + LINK_BODY_MAX + READ_CHUNK_BYTES,
    OUT_LIMIT_BYTES = 64 << 20,
    /* Room for what one handler may still append before anyone looks. */
    OUT_CEILING_BYTES = OUT_LIMIT_BYTES + 4 * LINK_BODY_MAX,
};

struct peer {
    int fd;
    const struct peer_handlers *handlers;
    struct event *readable;
    struct event *writable;
    struct buf in;
    struct buf out;
    size_t out_sent; /* bytes at the start of `out` that have left */
    bool doomed;
};

void peer_doom(struct peer *p, const char *reason)
{
    if (p->doomed)
        return;
    p->doomed = true;
    log_info("link", "connection closed: %s", reason);
    event_del(p->readable);
    event_del(p->writable);
    p->handlers->doomed(p->handlers->owner, p);
}

bool peer_is_doomed(const struct peer *p)
{
    return p->doomed;
}

/* Hands over every whole frame of `in`. False: doomed, or somebody doomed it meanwhile. */
static bool hand_over(struct peer *p)
{
    struct slice rest = buf_slice(&p->in);
    enum frame_status status = FRAME_PARTIAL;
    struct frame frame;
    size_t used;

    while (!p->doomed && (status = frame_next(rest, &frame, &used)) == FRAME_WHOLE) {
        rest = slice_of(rest.data + used, rest.length - used);
        if (!p->handlers->frame(p->handlers->owner, p, &frame)) {
            status = FRAME_BAD;
            break;
        }
    }
    if (status == FRAME_BAD)
        peer_doom(p, "a frame that is malformed or out of place");
    if (p->doomed)
        return false;
    buf_consume(&p->in, p->in.length - rest.length);
    return true;
}

/* One read. True: there may be more. */
static bool read_some(struct peer *p, size_t *total)
{
    char *room = buf_reserve(&p->in, READ_CHUNK_BYTES);
    ssize_t got;

    if (!room) { /* a whole frame fits, so only memory can be missing */
        peer_doom(p, "out of memory");
        return false;
    }
    got = recv(p->fd, room, READ_CHUNK_BYTES, 0);
    if (got > 0) {
        p->in.length += (size_t)got;
        *total += (size_t)got;
        return hand_over(p) && got == READ_CHUNK_BYTES;
    }
    if (got == 0)
        peer_doom(p, "by the other side");
    else if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)
        peer_doom(p, strerror(errno));
    return false;
}

static void on_readable(evutil_socket_t fd, short what, void *argument)
{
    struct peer *p = argument;
    size_t total = 0;
    (void)fd;
    (void)what;

    while (total < READ_BUDGET_BYTES && read_some(p, &total))
        ;
    if (!p->doomed && total > 0)
        p->handlers->drained(p->handlers->owner, p);
}

static void on_writable(evutil_socket_t fd, short what, void *argument)
{
    struct peer *p = argument;
    (void)fd;
    (void)what;

    if (peer_flush(p))
        p->handlers->sent(p->handlers->owner, p);
}

struct buf *peer_out(struct peer *p)
{
    return &p->out;
}

bool peer_is_inside_frame(const struct peer *p)
{
    return p->in.length > 0;
}

size_t peer_waiting(const struct peer *p)
{
    return p->out.length - p->out_sent;
}

bool peer_is_overrun(const struct peer *p)
{
    return p->out.failed || peer_waiting(p) > OUT_LIMIT_BYTES;
}

/* Forgets what has left, when that is cheap: all of it, or most of a large buffer. */
static void trim_out(struct peer *p)
{
    if (p->out_sent == p->out.length) {
        buf_reset(&p->out);
        p->out_sent = 0;
    } else if (p->out_sent > p->out.length / 2) {
        buf_consume(&p->out, p->out_sent);
        p->out_sent = 0;
    }
}

bool peer_flush(struct peer *p)
{
    bool sent = false;

    while (!p->doomed && p->out_sent < p->out.length) {
        size_t length = p->out.length - p->out_sent;
        if (fault_fails("bridge.torn_write"))
            length = (length + 1) / 2;
        ssize_t n = send(p->fd, p->out.data + p->out_sent, length, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n > 0) {
            p->out_sent += (size_t)n;
            sent = true;
            fault_point("bridge.link_written");
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            event_add(p->writable, NULL);
            break;
        } else if (errno != EINTR) {
            peer_doom(p, strerror(errno));
        }
    }
    trim_out(p);
    return sent;
}

bool peer_is_flushed(const struct peer *p)
{
    return p->out.length == 0;
}

struct peer *peer_create(struct event_base *base, int fd, const struct peer_handlers *handlers)
{
    struct peer *p = must_calloc(1, sizeof *p);

    p->fd = fd;
    p->handlers = handlers;
    buf_init(&p->in, IN_CEILING_BYTES);
    buf_init(&p->out, OUT_CEILING_BYTES);
    p->readable = event_new(base, fd, EV_READ | EV_PERSIST, on_readable, p);
    p->writable = event_new(base, fd, EV_WRITE, on_writable, p);
    if (!p->readable || !p->writable || event_add(p->readable, NULL) != 0) {
        peer_destroy(p);
        return NULL;
    }
    return p;
}

void peer_destroy(struct peer *p)
{
    if (!p)
        return;
    if (p->readable)
        event_free(p->readable);
    if (p->writable)
        event_free(p->writable);
    close(p->fd);
    buf_finish(&p->in);
    buf_finish(&p->out);
    free(p);
}
