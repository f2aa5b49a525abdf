/* SPDX-License-Identifier: MIT */
/* catch_up.h - fetches what is missing: one sync after each `me/ready`, then, conversation by
 * conversation, what is missing still, from the history.
 *
 * Why in this order: live delivery begins with `me/ready`, so a sync asked for after it meets the
 * live entries without a hole. Runs on the client's thread. */
#ifndef BANTER_CLIENT_CATCH_UP_H
#define BANTER_CLIENT_CATCH_UP_H

#include "base/compiler.h"
#include "client/api.h"
#include "client/logs.h"
#include "client/platform.h"
#include "client/store.h"

struct catch_up_hooks {
    void (*done)(void *owner); /* nothing is missing; once for each catch_up_online() */
    /* Memory has run out: what came is lost, only a new connection helps. */
    void (*torn)(void *owner);
    /* This server is connected, but has not answered for some time; told once. */
    void (*stuck)(void *owner, const struct failure *why);
    void (*trouble)(void *owner, int error, const char *what);
    void *owner;
};

struct catch_up {
    const struct platform *platform;
    struct store *store;
    struct api *api;
    struct logs *logs;
    struct catch_up_hooks hooks;

    bool from_first;     /* also what was there before this store */
    uint64_t connection; /* a sync that an earlier one asked for is not waited for */
    uint64_t user;       /* nor a page, when the logs are another user's */
    uint64_t sync_at;    /* NEVER: none is to be asked for */
    struct backoff backoff;
    int failed_syncs; /* in a row */
    size_t filling;
    bool is_online;
    bool is_syncing; /* until the sync has been taken in */
    bool is_done;    /* `done` was told */
    bool is_first;   /* no sync was ever taken into this store */
};

/* BANTER_STORE, BANTER_NO_MEMORY. */
int catch_up_init(struct catch_up *c) MUST_USE;
void catch_up_online(struct catch_up *c);
void catch_up_offline(struct catch_up *c);
/* The store was emptied. */
void catch_up_clear(struct catch_up *c);
/* One is in a conversation now, by `me/event`. */
int catch_up_added(struct catch_up *c, const char *conversation, const char *kind) MUST_USE;
void catch_up_tick(struct catch_up *c);
uint64_t catch_up_deadline(const struct catch_up *c);

#endif
