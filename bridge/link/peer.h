/* SPDX-License-Identifier: MIT */
/* peer.h - one accepted connection on the link's socket: bytes in, frames out; frames in, bytes
 * out. What the frames mean is link.c's business.
 *
 * Rule: a peer is never freed from inside its own callbacks; who wants that calls peer_doom() and
 * frees it in a later turn. */
#ifndef BANTER_BRIDGE_PEER_H
#define BANTER_BRIDGE_PEER_H

#include "base/buf.h"
#include "base/compiler.h"
#include "wire/frame.h"

#include <stdbool.h>
#include <stdint.h>

struct event;
struct event_base;
struct peer;

struct peer_handlers {
    /* False: a frame that may not come now or that is malformed; the peer is doomed. */
    bool (*frame)(void *owner, struct peer *peer, const struct frame *f);
    /* Everything that had arrived has been handed over. */
    void (*drained)(void *owner, struct peer *peer);
    /* Something left later than the peer_flush() that was to send it. */
    void (*sent)(void *owner, struct peer *peer);
    /* Once, as soon as the peer is doomed: by peer_doom(), by an error or by the other side. */
    void (*doomed)(void *owner, struct peer *peer);
    void *owner;
};

/* Takes `fd`, also when it fails. NULL: out of memory. `handlers` is borrowed for good. */
struct peer *peer_create(struct event_base *base, int fd,
                         const struct peer_handlers *handlers) MUST_USE;
void peer_destroy(struct peer *p);
/* Where to append frames. Follow with peer_is_overrun() and, once per turn, peer_flush(). */
struct buf *peer_out(struct peer *p);
/* Part of a frame has come, and the rest has not. */
bool peer_is_inside_frame(const struct peer *p);
/* Bytes that were appended and have not left. */
size_t peer_waiting(const struct peer *p);
/* The other side does not read: more waits than it may. */
bool peer_is_overrun(const struct peer *p);
/* Sends what it can now and sees to the rest. True: something was sent. */
bool peer_flush(struct peer *p);
/* Everything that was appended has left. */
bool peer_is_flushed(const struct peer *p);
/* Stops reading and writing for good; logs why. Only the first call counts. */
void peer_doom(struct peer *p, const char *reason);
bool peer_is_doomed(const struct peer *p);

#endif
