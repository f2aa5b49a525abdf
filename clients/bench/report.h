/* SPDX-License-Identifier: MIT */
/* report.h - a table for people and one JSON line for machines, from the same measurements. */
#ifndef BANTER_BENCH_REPORT_H
#define BANTER_BENCH_REPORT_H

#include "base/compiler.h"
#include "metrics.h"
#include "options.h"

#include <stdbool.h>

struct report {
    const char *bench;        /* "pairs" … */
    const char *title;        /* one line: what was done */
    const char *options_json; /* a JSON object */
    const struct measurement *banter;
    const struct measurement *bare; /* NULL: no baseline */
    unsigned runs;                  /* of each */
};

/* Prints the table and then the JSON line on stdout; appends that line to the file `json_path` as
 * well, unless it is NULL. False, after saying why, when that failed. */
bool report_write(const struct report *r, const char *json_path) MUST_USE;

/* The report of a scenario that makes `--repeat` runs and has no baseline. False, also, when one of
 * the runs found a fault. */
bool report_scenario(const struct options *o, const char *bench, const char *title,
                     const struct measurement *runs) MUST_USE;

#endif
