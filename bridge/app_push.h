/* SPDX-License-Identifier: MIT */
/* app_push.h - push as the settings ask for it, with presence to say who is here. */
#ifndef BANTER_BRIDGE_APP_PUSH_H
#define BANTER_BRIDGE_APP_PUSH_H

#include "base/compiler.h"

struct config;
struct event_base;
struct presence;
struct push_service;

/* `config` and `presence` are borrowed for the life of what is returned. NULL after logging why. */
struct push_service *app_create_push(struct event_base *base, const struct config *config,
                                     struct presence *presence) MUST_USE;

#endif
