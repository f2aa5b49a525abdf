/* SPDX-License-Identifier: MIT */
/* account_rules.h - what an account's fields may hold, with a reason that a person can act on.
 * Pure.
 */
#ifndef BANTER_BRIDGE_ACCOUNT_RULES_H
#define BANTER_BRIDGE_ACCOUNT_RULES_H

#include "base/compiler.h"
#include "base/slice.h"

#include <stdbool.h>

/* Each returns NULL when the value is fine, else why it is not, in static storage. */
const char *account_check_handle(struct slice handle) MUST_USE;
const char *account_check_password(struct slice password) MUST_USE;
/* Empty is fine for the three below. */
const char *account_check_name(struct slice name) MUST_USE;
const char *account_check_email(struct slice email) MUST_USE;
const char *account_check_device(struct slice device) MUST_USE;

/* It means something in a topic or on the broker, so nobody has it. */
bool account_handle_is_reserved(struct slice handle) MUST_USE;

#endif
