/* SPDX-License-Identifier: MIT */
/* export_file.h - the file that an export goes to, or the standard output: one entry a line, in
 * the order of seq without a gap. What an earlier run has left is gone on with; of its last line a
 * part may have been written, and is taken back. */
#ifndef BANTER_CLI_EXPORT_FILE_H
#define BANTER_CLI_EXPORT_FILE_H

#include <stdint.h>
#include <stdio.h>

enum { CONVERSATION_SIZE = 37 };

struct export_file {
    FILE *to;
    const char *path;                     /* NULL: the standard output */
    int64_t seq;                          /* of the last entry in it, or 0 */
    char conversation[CONVERSATION_SIZE]; /* of that entry, or empty */
};

/* Exit statuses, after a message. A file that somebody else is exporting to is refused, and so is
 * one that holds something else. */
int export_file_open(struct export_file *f, const char *path);
int export_file_add(struct export_file *f, int64_t seq, const char *line);
int export_file_flush(const struct export_file *f);
/* All of it is on the disk then. */
int export_file_close(struct export_file *f);

#endif
