/* SPDX-License-Identifier: MIT */
/* clock.h - time: monotonic for waits and deadlines, wall clock for what people read. */
#ifndef BANTER_BASE_CLOCK_H
#define BANTER_BASE_CLOCK_H

#include "base/compiler.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    RFC3339_MS_LENGTH = 24, /* 2026-11-22T10:00:00.123Z */
    RFC3339_S_LENGTH = 20,  /* 2026-11-22T10:00:00Z */
};

/* CLOCK_MONOTONIC. */
uint64_t clock_monotonic_ms(void);
uint64_t clock_monotonic_us(void);
/* Unix time. */
int64_t clock_wall_ms(void);
/* RFC 3339 in UTC with milliseconds, NUL-terminated. `unix_ms` from year 0 to 9999. */
void rfc3339_ms(int64_t unix_ms, char text[RFC3339_MS_LENGTH + 1]);
/* The same of whole seconds, without milliseconds. */
void rfc3339_s(int64_t unix_s, char text[RFC3339_S_LENGTH + 1]);
/* Reads RFC 3339, from year 0 to 9999 and with any offset; what is finer than a millisecond is cut
 * off. A leap second is the second before it. */
bool rfc3339_parse(struct slice text, int64_t *unix_ms) MUST_USE;

#endif
