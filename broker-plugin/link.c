/* SPDX-License-Identifier: MIT */
/* link.c - see link.h. Every system call returns at once. Whatever goes wrong ends in close_link():
 * what mattered is in the ring or is asked for again. */
#include "link.h"

#include "base/fault_point.h"
#include "broker.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum {
    READ_BYTES = 256 << 10,
    IN_MAX = LINK_HEADER_BYTES + LINK_BODY_MAX + READ_BYTES,
    SEND_BUFFER_BYTES = 1 << 20, /* wanted; the kernel caps it at its own limit */
};

void link_init(struct link *l, const char *path, struct slice key, uint64_t boot, struct ring *ring,
               const struct link_handlers *handlers)
{
    *l = (struct link){.path = path, .key = key, .boot = boot, .ring = ring, .fd = -1};
    l->handlers = *handlers;
    buf_init(&l->in, IN_MAX);
    buf_init(&l->out, LINK_OUT_MAX);
}

/* Back to LINK_DOWN. `reason` NULL: do not log. */
static void close_link(struct link *l, const char *reason)
{
    bool was_up = l->state == LINK_UP;

    if (l->state == LINK_DOWN)
        return;
    if (reason && (was_up || !l->complained))
        broker_log(BROKER_WARNING, "link to the bridge closed: %s", reason);
    l->complained = true;
    close(l->fd);
    l->fd = -1;
    l->state = LINK_DOWN;
    buf_reset(&l->in);
    buf_reset(&l->out);
    l->in_taken = l->out_taken = 0;
    l->unread = false;
    l->held = false;
    l->restart = false;
    l->deaf = false;
    ring_rewind(l->ring);
    if (was_up)
        l->handlers.down(l->handlers.owner);
}

void link_finish(struct link *l)
{
    close_link(l, NULL);
    buf_finish(&l->in);
    buf_finish(&l->out);
}

struct buf *link_out(struct link *l)
{
    assert(l->state == LINK_UP);
    return &l->out;
}

void link_restart(struct link *l)
{
    l->restart = true;
}

bool link_has_room(const struct link *l)
{
    return l->out.length - l->out_taken < LINK_REQUEST_MAX;
}

void link_hold(struct link *l, bool hold)
{
    l->held = hold;
}

static bool open_socket(struct link *l)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t length = strlen(l->path);
    int bytes = SEND_BUFFER_BYTES;

    if (length >= sizeof address.sun_path) {
        errno = ENAMETOOLONG;
        return false;
    }
    memcpy(address.sun_path, l->path, length);
    l->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (l->fd < 0)
        return false;
    setsockopt(l->fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
    if (connect(l->fd, (struct sockaddr *)&address, sizeof address) < 0) {
        int error = errno;

        close(l->fd);
        l->fd = -1;
        errno = error;
        return false;
    }
    return true;
}

static void try_connect(struct link *l, uint64_t now_ms)
{
    struct frame_hello hello = {LINK_VERSION, l->key, l->boot};

    l->retry_ms = now_ms + (fault_breaks(slow_recovery) ? 60 * LINK_RETRY_MS : LINK_RETRY_MS);
    if (!open_socket(l)) {
        if (!l->complained)
            broker_log(BROKER_WARNING, "bridge is not there: %s: %s", l->path, strerror(errno));
        l->complained = true;
        return;
    }
    l->state = LINK_GREETING;
    l->deadline_ms = now_ms + LINK_WELCOME_MS;
    frame_write_hello(&l->out, &hello);
}

static bool handle_welcome(struct link *l, const struct frame *f)
{
    struct frame_welcome welcome;

    if (f->type != FRAME_WELCOME || !frame_read_welcome(f->body, &welcome))
        return false;
    if (welcome.version != LINK_VERSION)
        return false;
    l->state = LINK_UP;
    l->complained = false;
    broker_log(BROKER_INFO, "link to the bridge is up");
    l->handlers.up(l->handlers.owner, &welcome);
    return true;
}

static bool handle_frame(struct link *l, const struct frame *f)
{
    if (l->state == LINK_GREETING)
        return handle_welcome(l, f);
    return l->handlers.frame(l->handlers.owner, f);
}

