/* SPDX-License-Identifier: MIT */
/* watches.h - who here wants to know of whose presence: the subscriptions to presence/{handle}.
 *
 * Whether a device may know is for the bridge to say (WATCH, WATCHED), and is asked again after
 * everything that may have ended it: only a watch that is ALLOWED is told anything. A device is not
 * told twice in a row the same, so asking again, even of a bridge that has just started, costs
 * nothing that others could see. */
#ifndef BANTER_PLUGIN_WATCHES_H
#define BANTER_PLUGIN_WATCHES_H

#include "base/compiler.h"
#include "base/map.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

struct core;
struct frame_member;
struct frame_presence;
struct frame_watched;
struct session;
struct target;
struct watch;

enum {
    WATCHES_PER_SESSION = 1000,
    WATCHES_MAX = 1000000,    /* in all; about 100 bytes each */
    WATCHES_ASKED_MAX = 1024, /* asked and not answered */
    WATCHES_ENDED_KEPT = 64,  /* memberships that ended lately */
};

TAILQ_HEAD(watch_queue, watch);
TAILQ_HEAD(target_queue, target);

struct watches {
    struct map by_name; /* struct watch by session and handle; owned */
    struct map targets; /* struct target by uid: those with a watch that is ALLOWED */
    struct target_queue telling;
    struct watch_queue wanted; /* to be asked, oldest first */
    uint32_t asked;
    uint64_t question; /* number of the last one */
    uint64_t ended_count;
    uint64_t ended[WATCHES_ENDED_KEPT]; /* uids; a ring */
};

void watches_init(struct watches *w);
/* Every session must have been closed before. */
void watches_finish(struct watches *w);

/* SUBSCRIBE; again for one that exists: it is told the current state once more. False: refused. */
bool watches_subscribe(struct core *c, struct session *session, struct slice handle);
void watches_unsubscribe(struct core *c, struct session *session, struct slice handle);
/* The session is about to be closed. */
void watches_closed(struct core *c, struct session *session);

void watches_link_up(struct core *c);
/* Asks and tells what this turn has time for. */
void watches_turn(struct core *c);
/* Whether somebody is still to be told something that is known. */
bool watches_are_busy(const struct watches *w);

void watches_member(struct core *c, const struct frame_member *f);
void watches_presence(struct core *c, const struct frame_presence *f);
void watches_watched(struct core *c, const struct frame_watched *f);

#endif
