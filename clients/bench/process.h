/* SPDX-License-Identifier: MIT */
/* process.h - what the processes under test have used, as /proc tells it (proc(5)). */
#ifndef BANTER_BENCH_PROCESS_H
#define BANTER_BENCH_PROCESS_H

#include "base/buf.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Processor time in microseconds, user and system, of the process and of all its children, those
 * that have ended included: right for PostgreSQL's postmaster as well. 0 when it does not exist. */
uint64_t process_cpu_us(pid_t pid);
/* Whether this process may have so many connections; false: said on stderr what is missing. */
bool process_may_open(unsigned connections);
/* Processor time in microseconds that the machine has spent on anything but waiting. */
uint64_t process_machine_cpu_us(void);
/* Resident memory in KiB; 0 when it does not exist. */
uint64_t process_rss_kib(pid_t pid);
/* The number in the first line of a pid file; 0 when there is none. */
pid_t process_read_pid(const char *path);
/* Appends the system the bench runs on as JSON members: "cpu", "cores", "memory_mib", "kernel". */
void process_write_system(struct buf *b);

#endif
