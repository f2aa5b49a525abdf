/* SPDX-License-Identifier: MIT */
/* vapid.c - see vapid.h. A new key gets its name only when it is whole and on disk, and never takes
 * the name from another one. */
#include "core/push/vapid.h"

#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_MAX_BYTES = 4096 };

/* PKCS #8 in PEM. False: no memory, no entropy, or the disk. */
static bool write_key(int fd)
{
    FILE *file = fdopen(fd, "w");
    EVP_PKEY *key = EVP_EC_gen("P-256");
    bool ok = file && key && PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL) == 1 &&
              fflush(file) == 0 && fsync(fd) == 0;

    EVP_PKEY_free(key);
    if (!file)
        close(fd);
    else if (fclose(file) != 0)
        ok = false;
    return ok;
}

static bool make_key(const char *path)
{
    char temporary[PATH_MAX_BYTES];
    int length = snprintf(temporary, sizeof temporary, "%s.%ld.new", path, (long)getpid());
    bool ok = false;
    int fd;

    if (length < 0 || (size_t)length >= sizeof temporary) {
        errno = ENAMETOOLONG;
        return false;
    }
    unlink(temporary); /* of a crash */
    fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return false;
    if (write_key(fd))
        ok = link(temporary, path) == 0 || errno == EEXIST;
    unlink(temporary);
    return ok;
}

bool push_vapid_ensure(const char *directory, const char *path)
{
    if (access(path, F_OK) == 0)
        return true;
    if ((mkdir(directory, 0755) != 0 && errno != EEXIST) || !make_key(path)) {
        log_error("push", "a VAPID key could not be made at %s: %s", path, strerror(errno));
        return false;
    }
    log_info("push", "made a VAPID key: %s", path);
    return true;
}
