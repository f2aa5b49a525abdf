/* SPDX-License-Identifier: MIT */
/* listener.c - the listening Unix socket: who may connect is decided by its mode before anyone can,
 * because listen(2) comes last. */
#include "link/listener.h"

#include "base/log.h"
#include "base/memory.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum {
    BACKLOG = 8,
    SOCKET_MODE = 0660,
};

struct listener {
    int fd;
    struct sockaddr_un address;
    struct event *readable;
    listener_accepted_fn *accepted;
    void *owner;
};

static void log_credentials(int fd)
{
    struct ucred who;
    socklen_t length = sizeof who;

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &length) == 0)
        log_info("link", "connection from pid %d, uid %u", (int)who.pid, (unsigned)who.uid);
}

static void on_readable(evutil_socket_t listening, short what, void *argument)
{
    struct listener *l = argument;
    int fd = accept4(listening, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    (void)what;

    if (fd < 0)
        return; /* gone again, or no descriptors: the other side tries again */
    log_credentials(fd);
    l->accepted(l->owner, fd);
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

static bool bind_and_listen(struct listener *l)
{
    l->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    return l->fd >= 0 && clear_stale_socket(&l->address) &&
           bind(l->fd, (const struct sockaddr *)&l->address, sizeof l->address) == 0 &&
           chmod(l->address.sun_path, SOCKET_MODE) == 0 && listen(l->fd, BACKLOG) == 0;
}

struct listener *listener_create(struct event_base *base, const char *path,
                                 listener_accepted_fn *accepted, void *owner)
{
    struct listener *l = must_calloc(1, sizeof *l);

    l->fd = -1;
    l->accepted = accepted;
    l->owner = owner;
    l->address.sun_family = AF_UNIX;
    if (strlen(path) >= sizeof l->address.sun_path) {
        log_error("link", "the path of the socket is too long: %s", path);
        goto fail;
    }
    memcpy(l->address.sun_path, path, strlen(path) + 1);
    if (!bind_and_listen(l)) {
        log_error("link", "cannot listen on %s: %s", path, strerror(errno));
        goto fail;
    }
    l->readable = event_new(base, l->fd, EV_READ | EV_PERSIST, on_readable, l);
    if (!l->readable || event_add(l->readable, NULL) != 0) {
        listener_destroy(l);
        return NULL;
    }
    return l;
fail:
    if (l->fd >= 0)
        close(l->fd);
    free(l);
    return NULL;
}

void listener_destroy(struct listener *l)
{
    if (!l)
        return;
    if (l->readable)
        event_free(l->readable);
    close(l->fd);
    unlink(l->address.sun_path);
    free(l);
}
