/* SPDX-License-Identifier: MIT */
/* file.h - reads small files whole: configuration, keys, migrations. Blocking: for start-up only.
 */
#ifndef BANTER_BRIDGE_FILE_H
#define BANTER_BRIDGE_FILE_H

#include "base/buf.h"
#include "base/compiler.h"

#include <stdbool.h>

/* Appends the whole file to `out`. False, with errno set: it cannot be read, or it does not fit
 * under the buffer's ceiling (EFBIG). */
bool file_read(const char *path, struct buf *out) MUST_USE;
/* The first line of a file without its line end, as secrets are stored. Malloc'd; the caller frees.
 * NULL, with errno set: it cannot be read, or the line is empty or longer than `max_length`. */
char *file_read_secret(const char *path, size_t max_length) MUST_USE;

#endif
