/* SPDX-License-Identifier: MIT */
/* attach.h - learns from the bridge which conversations the users here are in, and keeps it so.
 *
 * A user's first connection asks (ATTACH); the answer (ATTACHED) comes in parts, and meanwhile
 * MEMBER frames may tell newer news: a membership that is `fresh` is not touched by the answer, and
 * one that is not fresh at the end of it is over. A user who leaves while the answer is under way
 * is kept until it has come, so that every answer belongs to one question.
 *
 * A user of whom something could not be remembered, for lack of memory, is `incomplete`: the
 * connections are ended, the next one asks again, and until then the bridge judges the drafts.
 *
 * After the link was lost everybody is asked for again. Until all of them are answered
 * (`resyncing`) no entry is handed out: the plugin's memory of who may see it may be old. */
#ifndef BANTER_PLUGIN_ATTACH_H
#define BANTER_PLUGIN_ATTACH_H

#include "base/compiler.h"
#include "wire/frame.h"

#include <stdbool.h>
#include <stdint.h>

struct conversation;
struct core;
struct session;
struct user;

/* A connection was let in. Its me/ready is sent now or when the user is attached; the broker sends
 * it after the CONNACK. */
void attach_opened(struct core *c, struct session *session);
/* A connection of the user has gone: frees the user if it was the last and nothing is asked. */
void attach_closed(struct core *c, struct user *u);

void attach_link_up(struct core *c);
void attach_link_lost(struct core *c);
/* The bridge may have missed something that others committed: asks for everybody anew, and for what
 * is missing of their conversations. Deliveries go on meanwhile. */
void attach_again(struct core *c);

void attach_attached(struct core *c, struct frame_attached *f);
void attach_member(struct core *c, const struct frame_member *f);
void attach_ended(struct core *c, const struct frame_ended *f);
void attach_kick(struct core *c, const struct frame_kick *f);

/* The conversation is no more, for this member. False: the membership stays until the answer to the
 * user's ATTACH has come, so that this is remembered. */
bool attach_end(struct core *c, struct conversation *conversation, uint32_t slot) MUST_USE;

#endif
