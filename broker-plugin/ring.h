/* SPDX-License-Identifier: MIT */
/* ring.h - the drafts that the bridge has not confirmed, as whole DRAFT frames in a bounded ring.
 *
 * Frames are numbered 1, 2, 3 … in the order of appending. A frame leaves the ring when it is
 * confirmed, and at no other time: sending does not remove it. After the link was lost
 * ring_rewind() has everything sent again. */
#ifndef BANTER_PLUGIN_RING_H
#define BANTER_PLUGIN_RING_H

#include "base/compiler.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

struct ring {
    char *bytes; /* owned */
    size_t capacity;
    /* Positions in the stream of all frames ever appended; modulo capacity they are places in
     * `bytes`. begin <= boundary <= sent <= end. */
    uint64_t begin;        /* of the oldest frame kept */
    uint64_t boundary;     /* of the first frame not wholly sent */
    uint64_t sent;         /* of the first byte not sent */
    uint64_t end;          /* where the next frame goes */
    uint64_t begin_number; /* number of the frame at `begin` */
    uint64_t next_number;  /* of the next frame appended */
    uint64_t confirmed;    /* every number up to this one is settled */
};

/* False: out of memory. The memory is touched only as it fills. */
bool ring_init(struct ring *r, size_t capacity) MUST_USE;
void ring_finish(struct ring *r);

/* The number that the next frame must carry. */
uint64_t ring_next_number(const struct ring *r);
/* Copies one whole frame. False: it does not fit now, nothing changed. */
bool ring_append(struct ring *r, struct slice frame) MUST_USE;

/* Bytes not sent yet. */
size_t ring_unsent(const struct ring *r);
/* True when the next byte to send is not the first of a frame: nothing else may be written to the
 * link before the frame is complete. */
bool ring_is_inside_frame(const struct ring *r);
/* Where the unsent bytes are, or with `frame_only` those that complete the frame being sent.
 * Returns how many of the two elements are used. Borrowed until the ring changes. */
int ring_peek(const struct ring *r, bool frame_only, struct iovec out[2]);
/* The first `n` unsent bytes have been written. */
void ring_advance(struct ring *r, size_t n);

/* Every frame up to `number` is settled. False: no such number was given out. */
bool ring_confirm(struct ring *r, uint64_t number) MUST_USE;
/* Everything kept is to be sent again. */
void ring_rewind(struct ring *r);

#endif
