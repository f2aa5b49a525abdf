/* SPDX-License-Identifier: MIT */
/* actor.h - who asks: an authenticated user, and the device if known. */
#ifndef BANTER_BRIDGE_ACTOR_H
#define BANTER_BRIDGE_ACTOR_H

#include "base/slice.h"

#include <stdint.h>

struct address;

struct actor {
    uint64_t uid;
    struct slice handle;
    struct slice device;           /* empty over HTTP */
    struct slice login;            /* id of the login, in text; empty over MQTT */
    const struct address *address; /* NULL over MQTT: the broker does not say */
};

#endif
