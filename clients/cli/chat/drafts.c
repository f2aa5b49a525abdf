/* SPDX-License-Identifier: MIT */
/* drafts.c - reading and replacing the file. */
#include "chat/drafts.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

json_t *drafts_load(const char *path)
{
    return json_load_file(path, 0, NULL);
}

bool drafts_save(const char *path, const json_t *drafts)
{
    char fresh[PATH_MAX];
    int length = snprintf(fresh, sizeof fresh, "%s.new", path), fd, error;
    bool ok;

    if (length >= (int)sizeof fresh) {
        errno = ENAMETOOLONG;
        return false;
    }
    fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (fd < 0)
        return false;
    ok = json_dumpfd(drafts, fd, JSON_COMPACT) == 0 && fsync(fd) == 0;
    error = errno;
    if (close(fd) == 0 && ok && rename(fresh, path) == 0)
        return true;
    errno = ok ? errno : error;
    return false;
}
