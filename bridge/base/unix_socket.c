/* SPDX-License-Identifier: MIT */
/* unix_socket.c - see unix_socket.h. */
#include "base/unix_socket.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

bool unix_socket_address(struct sockaddr_un *out, const char *path)
{
    size_t length = strlen(path);

    *out = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (length >= sizeof out->sun_path) {
        errno = ENAMETOOLONG;
        return false;
    }
    memcpy(out->sun_path, path, length + 1);
    return true;
}

/* True when nothing is at the address any more. */
static bool clear_stale_socket(const struct sockaddr_un *address)
{
    struct stat st;
    int fd;
    bool alive;

    if (lstat(address->sun_path, &st) != 0)
        return errno == ENOENT;
    if (!S_ISSOCK(st.st_mode)) {
        errno = EEXIST;
        return false;
    }
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return false;
    alive = connect(fd, (const struct sockaddr *)address, sizeof *address) == 0 || errno == EAGAIN;
    close(fd);
    errno = EADDRINUSE;
    return !alive && unlink(address->sun_path) == 0;
}

int unix_socket_listen(const char *path, mode_t mode, int backlog)
{
    struct sockaddr_un address;
    int error, fd;

    if (!unix_socket_address(&address, path))
        return -1;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    if (clear_stale_socket(&address) &&
        bind(fd, (const struct sockaddr *)&address, sizeof address) == 0 &&
        chmod(path, mode) == 0 && listen(fd, backlog) == 0)
        return fd;
    error = errno;
    close(fd);
    errno = error;
    return -1;
}
