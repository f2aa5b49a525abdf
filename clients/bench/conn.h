/* SPDX-License-Identifier: MIT */
/* conn.h - many non-blocking MQTT connections on one epoll, made to cost next to nothing.
 *
 * All connections share one receive buffer; only a packet that came in part is kept, in the
 * connection. What is written during a turn leaves in one system call per connection at its end.
 * Packets borrow from the receive buffer until the handler returns. */
#ifndef BANTER_BENCH_CONN_H
#define BANTER_BENCH_CONN_H

#include "base/buf.h"
#include "base/compiler.h"
#include "codec.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

enum conn_state { CONN_CLOSED = 0, CONN_CONNECTING, CONN_OPEN };

struct conn {
    enum conn_state state;
    int fd;             /* -1 when closed */
    bool dirty;         /* on the list of connections with something to write */
    bool blocked;       /* the socket is full: waiting for EPOLLOUT */
    uint16_t packet_id; /* last one used */
    int receive_bytes;  /* of the kernel's buffer; set before conn_open(); 0: as the system does */
    size_t budget;      /* what may still be read; see conn_meter() */
    uint64_t wrote_us;  /* when something was last written */
    struct buf out;     /* not yet written */
    struct buf partial; /* the start of a packet whose rest has not come */
};

struct conn_handlers {
    /* TCP is up: the time to write CONNECT. */
    void (*opened)(void *owner, struct conn *c);
    /* `now_us` is when the bytes were read. */
    void (*packet)(void *owner, struct conn *c, const struct mqtt_packet *packet, uint64_t now_us);
    /* The connection failed or the peer closed it; never called for conn_close(). `reason` is in
     * static storage. */
    void (*lost)(void *owner, struct conn *c, const char *reason);
    void *owner;
};

struct conn_set;
/* `capacity`: how many connections at most. NULL: no memory or no epoll. `handlers` is copied. */
struct conn_set *conn_set_create(const struct conn_handlers *handlers, unsigned capacity) MUST_USE;
/* Close the connections first. */
void conn_set_destroy(struct conn_set *set);

/* Prepares a closed connection. It must stay where it is until conn_close(). */
void conn_init(struct conn *c);
/* Starts to connect. False: refused at once; errno is set. */
bool conn_open(struct conn_set *set, struct conn *c, const struct sockaddr_in *address) MUST_USE;
/* Closes without a word and frees the buffers; a closed connection is left alone. Not from inside
 * a handler. */
void conn_close(struct conn_set *set, struct conn *c);
/* The same, so that the peer sees a reset, as after a failure. */
void conn_reset(struct conn_set *set, struct conn *c);
/* From now on at most `bytes` are read, until the next call; SIZE_MAX, as at first: without bound.
 * So a device reads slowly, or not at all. False: epoll failed. */
bool conn_meter(struct conn_set *set, struct conn *c, size_t bytes) MUST_USE;
/* Where to append packets. They leave at the end of the turn or at conn_set_flush(). */
struct buf *conn_write(struct conn_set *set, struct conn *c);
/* Never 0. */
uint16_t conn_next_packet_id(struct conn *c);

/* Writes what waits, then waits at most `timeout_us` for events and handles them, then writes
 * again. False: epoll failed. */
bool conn_set_turn(struct conn_set *set, uint64_t timeout_us) MUST_USE;
void conn_set_flush(struct conn_set *set);
/* Readable while a connection has events: to wait for several sets at once. */
int conn_set_fd(const struct conn_set *set);

#endif
