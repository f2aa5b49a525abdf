/* SPDX-License-Identifier: MIT */
/* stream.c - see stream.h. */
#include "door/stream.h"

#include <assert.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* More than can ever wait: one read, put into frames, and what was written before it opened. */
enum { OUT_CEILING_BYTES = 1 << 20 };

enum io { IO_DONE, IO_AGAIN, IO_ENDED, IO_FAILED };

static size_t read_size(const struct stream *s)
{
    return s->pool->waiting > STREAM_WAITING_MUCH_BYTES ? STREAM_READ_SMALL_BYTES
                                                        : STREAM_READ_BYTES;
}

static enum io io_of_errno(void)
{
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? IO_AGAIN : IO_FAILED;
}

static enum io io_of_tls(struct stream *s, int result, bool reading)
{
    switch (SSL_get_error(s->ssl, result)) {
    case SSL_ERROR_WANT_READ:
        s->write_on_read = !reading;
        return IO_AGAIN;
    case SSL_ERROR_WANT_WRITE:
        s->read_on_write = reading;
        event_add(&s->writable, NULL);
        return IO_AGAIN;
    case SSL_ERROR_ZERO_RETURN:
        return IO_ENDED;
    default:
        return IO_FAILED;
    }
}

static enum io read_some(struct stream *s, char *to, size_t *length)
{
    size_t room = read_size(s);
    ssize_t got;
    enum io io;

    if (s->ssl) {
        ERR_clear_error();
        io = SSL_read_ex(s->ssl, to, room, length) ? IO_DONE : io_of_tls(s, 0, true);
        return io;
    }
    got = recv(s->fd, to, room, 0);
    *length = got > 0 ? (size_t)got : 0;
    if (got > 0)
        return IO_DONE;
    return got == 0 ? IO_ENDED : io_of_errno();
}

static enum io write_some(struct stream *s, struct slice bytes, size_t *length)
{
    ssize_t sent;

    if (s->ssl) {
        ERR_clear_error();
        return SSL_write_ex(s->ssl, bytes.data, bytes.length, length) ? IO_DONE
                                                                      : io_of_tls(s, 0, false);
    }
    sent = send(s->fd, bytes.data, bytes.length, MSG_NOSIGNAL);
    *length = sent > 0 ? (size_t)sent : 0;
    return sent >= 0 ? IO_DONE : io_of_errno();
}

static void fail(struct stream *s)
{
    stream_close(s);
    s->handlers->failed(s->owner);
}

/* The kernel tells of new bytes only: what TLS has read and decrypted already must not wait. */
static void read_again_if_held(struct stream *s)
{
    if (s->ssl && s->fd >= 0 && !s->paused && !s->ended && SSL_has_pending(s->ssl))
        event_active(&s->readable, EV_READ, 0);
}

static void on_readable(evutil_socket_t fd, short what, void *argument)
{
    struct stream *s = argument;
    size_t length = 0;
    enum io io;

    (void)fd, (void)what;
    if (s->fd < 0 || s->paused || s->ended)
        return;
    io = read_some(s, s->pool->scratch, &length);
    if (s->write_on_read) {
        s->write_on_read = false;
        event_add(&s->writable, NULL);
    }
    if (s->ssl && !s->secured && SSL_is_init_finished(s->ssl)) {
        s->secured = true;
        s->handlers->secured(s->owner);
    }
    switch (s->fd >= 0 ? io : IO_AGAIN) {
    case IO_DONE:
        s->received += length;
        s->handlers->received(s->owner, slice_of(s->pool->scratch, length));
        read_again_if_held(s);
        break;
    case IO_AGAIN:
        break;
    case IO_ENDED:
        s->ended = true;
        event_del(&s->readable);
        s->handlers->ended(s->owner);
        break;
    case IO_FAILED:
        fail(s);
        break;
    }
}

/* Unless TLS has to read first: then the next read is what is waited for. */
static void await_writable(struct stream *s)
{
    if (s->fd >= 0 && !s->write_on_read)
        event_add(&s->writable, NULL);
}

/* Sends from `bytes` what the socket takes. False: it failed. */
static bool send_now(struct stream *s, struct slice *bytes)
{
    while (bytes->length > 0) {
        size_t length = 0;
        enum io io = write_some(s, *bytes, &length);

        if (io == IO_AGAIN)
            break;
        if (io != IO_DONE)
            return false;
        s->sent += length;
        *bytes = slice_of(bytes->data + length, bytes->length - length);
    }
    return true;
}

