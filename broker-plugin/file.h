/* SPDX-License-Identifier: MIT */
/* file.h - reads a small file. Only when the plugin is loaded and on RELOAD: it may wait for a
 * disk. */
#ifndef BANTER_PLUGIN_FILE_H
#define BANTER_PLUGIN_FILE_H

#include "base/buf.h"
#include "base/compiler.h"

#include <stdbool.h>

/* Appends the whole file. False after logging why: not readable, or longer than the buffer's
 * ceiling. */
bool file_read(const char *path, struct buf *out) MUST_USE;

#endif
