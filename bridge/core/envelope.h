/* SPDX-License-Identifier: MIT */
/* envelope.h - {"commands":[…]}: runs the commands of a request one after the other and collects
 * {"responses":[…]}. The part of commands.h that is about JSON around commands. */
#ifndef BANTER_BRIDGE_ENVELOPE_H
#define BANTER_BRIDGE_ENVELOPE_H

#include "base/compiler.h"
#include "base/slice.h"
#include "core/commands.h"

struct envelopes;
struct later;

/* Both arguments are borrowed and must live longer. */
struct envelopes *envelopes_create(struct commands *commands, struct later *later) MUST_USE;
/* The requests under way end without their callback; `commands` must call none of theirs either. */
void envelopes_destroy(struct envelopes *e);
/* As commands_execute(). */
void envelope_execute(struct envelopes *e, const struct actor *actor, struct slice request,
                      commands_done_fn *done, void *owner);

#endif
