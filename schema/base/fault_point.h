/* SPDX-License-Identifier: MIT */
/* fault_point.h - places where a test build can be made to die, stop, dawdle or go wrong.
 *
 * For tests/chaos. Without the option BANTER_FAULT_POINTS all of it is gone from the program, names
 * included: tests/chaos/fault_names.py looks. Never give a condition a side effect that the product
 * needs: it is not evaluated there.
 *
 * Points. The environment's BANTER_FAULTS names a file, whose lines arm points:
 *
 *     point action [count [argument]]
 *
 * action: kill (SIGKILL) | stop (SIGSTOP) | sleep (argument: milliseconds, 100 if absent) | fail.
 * count: how often, in all processes together, 1 if absent. argument of the others: how many times
 * the point is passed before. A point may be armed once at a time. Replace the file by renaming
 * another over it; the processes look every 50 ms. Each firing is appended, before it happens, to
 * BANTER_FAULTS.fired: realtime µs, monotonic µs, pid, point, action, which file it was (its
 * mtime).
 *
 * Rules. BANTER_BREAK=rule breaks a rule of the product always, rule:N every Nth time that it
 * matters. The first time in each process is noted in the same file, with the action "break". */
#ifndef BANTER_BASE_FAULT_POINT_H
#define BANTER_BASE_FAULT_POINT_H

#include "base/slice.h"

#include <stdbool.h>

#ifdef BANTER_FAULT_POINTS

/* A point is reached, by any thread. True when its action is `fail`. */
bool fault_reached(const char *point);
/* Whether the rule is to be broken now. */
bool fault_rule_is_broken(const char *rule);
/* The same, but every Nth `what`: what is chosen stays chosen. */
bool fault_rule_is_broken_for(const char *rule, struct slice what);
/* The name, or if the rule is to be broken, it with a tail that no other call has: `~number`.
 * Valid until the next call. */
struct slice fault_other_name(const char *rule, struct slice name);
/* Loses memory if the rule is to be broken. */
void fault_leak(const char *rule);

#define fault_point(point) ((void)fault_reached(point))
#define fault_fails(point) fault_reached(point)
#define fault_breaks(rule) fault_rule_is_broken(#rule)
#define fault_breaks_for(rule, what) fault_rule_is_broken_for(#rule, what)
#define fault_renames(rule, name) fault_other_name(#rule, name)
#define fault_leaks(rule) fault_leak(#rule)

#else

#define fault_point(point) ((void)0)
#define fault_fails(point) false
#define fault_breaks(rule) false
#define fault_breaks_for(rule, what) false
#define fault_renames(rule, name) (name)
#define fault_leaks(rule) ((void)0)

#endif

#endif
