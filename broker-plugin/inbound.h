/* SPDX-License-Identifier: MIT */
/* inbound.h - the frames that the bridge sends, each to the module that knows what to do. */
#ifndef BANTER_PLUGIN_INBOUND_H
#define BANTER_PLUGIN_INBOUND_H

#include "base/compiler.h"
#include "wire/frame.h"

#include <stdbool.h>

struct core;

/* False: malformed, or not a frame that the bridge may send now. */
bool inbound_frame(struct core *c, const struct frame *f) MUST_USE;

#endif
