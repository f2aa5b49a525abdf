/* SPDX-License-Identifier: MIT */
/* watchdog.h - a thread that looks whether others make progress, and aborts the process if one does
 * not: who supervises it starts it anew, and a core shows where it hung.
 *
 * What counts is the time that the watchdog itself was running: a process that was stopped
 * (SIGSTOP, a suspended machine) is not aborted when it goes on. While all is well it tells the
 * service manager, if that wants it (WATCHDOG_USEC). */
#ifndef BANTER_BRIDGE_WATCHDOG_H
#define BANTER_BRIDGE_WATCHDOG_H

#include "base/compiler.h"

#include <stdbool.h>
#include <stddef.h>

enum { WATCHDOG_PULSES_MAX = 4 };

struct pulse;
struct watchdog;

/* Watches the pulses, which outlive it; `limit_ms` 0: nothing is aborted. False after logging why
 * it could not be started. *out is NULL if there is nothing to do. */
bool watchdog_start(struct watchdog **out, unsigned limit_ms, const struct pulse *const *pulses,
                    size_t count) MUST_USE;
/* NULL is fine. */
void watchdog_stop(struct watchdog *w);

#endif
