/* SPDX-License-Identifier: MIT */
/* show.h - leads troupes that are connected through one phase: they send, the time is measured,
 * and then everything on its way arrives.
 *
 * Each troupe has an epoll of its own, and in each turn each is given its share: a troupe that
 * receives thousands of copies at once does not make the others look late. */
#ifndef BANTER_BENCH_SHOW_H
#define BANTER_BENCH_SHOW_H

#include "base/compiler.h"
#include "troupe.h"

#include <stdbool.h>
#include <stdint.h>

enum { SHOW_TROUPES_MAX = 2 };

struct show {
    struct troupe *troupes[SHOW_TROUPES_MAX];
    bool silent[SHOW_TROUPES_MAX]; /* these send nothing in this phase */
    unsigned count;
    unsigned warm_up_s;
    unsigned seconds; /* measured, after the warm-up */
    /* As in struct load_config. */
    void (*mark)(void *owner, bool begins, uint64_t acknowledged);
    void *owner;
};

/* One phase; adds to the result of each troupe. False: epoll failed. */
bool show_play(const struct show *s) MUST_USE;

#endif
