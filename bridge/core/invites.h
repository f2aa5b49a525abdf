/* SPDX-License-Identifier: MIT */
/* invites.h - what an invite leads to, for whoever holds it: a look without joining. */
#ifndef BANTER_BRIDGE_INVITES_H
#define BANTER_BRIDGE_INVITES_H

#include "base/compiler.h"
#include "base/slice.h"
#include "wire/codes.h"
#include "wire/entry.h"

#include <stdbool.h>
#include <stdint.h>

struct db_pool;
struct invites;

struct invite_view {
    enum conversation_kind kind;
    struct slice title; /* empty: none */
    int64_t member_count;
    bool expires;
    int64_t expires_at_ms;
};

struct invites *invites_create(struct db_pool *pool) MUST_USE;
/* Requests still under way end without their callback. */
void invites_destroy(struct invites *i);

/* Exactly once, on the loop thread. `view` is borrowed; only with CODE_OK. CODE_NOT_FOUND: there is
 * no such invite, or it cannot be used any more; CODE_UNAVAILABLE. */
typedef void invite_look_fn(void *owner, enum code code, const struct invite_view *view);

/* False: the text is no invite, or there is no database: *code says which; no callback. */
bool invites_look(struct invites *i, struct slice token, enum code *code, invite_look_fn *done,
                  void *owner) MUST_USE;

#endif