/* Receives once. False: nothing there now, or the link is closed. */
static bool receive(struct link *l)
{
    char *to;
    ssize_t n;

    buf_consume(&l->in, l->in_taken);
    l->in_taken = 0;
    to = buf_reserve(&l->in, READ_BYTES);
    if (!to) {
        close_link(l, "out of memory");
        return false;
    }
    n = recv(l->fd, to, READ_BYTES, 0);
    if (n > 0) {
        l->in.length += (size_t)n;
        return true;
    }
    if (n == 0)
        close_link(l, "the bridge closed it");
    else if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)
        close_link(l, strerror(errno));
    return false;
}

/* Looks for a whole frame among what was received. */
static enum frame_status next_frame(const struct link *l, struct frame *f, size_t *used)
{
    size_t length = l->in.length - l->in_taken;

    if (length == 0)
        return FRAME_PARTIAL;
    return frame_next(slice_of(l->in.data + l->in_taken, length), f, used);
}

void link_read(struct link *l)
{
    l->unread = false;
    while (l->state != LINK_DOWN) {
        struct frame f;
        size_t used = 0;
        enum frame_status status;

        /* WELCOME costs nothing, and a bridge that waits to be greeted gives up. */
        if (l->state == LINK_UP && !l->handlers.may_read(l->handlers.owner)) {
            l->unread = true;
            return;
        }
        status = next_frame(l, &f, &used);
        if (status == FRAME_PARTIAL) {
            if (!receive(l))
                return;
            continue;
        }
        if (status == FRAME_BAD || !handle_frame(l, &f)) {
            close_link(l, "protocol error");
            return;
        }
        l->in_taken += used;
    }
}

/* Sends up to two runs of bytes. Returns how many went, or -1 when no more will go. A bridge that
 * went in good order has written receipts and confirmations before: they are read first, and then
 * the end, which closes the link. */
static ssize_t send_some(struct link *l, struct iovec *iov, int count)
{
    struct msghdr message = {.msg_iov = iov, .msg_iovlen = (size_t)count};
    ssize_t n = sendmsg(l->fd, &message, MSG_NOSIGNAL);

    if (n >= 0)
        return n;
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)
        return 0;
    l->deaf = true;
    return -1;
}

/* True when all of `out` is written. */
static bool flush_out(struct link *l)
{
    struct iovec iov = {l->out.data + l->out_taken, l->out.length - l->out_taken};
    ssize_t n = send_some(l, &iov, 1);

    if (n < 0)
        return false;
    l->out_taken += (size_t)n;
    if (l->out_taken < l->out.length)
        return false;
    buf_reset(&l->out);
    l->out_taken = 0;
    return true;
}

/* True when all that was asked for is written. */
static bool flush_ring(struct link *l, bool frame_only)
{
    struct iovec iov[2];
    int count = ring_peek(l->ring, frame_only, iov);
    size_t total = 0;
    ssize_t n;

    for (int i = 0; i < count; i++)
        total += iov[i].iov_len;
    n = send_some(l, iov, count);
    if (n < 0)
        return false;
    ring_advance(l->ring, (size_t)n);
    return (size_t)n == total;
}

void link_flush(struct link *l)
{
    if (l->state == LINK_DOWN)
        return;
    if (l->out.failed) {
        close_link(l, "too much waits to be written, or out of memory");
        return;
    }
    if (l->restart) {
        close_link(l, "out of memory");
        return;
    }
    if (l->deaf)
        return;
    if (l->out.length > 0) {
        if (ring_is_inside_frame(l->ring) && !flush_ring(l, true))
            return;
        if (!flush_out(l))
            return;
    }
    if (l->state == LINK_UP && ring_unsent(l->ring) > 0 &&
        (!l->held || ring_is_inside_frame(l->ring)))
        flush_ring(l, l->held);
}

void link_turn(struct link *l, uint64_t now_ms)
{
    if (l->state == LINK_DOWN && now_ms >= l->retry_ms)
        try_connect(l, now_ms);
    if (l->state == LINK_GREETING && now_ms >= l->deadline_ms)
        close_link(l, "no WELCOME");
    link_read(l);
    if (fault_fails("plugin.link_lost"))
        close_link(l, "a fault point");
}
