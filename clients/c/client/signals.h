/* SPDX-License-Identifier: MIT */
/* signals.h - what a device says and nobody stores: cursors, typing, its own presence. The server
 * takes 20 at once and 20 a second and drops more, so they go through one bucket here; of the same
 * thing the last word counts. Runs on the client's thread. */
#ifndef BANTER_CLIENT_SIGNALS_H
#define BANTER_CLIENT_SIGNALS_H

#include "base/compiler.h"
#include "base/map.h"
#include "client/platform.h"
#include "client/wire.h"

#include <stdbool.h>

struct mark;
struct typing;

struct signals_hooks {
    int (*publish)(void *owner, const char *topic, const char *payload, size_t length, int qos,
                   int *token);
    void *owner;
};

struct signals {
    const struct platform *platform;
    struct signals_hooks hooks;

    struct map marks;           /* by conversation: cursors that the broker has not taken yet */
    struct mark *first, **last; /* those that are to be said, the one that rests longest first */
    struct typing *typists, **last_typist;
    size_t typist_count;
    char presence[8]; /* "" : online, which goes without saying */
    bool presence_due;
    bool is_up;
    uint64_t tokens_ms; /* each signal costs SIGNAL_COST_MS of these */
    uint64_t filled_at;
};

void signals_init(struct signals *s);
void signals_finish(struct signals *s);
void signals_up(struct signals *s);
void signals_down(struct signals *s);
/* Either may be 0. BANTER_FULL, BANTER_NO_MEMORY. */
int signals_mark(struct signals *s, const char *conversation, int64_t received,
                 int64_t read) MUST_USE;
int signals_typing(struct signals *s, const char *conversation, bool typing) MUST_USE;
/* "online", "away" or "hidden". */
void signals_presence(struct signals *s, const char *state);
/* The broker's answer to a publish. */
void signals_acknowledged(struct signals *s, int token, int code);
void signals_tick(struct signals *s);
uint64_t signals_deadline(const struct signals *s);

#endif
