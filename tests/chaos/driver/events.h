/* SPDX-License-Identifier: MIT */
/* events.h - the log of what every device saw and did, one line an event, for the checker.
 *
 * A line: real time in microseconds, monotonic time in microseconds, `handle/name`, a letter, its
 * fields; separated by tabs. Lines are written to the file together, EVENTS_FLUSH_US at most after
 * they were made. After a failure nothing more is written, and `failed` says so: the run is void.
 */
#ifndef BANTER_CHAOS_EVENTS_H
#define BANTER_CHAOS_EVENTS_H

#include "base/buf.h"
#include "base/compiler.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>

enum { EVENTS_FLUSH_US = 100000 };

struct events {
    int fd; /* -1: not open */
    bool failed;
    uint64_t flush_us; /* when the lines that wait are to be written */
    struct buf lines;
};

/* Appends to `path`. False: errno is set. */
bool events_open(struct events *e, const char *path) MUST_USE;
void events_close(struct events *e);

/* A line: begin, then fields, then end. */
void events_begin(struct events *e, struct slice device, char letter);
/* Tabs and line ends in it become spaces. */
void events_text(struct events *e, struct slice field);
void events_number(struct events *e, int64_t field);
void events_hash(struct events *e, uint64_t field);
void events_end(struct events *e);
/* A whole line with one field, or, if it is empty, without. */
void events_put(struct events *e, struct slice device, char letter, struct slice field);

/* Writes what waits, if it is due or much. */
void events_turn(struct events *e, uint64_t now_us);
void events_flush(struct events *e);

#endif
