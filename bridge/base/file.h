/* SPDX-License-Identifier: MIT */
/* file.h - small files, whole: configuration, keys, migrations, pictures. Blocking: for start-up
 * and for workers. */
#ifndef BANTER_BRIDGE_FILE_H
#define BANTER_BRIDGE_FILE_H

#include "base/buf.h"
#include "base/compiler.h"
#include "base/slice.h"

#include <stdbool.h>

/* Appends the whole file to `out`. False, with errno set: it cannot be read, or it does not fit
 * under the buffer's ceiling (EFBIG). */
bool file_read(const char *path, struct buf *out) MUST_USE;
/* The first line of a file without its line end, as secrets are stored. Malloc'd; the caller frees.
 * NULL, with errno set: it cannot be read, or the line is empty or longer than `max_length`. */
char *file_read_secret(const char *path, size_t max_length) MUST_USE;

/* Whether nobody but its owner and group can read or write the file; of one that is not there, too.
 */
bool file_is_private(const char *path) MUST_USE;

/* Writes all of it, however many calls that takes. False, with errno set. */
bool file_write_all(int fd, struct slice bytes) MUST_USE;

#endif
