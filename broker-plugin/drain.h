/* SPDX-License-Identifier: MIT */
/* drain.h - emptying the broker before it stops: every device is told on me/event, nobody new is
 * let in, and the connections that do not leave by themselves are ended at random moments, so that
 * their devices do not come back all at once. The bridge says when (DRAIN), and hears how many are
 * left (LEFT). */
#ifndef BANTER_PLUGIN_DRAIN_H
#define BANTER_PLUGIN_DRAIN_H

#include "wire/frame.h"

#include <stdbool.h>
#include <stdint.h>

struct core;

struct drain {
    bool on;
    uint32_t within_ms; /* in which the connections are to be ended */
    uint32_t round;     /* which of the times that it was turned on this is, from 1 */
    uint64_t scan_ms;   /* when the sessions are looked through next */
    uint32_t reported;  /* the last number in LEFT */
    bool has_reported;  /* in this round */
};

/* The link is up: nothing is asked yet. */
void drain_link_up(struct core *c);
void drain_frame(struct core *c, const struct frame_drain *f);
void drain_turn(struct core *c);

#endif
