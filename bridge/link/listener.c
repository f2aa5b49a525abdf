/* SPDX-License-Identifier: MIT */
/* listener.c - the listening Unix socket of the link. */
#include "link/listener.h"

#include "base/log.h"
#include "base/memory.h"
#include "base/unix_socket.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    BACKLOG = 8,
    SOCKET_MODE = 0660,
};

struct listener {
    int fd;
    char *path;
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

struct listener *listener_create(struct event_base *base, const char *path,
                                 listener_accepted_fn *accepted, void *owner)
{
    struct listener *l = must_calloc(1, sizeof *l);

    l->accepted = accepted;
    l->owner = owner;
    l->path = must_strndup(slice_str(path));
    l->fd = unix_socket_listen(path, SOCKET_MODE, BACKLOG);
    if (l->fd < 0) {
        log_error("link", "cannot listen on %s: %s", path, strerror(errno));
        free(l->path);
        free(l);
        return NULL;
    }
    l->readable = event_new(base, l->fd, EV_READ | EV_PERSIST, on_readable, l);
    if (!l->readable || event_add(l->readable, NULL) != 0) {
        listener_destroy(l);
        return NULL;
    }
    return l;
}

void listener_destroy(struct listener *l)
{
    if (!l)
        return;
    if (l->readable)
        event_free(l->readable);
    close(l->fd);
    unlink(l->path);
    free(l->path);
    free(l);
}
