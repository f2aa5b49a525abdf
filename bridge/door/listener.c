/* SPDX-License-Identifier: MIT */
/* listener.c - takes connections in, as long as there is room for them.
 *
 * Rule: a connection that does not fit is taken and told so, never left in the kernel's queue,
 * where it would keep honest clients waiting behind it. */
#include "base/address.h"
#include "base/log.h"
#include "base/memory.h"
#include "door/internal.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    BACKLOG = 4096,
    ACCEPTS_PER_TURN = 64,
    RESUME_MS = 100,
    /* A dead peer is noticed by the kernel after this, at the latest. */
    UNACKNOWLEDGED_MS = 60000,
    PROBE_AFTER_S = 60,
    PROBE_EVERY_S = 20,
    PROBES = 3,
};

static void set_option(int fd, int level, int option, int value)
{
    if (setsockopt(fd, level, option, &value, sizeof value) != 0)
        log_debug("door", "a socket option: %s", strerror(errno));
}

static void set_options(int fd)
{
    set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
    set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, PROBE_AFTER_S);
    set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, PROBE_EVERY_S);
    set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, PROBES);
    set_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, UNACKNOWLEDGED_MS);
}

static void take_in(struct door_listener *l, int fd, const struct sockaddr_storage *name)
{
    struct address address;

    if (!address_from_socket(&address, (const struct sockaddr *)name)) {
        close(fd);
        return;
    }
    set_options(fd);
    connection_create(l, fd, &address);
}

/* Nothing can be accepted for lack of descriptors or memory: look again in a moment. */
static void pause_listening(struct door_listener *l)
{
    const struct timeval moment = {.tv_usec = RESUME_MS * 1000};

    log_warning("door", "no connection can be accepted on %s: %s", l->name, strerror(errno));
    event_del(l->readable);
    event_add(l->resume, &moment);
}

static void on_resume(evutil_socket_t fd, short what, void *listener)
{
    struct door_listener *l = listener;

    (void)fd, (void)what;
    event_add(l->readable, NULL);
}

static void on_readable(evutil_socket_t listening, short what, void *listener)
{
    struct door_listener *l = listener;

    (void)what;
    for (unsigned i = 0; i < ACCEPTS_PER_TURN; i++) {
        struct sockaddr_storage name;
        socklen_t length = sizeof name;
        int fd =
            accept4(listening, (struct sockaddr *)&name, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);

        if (fd >= 0)
            take_in(l, fd, &name);
        else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
            pause_listening(l);
        if (fd < 0 && errno != ECONNABORTED && errno != EINTR)
            break;
    }
}

static int open_socket(const struct sockaddr_storage *address, int length)
{
    int fd = socket(address->ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int error;

    if (fd < 0)
        return -1;
    set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    if (bind(fd, (const struct sockaddr *)address, (socklen_t)length) == 0 &&
        listen(fd, BACKLOG) == 0)
        return fd;
    error = errno;
    close(fd);
    errno = error;
    return -1;
}

bool door_listen(struct door_listener *l, const char *text)
{
    struct sockaddr_storage address;
    int length;

    if (strcmp(text, "off") == 0)
        return true;
    if (!address_parse_listen(text, &address, &length)) {
        log_error("door", "%s: \"%s\" is no address with a port", l->name, text);
        return false;
    }
    l->fd = open_socket(&address, length);
    if (l->fd < 0) {
        log_error("door", "%s: cannot listen on %s: %s", l->name, text, strerror(errno));
        return false;
    }
    l->readable = event_new(l->door->pool.base, l->fd, EV_READ | EV_PERSIST, on_readable, l);
    l->resume = event_new(l->door->pool.base, -1, 0, on_resume, l);
    if (!l->readable || !l->resume || event_add(l->readable, NULL) != 0)
        abort(); /* out of memory */
    log_info("door", "%s: listening on %s", l->name, text);
    return true;
}

void door_unlisten(struct door_listener *l)
{
    if (l->fd < 0)
        return;
    event_free(l->readable);
    event_free(l->resume);
    close(l->fd);
    l->fd = -1;
}
