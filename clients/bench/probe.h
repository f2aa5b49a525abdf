/* SPDX-License-Identifier: MIT */
/* probe.h - what the system under test used while it was measured: processor time per process,
 * commits and WAL of PostgreSQL, memory.
 *
 * Commits are counted by transaction ids, which only writing transactions take, and which are up
 * to date at once, unlike PostgreSQL's statistics. */
#ifndef BANTER_BENCH_PROBE_H
#define BANTER_BENCH_PROBE_H

#include "further.h"
#include "metrics.h"

#include <libpq-fe.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct probe_sample {
    uint64_t at_us;
    uint64_t acknowledged;
    uint64_t broker_us, bridge_us; /* of all nodes */
    uint64_t postgres_us, redis_us, bench_us;
    uint64_t machine_us; /* of all that runs on it */
    uint64_t transactions;
    uint64_t wal_bytes;
};

struct probe {
    PGconn *db;                     /* NULL: no database to ask */
    pid_t broker, bridge, postgres; /* 0: not there */
    const struct further *further;  /* NULL: no more nodes, no Redis */
    struct probe_sample begin, end;
};

/* Fits load_config.mark; `owner` is the probe. */
void probe_mark(void *owner, bool begins, uint64_t acknowledged);
/* Fills in what is not counted per message: memory, and what else the machine did. */
void probe_report_machine(const struct probe *p, struct measurement *m);
/* Fills in all that lies between the two marks. */
void probe_report(const struct probe *p, struct measurement *m);

#endif
