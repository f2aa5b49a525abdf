/* SPDX-License-Identifier: MIT */
/* typing.h - who is typing where. Pure: time is given. Whoever does not say so again in time has
 * stopped, even if their device is gone. */
#ifndef BANTER_BRIDGE_PRESENCE_TYPING_H
#define BANTER_BRIDGE_PRESENCE_TYPING_H

#include "base/compiler.h"
#include "wire/frame.h"

#include <stdbool.h>
#include <stdint.h>

struct typing;

enum {
    TYPING_EXPIRES_MS = 6000,
    TYPING_REPEAT_MS = 2000, /* others hear of one who goes on at most this often */
    TYPING_MAX = 100000,     /* who type at the same time */
};

/* The sender of `f` has started, goes on or has stopped: what others are to be told. */
typedef void typing_fn(void *owner, const struct frame_signal_out *f);

struct typing *typing_create(typing_fn *tell, void *owner) MUST_USE;
void typing_destroy(struct typing *t);
/* {"state":"start"|"stop"}; anything else is passed over. */
void typing_signal(struct typing *t, const struct frame_signal *f, uint64_t now_ms);
/* Nobody is there to be told. */
void typing_link_lost(struct typing *t);
/* Tells who has stopped. Returns when the next one is due; UINT64_MAX: nobody types. */
uint64_t typing_turn(struct typing *t, uint64_t now_ms);

#endif
