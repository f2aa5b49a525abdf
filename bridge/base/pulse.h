/* SPDX-License-Identifier: MIT */
/* pulse.h - the sign of life of a thread: its event loop beats, other threads look how long ago.
 *
 * Beat from a timer of the loop itself, never from the work that it does: what counts is that the
 * loop comes round. */
#ifndef BANTER_BRIDGE_PULSE_H
#define BANTER_BRIDGE_PULSE_H

#include "base/clock.h"

#include <stdatomic.h>
#include <stdint.h>

enum { PULSE_BEAT_MS = 200 };

struct pulse {
    const char *name;             /* of the thread, for logs */
    atomic_uint_fast64_t beat_ms; /* monotonic, of the last beat */
};

static inline void pulse_beat(struct pulse *p)
{
    atomic_store_explicit(&p->beat_ms, clock_monotonic_ms(), memory_order_relaxed);
}

static inline uint64_t pulse_last_ms(const struct pulse *p)
{
    return atomic_load_explicit(&p->beat_ms, memory_order_relaxed);
}

#endif
