/* SPDX-License-Identifier: MIT */
/* stream.h - one socket as the door sees it: bytes come, bytes go, over TLS or not.
 *
 * Idle it holds no buffer: what is read goes to the handler from a buffer that all share, and what
 * is written waits in memory only if the socket does not take it at once. Rule: handlers may close
 * a stream, but the memory that it lives in must last until the loop's next turn. */
#ifndef BANTER_DOOR_STREAM_H
#define BANTER_DOOR_STREAM_H

#include "base/buf.h"
#include "base/compiler.h"
#include "base/slice.h"

#include <event2/event.h>
#include <event2/event_struct.h>
#include <stdbool.h>
#include <stdint.h>

struct ssl_st;

enum {
    STREAM_READ_BYTES = 64 << 10,
    STREAM_READ_SMALL_BYTES = 4 << 10, /* when much waits already */
    STREAM_WAITING_MUCH_BYTES = 16 << 20,
};

/* What all streams of one thread share. */
struct stream_pool {
    struct event_base *base;
    size_t waiting; /* bytes in memory, of all streams */
    char *scratch;  /* STREAM_READ_BYTES */
};

struct stream_handlers {
    void (*received)(void *owner, struct slice bytes);
    /* The other side sends no more. */
    void (*ended)(void *owner);
    /* The socket is of no further use. */
    void (*failed)(void *owner);
    /* Everything that waited has left. */
    void (*drained)(void *owner);
    /* The TLS handshake is over. May be NULL where there is none. */
    void (*secured)(void *owner);
};

struct stream {
    struct stream_pool *pool;
    const struct stream_handlers *handlers;
    void *owner;
    int fd;             /* -1: not open yet, or closed; what is written before it opens waits */
    struct ssl_st *ssl; /* owned; NULL: plain */
    struct event readable;
    struct event writable;
    struct buf out;
    size_t out_sent;   /* bytes at the start of `out` that have left */
    uint64_t sent;     /* bytes that have left, ever */
    uint64_t received; /* bytes that have come, ever */
    bool paused;
    bool ended;         /* nothing more comes */
    bool finishing;     /* nothing more is written; to be shut down once all has left */
    bool finished;      /* has been */
    bool secured;       /* the TLS handshake is over */
    bool broken;        /* writing failed, and the owner has not been told */
    bool read_on_write; /* TLS wants to write before it can read on, */
    bool write_on_read; /* or the other way around */
};

void stream_init(struct stream *s, struct stream_pool *pool, const struct stream_handlers *handlers,
                 void *owner);
/* Takes `fd`, which is non-blocking, and `ssl` (NULL: plain), also when it fails. What was written
 * before begins to leave. */
bool stream_open(struct stream *s, int fd, struct ssl_st *ssl) MUST_USE;
bool stream_is_open(const struct stream *s);
/* Closes at once; nothing is called any more. Twice is fine. */
void stream_close(struct stream *s);

/* Sends now what can be, and the rest later. */
void stream_write(struct stream *s, struct slice bytes);
/* Bytes that wait to leave. */
size_t stream_waiting(const struct stream *s);
/* Says to the other side, after all that was written, that no more comes. */
void stream_finish(struct stream *s);
/* Stops reading, or resumes it. */
void stream_pause(struct stream *s, bool paused);

#endif
