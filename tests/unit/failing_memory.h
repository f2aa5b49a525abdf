/* SPDX-License-Identifier: MIT */
/* failing_memory.h - has the n-th allocation fail, and counts what is allocated and not freed.
 *
 * For tests that are linked with FAILING_MEMORY_OPTIONS of tests/CMakeLists.txt, so that malloc()
 * and its relatives in the code under test come here. failing_memory_start() has to come first in
 * main(): it makes jansson and OpenSSL allocate here too. One thread. */
#ifndef BANTER_TESTS_FAILING_MEMORY_H
#define BANTER_TESTS_FAILING_MEMORY_H

#include <stdbool.h>

void failing_memory_start(void);

/* From now on `count` allocations fail, the first of them after n - 1 more that do not; not yet:
 * only between failing_memory_on() and failing_memory_off(). */
void failing_memory_plan(unsigned long n, unsigned long count);
void failing_memory_on(void);
/* The rest of the plan is not carried out. */
void failing_memory_stop(void);
void failing_memory_off(void);
/* How many have failed since failing_memory_plan(). */
unsigned long failing_memory_failed(void);

/* Allocations of the program, of jansson and of OpenSSL that have not been freed. */
long failing_memory_live(void);

/* Runs a scenario with allocation 1 failing, then with allocation 2 and so on, until it ends
 * without a failure; then the same with `run` failures in a row each time. Checks that none leaves
 * anything behind. Returns how many times it ran. */
unsigned long failing_memory_try_all(void (*scenario)(void), unsigned long run);

#endif