static void shut_down(struct stream *s)
{
    s->finished = true;
    if (s->ssl) {
        ERR_clear_error();
        (void)SSL_shutdown(s->ssl); /* a client that does not read loses no more than this */
    }
    (void)shutdown(s->fd, SHUT_WR); /* fails when the other side has gone, which is soon noticed */
}

/* Sends what waits. False: the socket failed. */
static bool flush(struct stream *s)
{
    struct slice rest = slice_of(s->out.data + s->out_sent, s->out.length - s->out_sent);
    size_t before = rest.length;

    if (!send_now(s, &rest))
        return false;
    s->pool->waiting -= before - rest.length;
    s->out_sent = s->out.length - rest.length;
    if (rest.length > 0) {
        await_writable(s);
        return true;
    }
    s->out_sent = 0;
    buf_finish(&s->out);
    if (s->finishing && !s->finished)
        shut_down(s);
    return true;
}

static void on_writable(evutil_socket_t fd, short what, void *argument)
{
    struct stream *s = argument;
    bool waited = stream_waiting(s) > 0;

    (void)fd, (void)what;
    if (s->fd < 0)
        return;
    if (s->broken) {
        fail(s);
        return;
    }
    if (s->read_on_write) {
        s->read_on_write = false;
        event_active(&s->readable, EV_READ, 0);
    }
    if (!waited)
        return;
    if (!flush(s))
        fail(s);
    else if (stream_waiting(s) == 0)
        s->handlers->drained(s->owner);
}

void stream_init(struct stream *s, struct stream_pool *pool, const struct stream_handlers *handlers,
                 void *owner)
{
    *s = (struct stream){.pool = pool, .handlers = handlers, .owner = owner, .fd = -1};
    buf_init(&s->out, OUT_CEILING_BYTES);
}

bool stream_open(struct stream *s, int fd, struct ssl_st *ssl)
{
    assert(s->fd < 0);
    s->fd = fd;
    s->ssl = ssl;
    if (event_assign(&s->readable, s->pool->base, fd, EV_READ | EV_PERSIST, on_readable, s) != 0 ||
        event_assign(&s->writable, s->pool->base, fd, EV_WRITE, on_writable, s) != 0 ||
        (ssl && !SSL_set_fd(ssl, fd)) || (!s->paused && event_add(&s->readable, NULL) != 0) ||
        (stream_waiting(s) > 0 && !flush(s))) {
        stream_close(s);
        return false;
    }
    return true;
}

bool stream_is_open(const struct stream *s)
{
    return s->fd >= 0;
}

void stream_close(struct stream *s)
{
    s->pool->waiting -= stream_waiting(s);
    s->out_sent = 0;
    buf_finish(&s->out);
    if (s->fd < 0)
        return;
    event_del(&s->readable);
    event_del(&s->writable);
    SSL_free(s->ssl);
    s->ssl = NULL;
    close(s->fd);
    s->fd = -1;
}

/* Keeps what the socket did not take. */
static void keep(struct stream *s, struct slice rest)
{
    buf_bytes(&s->out, rest.data, rest.length);
    if (s->out.failed)
        abort(); /* out of memory: nobody writes so much without looking at what waits */
    s->pool->waiting += rest.length;
    await_writable(s);
}

/* A failure is told in the loop's next turn: the caller may be in the middle of something. */
void stream_write(struct stream *s, struct slice bytes)
{
    assert(!s->finishing);
    if (bytes.length == 0 || s->broken)
        return;
    if (s->fd >= 0 && stream_waiting(s) == 0 && !send_now(s, &bytes)) {
        s->broken = true;
        event_active(&s->writable, EV_WRITE, 0);
        return;
    }
    if (bytes.length > 0)
        keep(s, bytes);
}

size_t stream_waiting(const struct stream *s)
{
    return s->out.length - s->out_sent;
}

void stream_finish(struct stream *s)
{
    if (s->finishing)
        return;
    s->finishing = true;
    if (s->fd >= 0 && stream_waiting(s) == 0)
        shut_down(s);
}

void stream_pause(struct stream *s, bool paused)
{
    if (s->paused == paused)
        return;
    s->paused = paused;
    if (s->fd < 0 || s->ended)
        return;
    if (paused) {
        event_del(&s->readable);
    } else {
        event_add(&s->readable, NULL);
        read_again_if_held(s);
    }
}
