/* SPDX-License-Identifier: MIT */
/* baseline.h - a bare Mosquitto for comparison: same settings as ours, no plugin, no storage. */
#ifndef BANTER_BENCH_BASELINE_H
#define BANTER_BENCH_BASELINE_H

#include "base/compiler.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <sys/types.h>

struct baseline {
    pid_t pid; /* 0: not running */
    struct sockaddr_in address;
    char config_path[64];
};

/* Starts the broker on a free port of 127.0.0.1 and waits until it accepts connections. False,
 * after saying why, when it does not within 5 s; nothing is left behind then. */
bool baseline_start(struct baseline *b, const char *mosquitto) MUST_USE;
/* Ends it and waits for it. A baseline that is not running is left alone. */
void baseline_stop(struct baseline *b);

#endif
