/* SPDX-License-Identifier: MIT */
/* sink.h - a webhook on loopback that takes every push and notes when it came: the push service of
 * a run. It serves in a thread of its own, so that the load beside it is not held up.
 *
 * Paths are /bulk/N, with N below the number given, and /direct. Whatever else is asked, it closes
 * the connection. */
#ifndef BANTER_BENCH_SINK_H
#define BANTER_BENCH_SINK_H

#include "base/compiler.h"

#include <stdint.h>

struct sink;

/* What came since sink_clear(). Times are monotonic, in microseconds; 0: never. */
struct sink_count {
    unsigned bulk;              /* different ones */
    unsigned again;             /* those that had come before */
    unsigned direct;            /* of the other path */
    uint64_t first_us, last_us; /* of bulk */
    uint64_t direct_us;         /* the last one */
};

/* NULL, after saying why on stderr. */
struct sink *sink_create(unsigned bulk_max) MUST_USE;
void sink_destroy(struct sink *s);
unsigned sink_port(const struct sink *s);
void sink_clear(struct sink *s);
void sink_look(struct sink *s, struct sink_count *out);

#endif
