/* SPDX-License-Identifier: MIT */
/* online.h - how push asks whether somebody has a device connected anywhere, and so hears of
 * messages without it. On one node presence knows; with several, whoever asks all of them. */
#ifndef BANTER_BRIDGE_PUSH_ONLINE_H
#define BANTER_BRIDGE_PUSH_ONLINE_H

#include <stdbool.h>
#include <stdint.h>

struct push_online {
    /* Asked from memory, for every user of a page of members. */
    bool (*is_online)(void *owner, uint64_t uid);
    /* False: who is here is not known at the moment, so that everybody would seem to be away. */
    bool (*is_known)(void *owner);
    void *owner;
};

#endif
