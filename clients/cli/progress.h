/* SPDX-License-Identifier: MIT */
/* progress.h - how far long work has come: a line on the standard error that is drawn again and
 * again, and taken away in the end. Only on a terminal, and not while the data goes to it, too. */
#ifndef BANTER_CLI_PROGRESS_H
#define BANTER_CLI_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PROGRESS_LINE_SIZE = 256 };

struct progress {
    const char *what;
    int64_t first, done, total; /* total 0: not known */
    int64_t began_ms, drawn_ms;
    bool is_on;
};

/* `is_output_shown`: the data goes to the standard output. */
void progress_begin(struct progress *p, const char *what, int64_t done, int64_t total,
                    bool is_output_shown);
/* Draws at most ten times a second. */
void progress_set(struct progress *p, int64_t done);
void progress_end(struct progress *p);

/* The line at `now_ms`, not wider than `columns`. */
void progress_line(char out[PROGRESS_LINE_SIZE], const struct progress *p, int64_t now_ms,
                   size_t columns);

#endif
