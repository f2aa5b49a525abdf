/* SPDX-License-Identifier: MIT */
/* file.c - see file.h. */
#include "file.h"

#include "broker.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

bool file_read(const char *path, struct buf *out)
{
    char chunk[4096];
    FILE *file = fopen(path, "rbe");
    size_t n;
    bool ok = false;

    if (!file) {
        broker_log(BROKER_ERROR, "%s: %s", path, strerror(errno));
        return false;
    }
    while ((n = fread(chunk, 1, sizeof chunk, file)) > 0)
        buf_bytes(out, chunk, n);
    if (ferror(file))
        broker_log(BROKER_ERROR, "%s: cannot be read", path);
    else if (out->failed)
        broker_log(BROKER_ERROR, "%s: longer than %zu bytes", path, out->ceiling);
    else
        ok = true;
    memset(chunk, 0, sizeof chunk);
    fclose(file);
    return ok;
}
