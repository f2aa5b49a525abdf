/* SPDX-License-Identifier: MIT */
/* retry_after.h - the header Retry-After (RFC 9110 section 10.2.3): seconds, or a date. Pure. */
#ifndef BANTER_PUSH_RETRY_AFTER_H
#define BANTER_PUSH_RETRY_AFTER_H

#include "base/slice.h"

#include <stdint.h>

enum { RETRY_AFTER_MAX_MS = 86400 * 1000 }; /* whoever asks for more gets this */

/* Milliseconds from `now` (Unix seconds), 0 for a date in the past; -1 when it says neither. */
int64_t retry_after_parse(struct slice value, int64_t now);

#endif
