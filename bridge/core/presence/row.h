/* SPDX-License-Identifier: MIT */
/* row.h - what stands in a user's row about their presence. */
#ifndef BANTER_BRIDGE_PRESENCE_ROW_H
#define BANTER_BRIDGE_PRESENCE_ROW_H

#include <stdbool.h>
#include <stdint.h>

struct presence_row {
    int64_t last_seen_ms; /* Unix time; 0: never */
    bool hidden;          /* shown as offline, at their own wish */
    bool discreet;        /* nobody else is told when they were seen */
};

/* users.last_seen_visibility as `discreet`: whoever watches is a contact, so only "nobody" (0)
 * makes a difference. */
#define PRESENCE_DISCREET(user) user ".last_seen_visibility = 0"

#endif
