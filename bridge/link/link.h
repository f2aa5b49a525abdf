/* SPDX-License-Identifier: MIT */
/* link.h - the bridge's end of the link: a listening Unix socket, at most one plugin, and the
 * doorbell.
 *
 * Frames written during one turn of the loop leave together at its end, and then the bell rings
 * once. Writing without a plugin connected does nothing. If the plugin does not read and more than
 * the out limit (64 MiB) waits, the connection is closed: the plugin comes back and heals itself
 * with FILL. Everything runs on the loop thread. */
#ifndef BANTER_BRIDGE_LINK_H
#define BANTER_BRIDGE_LINK_H

#include "base/compiler.h"
#include "wire/frame.h"

#include <stdbool.h>
#include <stddef.h>

struct event_base;
struct link;

struct link_config {
    const char *socket_path; /* created with mode 0660; a stale one is replaced */
    const char *key;         /* shared secret that HELLO and the bell's CONNECT must carry */
    const char *node;        /* this node's name */
    bool interests;          /* the plugin is to say which conversations concern this node */
    const char
        *broker; /* where the bell connects: path of the broker's Unix listener, or host:port */
};

/* Called on the loop thread; frames borrow their bytes until the handler returns. */
struct link_handlers {
    void (*connected)(void *owner, uint64_t boot);
    void (*disconnected)(void *owner);
    void (*attach)(void *owner, const struct frame_attach *f);
    void (*draft)(void *owner, const struct frame_draft *f);
    void (*request)(void *owner, const struct frame_request *f);
    void (*fill)(void *owner, const struct frame_fill *f);
    void (*session)(void *owner, const struct frame_session *f);
    void (*signal)(void *owner, const struct frame_signal *f);
    void (*watch)(void *owner, const struct frame_watch *f);
    void (*left)(void *owner, const struct frame_left *f);
    void (*interest)(void *owner, const struct frame_interest *f); /* only if wanted */
    void (*limited)(void *owner, const struct frame_limited *f);
    /* The socket has been drained for this turn: a good moment to start a batch. */
    void (*drained)(void *owner);
    void *owner;
};

struct link *link_create(struct event_base *base, const struct link_config *config) MUST_USE;
void link_destroy(struct link *l);
/* Starts listening. False: the path cannot be used; logged. */
bool link_start(struct link *l, const struct link_handlers *handlers) MUST_USE;
bool link_is_connected(const struct link *l);
/* For how long the plugin has not answered, nor said anything else; 0: there is none, or nothing is
 * overdue. It is asked for a sign of life after each second of silence, so this is the time for
 * which its broker has been stuck or stopped. The connection stays: what waits is delivered when
 * the broker goes on. */
uint64_t link_silent_ms(const struct link *l);
/* True when nothing written waits to be sent. */
bool link_is_flushed(const struct link *l);

void link_confirm(struct link *l, uint64_t number);
void link_attached(struct link *l, uint64_t uid, bool last,
                   const struct attached_conversation *items, uint32_t count);
void link_entry(struct link *l, const struct frame_entry *f);
void link_device(struct link *l, const struct frame_device *f);
void link_member(struct link *l, const struct frame_member *f);
void link_filled(struct link *l, const struct frame_filled *f);
void link_kick(struct link *l, const struct frame_kick *f);
void link_revoked(struct link *l, const struct frame_revoked *f);
void link_signal(struct link *l, const struct frame_signal_out *f);
void link_presence(struct link *l, const struct frame_presence *f);
void link_watched(struct link *l, const struct frame_watched *f);
void link_ended(struct link *l, const struct frame_ended *f);
void link_head(struct link *l, const struct frame_head *f);
void link_attach_again(struct link *l);

/* Calls `done` once the plugin has applied everything written so far, or when there is no plugin
 * (any more), or after 5 s, in which case the link is closed first, so that nothing stale can be
 * delivered. Never called from inside link_barrier(). */
typedef void link_barrier_fn(void *owner);
void link_barrier(struct link *l, link_barrier_fn *done, void *owner);

/* Closes the connection of the plugin, which comes back and has everybody attached again: for when
 * the bridge cannot know whether a change of membership was committed. */
void link_reset(struct link *l);

/* While true no plugin is welcomed: what the database said of the members might still change
 * without anybody hearing of it. One that is here already stays. */
void link_shut(struct link *l, bool shut);
bool link_is_shut(const struct link *l);

/* Bytes that were written and have not left. */
size_t link_waiting(const struct link *l);

/* Asks the plugin to keep its drafts while true: back-pressure when the writer is full. All else
 * goes on, and drafts that were under way still come. */
void link_hold(struct link *l, bool hold);

/* How the plugin is to empty its broker; see frame.h. After each `connected` it is not. */
void link_drain(struct link *l, const struct frame_drain *f);

#endif
