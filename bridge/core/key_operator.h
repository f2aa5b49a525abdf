/* SPDX-License-Identifier: MIT */
/* key_operator.h - what an operator does with signing keys from the command line: changes files, of
 * which running bridges take notice (keys.h). Blocking: for a process that does nothing else. */
#ifndef BANTER_BRIDGE_KEY_OPERATOR_H
#define BANTER_BRIDGE_KEY_OPERATOR_H

#include "base/compiler.h"

#include <stdbool.h>

enum {
    /* Beyond the end of the last token, for clocks that differ and nodes that notice late. */
    KEY_RETIRE_MARGIN_S = 60,
    /* Beyond this many, retire some before making more. */
    KEY_ROTATE_MAX = 8,
};

struct key_order {
    const char *directory;
    unsigned overlap_s;
    unsigned access_token_ttl_s;
    const char *action; /* "list", "rotate" or "retire" */
    const char *kid;    /* retire: NULL means all whose tokens have ended */
    bool now;           /* retire: also one whose tokens are still good, which ends them */
};

/* Whether there is such an action, with a key or without. */
bool key_operator_has(const char *action, bool kid) MUST_USE;
/* Does it and prints what came of it. False after logging why not. */
bool key_operator(const struct key_order *order) MUST_USE;

#endif
