/* SPDX-License-Identifier: MIT */
/* hot.h - programs that send so many messages through one path, and do nothing else: what they
 * need besides is the same for every number, so that the difference between two numbers is what the
 * messages cost. instructions.py counts. */
#ifndef BANTER_TESTS_BENCH_HOT_H
#define BANTER_TESTS_BENCH_HOT_H

#include <stdint.h>

enum { HOT_BATCH = 64, HOT_TEXT_BYTES = 200 };

struct hot_path {
    const char *name;
    void (*run)(unsigned batches); /* of HOT_BATCH messages each; aborts when anything is wrong */
};

/* main(): `PROGRAM PATH BATCHES`. */
int hot_main(int argc, char **argv, const struct hot_path *paths, unsigned count);
/* The JSON of draft number n; static storage. */
const char *hot_draft(uint64_t n);
/* The same, but the text ends in an escape: so it is not plain (wire/plain_draft.h). */
const char *hot_escaped_draft(uint64_t n);

#endif
