/* SPDX-License-Identifier: MIT */
/* scenario.h - the things this bench can do, one function each; main.c has the table of them. */
#ifndef BANTER_BENCH_SCENARIO_H
#define BANTER_BENCH_SCENARIO_H

#include "base/compiler.h"
#include "cast.h"
#include "options.h"

#include <stdbool.h>

/* Each says on stderr why it failed. */
bool scenario_append(const struct options *o) MUST_USE;
bool scenario_broadcast(const struct options *o) MUST_USE;
bool scenario_connect(const struct options *o) MUST_USE;
bool scenario_ejabberd(const struct options *o) MUST_USE;
bool scenario_pairs(const struct options *o) MUST_USE;
bool scenario_group(const struct options *o) MUST_USE;
bool scenario_channel(const struct options *o) MUST_USE;
bool scenario_inbox(const struct options *o) MUST_USE;
bool scenario_push(const struct options *o) MUST_USE;
bool scenario_replay(const struct options *o) MUST_USE;
bool scenario_storm(const struct options *o) MUST_USE;

/* What pairs, group and broadcast share: the cast plays --repeat times, each time on the baseline
 * first if there is one, and the report is written. Takes the cast. */
bool rounds_run(const struct options *o, const char *bench, const char *title,
                struct cast *cast) MUST_USE;

#endif
