/* SPDX-License-Identifier: MIT */
/* fanout.h - hands entries and messages to the connections they are for.
 *
 * What is small goes at once. What is large for one turn becomes the conversation's backlog and
 * goes in slices; what comes for the conversation or its members meanwhile lines up behind it, so
 * that order stays. Who is a member counts when a slice reaches them, not when the entry came. */
#ifndef BANTER_PLUGIN_FANOUT_H
#define BANTER_PLUGIN_FANOUT_H

#include "base/compiler.h"
#include "wire/frame.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct backlog;
struct conversation;
struct core;
struct session;

enum {
    /* One turn: about 5 ms of the broker's time for sending. */
    FANOUT_TURN_COUNT = 512,
    FANOUT_TURN_BYTES = 1 << 20,
    FANOUT_TURN_FRAMES = 4096,
    FANOUT_SLICE_COUNT = 64,       /* of one backlog before the next one has its turn */
    FANOUT_BACKLOG_MAX = 32 << 20, /* bytes; beyond, the link is not read */
    FANOUT_BARRIERS_MAX = 256,
};

struct pending_barrier {
    uint64_t number;
    uint64_t ticket; /* of the last end of a conversation that came before it */
};

struct fanout {
    struct backlog *first, *last; /* each has at least one parcel */
    size_t backlog_bytes;
    uint64_t ticket;       /* the last one given */
    uint64_t ended_ticket; /* of the last end of a conversation */
    long count_left;       /* of this turn; may go below zero */
    long bytes_left;
    long frames_left;
    struct pending_barrier barriers[FANOUT_BARRIERS_MAX];
    unsigned barrier_count;
};

void fanout_init(struct fanout *f);
/* Drops every backlog. */
void fanout_finish(struct core *c);

/* A new turn: there is time again. */
void fanout_refill(struct fanout *f);
/* Whether this turn has time for one more frame from the link. */
bool fanout_may_read(const struct fanout *f);
/* Counts one frame. */
void fanout_count_frame(struct fanout *f);
bool fanout_is_busy(const struct fanout *f);

/* Whether this turn has time to hand out anything more. */
bool fanout_has_time(const struct fanout *f);
/* Gives one message to the broker. False: out of memory. */
bool fanout_publish(struct core *c, const struct session *session, const char *topic,
                    struct slice payload, struct slice correlation);
/* The next entry of a conversation, to everyone who is in it but the sending device. False: out of
 * memory, nobody got it. */
bool fanout_entry(struct core *c, struct conversation *conversation,
                  const struct frame_entry *f) MUST_USE;
/* A signal, to those it is for; dropped when there is no time for it. */
void fanout_signal(struct core *c, const struct conversation *conversation,
                   const struct frame_signal_out *f);
/* A message for one user. */
void fanout_device(struct core *c, const struct frame_device *f);
/* The conversation is no more: its members are told, and leave. */
void fanout_ended(struct core *c, struct conversation *conversation);
/* Echoes the barrier when every change of members before it is in force: at once, unless a
 * conversation is being ended in slices. What waits in a backlog is no reason to wait, because who
 * is a member counts when it is handed out. */
void fanout_barrier(struct core *c, uint64_t number);
/* Goes on with the backlogs while this turn has time. */
void fanout_turn(struct core *c);
/* Nobody waits for barriers any more. */
void fanout_link_lost(struct fanout *f);

#endif
