/* SPDX-License-Identifier: MIT */
/* sink.c - see sink.h. HTTP/1.1 as the bridge's webhooks speak it: a POST with a length, and the
 * connection stays. */
#include "sink.h"

#include "base/buf.h"
#include "base/clock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 1024, EVENTS_MAX = 64, REQUEST_MAX_BYTES = 1 << 20, READ_BYTES = 16 << 10 };

struct visitor {
    LIST_ENTRY(visitor) link;
    int fd;
    struct buf in; /* what has come of the next requests */
};

struct sink {
    int listener, epoll;
    unsigned port;
    pthread_t thread;
    bool has_thread;
    LIST_HEAD(, visitor) visitors; /* the thread's own */
    pthread_mutex_t lock;          /* of what follows */
    bool stopping;
    unsigned bulk_max;
    unsigned char *seen; /* by N */
    struct sink_count count;
};

static void note(struct sink *s, const char *path)
{
    uint64_t now_us = clock_monotonic_us();
    unsigned number;

    pthread_mutex_lock(&s->lock);
    if (strncmp(path, "/direct ", 8) == 0) {
        s->count.direct++;
        s->count.direct_us = now_us;
    } else if (sscanf(path, "/bulk/%u ", &number) == 1 && number < s->bulk_max) {
        s->count.again += s->seen[number];
        s->count.bulk += !s->seen[number];
        s->seen[number] = 1;
        s->count.last_us = now_us;
        if (s->count.first_us == 0)
            s->count.first_us = now_us;
    }
    pthread_mutex_unlock(&s->lock);
}

/* Takes one request off what has come. 1: done; 0: it is not whole; -1: it is none. */
static int take_request(struct sink *s, struct visitor *v)
{
    static const char answer[] = "HTTP/1.1 204 No Content\r\n\r\n";
    const char *head_end = v->in.length > 0 ? strstr(v->in.data, "\r\n\r\n") : NULL;
    const char *field;
    size_t whole;

    if (!head_end)
        return 0;
    if (strncmp(v->in.data, "POST ", 5) != 0)
        return -1;
    field = strcasestr(v->in.data, "\r\ncontent-length:");
    if (!field || field > head_end)
        return -1;
    whole = (size_t)(head_end - v->in.data) + 4 + strtoul(field + 17, NULL, 10);
    if (v->in.length < whole)
        return whole > REQUEST_MAX_BYTES ? -1 : 0;
    note(s, v->in.data + 5);
    buf_consume(&v->in, whole);
    return send(v->fd, answer, sizeof(answer) - 1, MSG_NOSIGNAL) == sizeof(answer) - 1 ? 1 : -1;
}

static void close_visitor(struct visitor *v)
{
    LIST_REMOVE(v, link);
    close(v->fd);
    buf_finish(&v->in);
    free(v);
}

static void serve(struct sink *s, struct visitor *v)
{
    char *room = buf_reserve(&v->in, READ_BYTES);
    ssize_t length = room ? recv(v->fd, room, READ_BYTES, MSG_DONTWAIT) : 0;
    int taken;

    if (length < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (length <= 0) {
        close_visitor(v);
        return;
    }
    v->in.length += (size_t)length;
    v->in.data[v->in.length] = '\0';
    while ((taken = take_request(s, v)) > 0)
        ;
    if (taken < 0)
        close_visitor(v);
}

static void admit(struct sink *s)
{
    struct visitor *v = calloc(1, sizeof(*v));
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = v};
    int fd = accept(s->listener, NULL, NULL);

    if (!v || fd < 0) {
        if (fd >= 0)
            close(fd);
        free(v);
        return;
    }
    v->fd = fd;
    buf_init(&v->in, REQUEST_MAX_BYTES + READ_BYTES);
    LIST_INSERT_HEAD(&s->visitors, v, link);
    if (epoll_ctl(s->epoll, EPOLL_CTL_ADD, fd, &event) != 0)
        close_visitor(v);
}

static bool is_stopping(struct sink *s)
{
    bool stopping;

    pthread_mutex_lock(&s->lock);
    stopping = s->stopping;
    pthread_mutex_unlock(&s->lock);
    return stopping;
}

static void *run(void *argument)
{
    struct sink *s = argument;
    struct epoll_event events[EVENTS_MAX];

    while (!is_stopping(s)) {
        int count = epoll_wait(s->epoll, events, EVENTS_MAX, 100);

        for (int i = 0; i < count; i++) {
            if (events[i].data.ptr)
                serve(s, events[i].data.ptr);
            else
                admit(s);
        }
    }
    return NULL;
}

static bool listen_somewhere(struct sink *s)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    socklen_t length = sizeof(address);

    s->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    s->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (s->listener < 0 || s->epoll < 0 ||
        bind(s->listener, (struct sockaddr *)&address, sizeof(address)) != 0 ||
        listen(s->listener, BACKLOG) != 0 ||
        getsockname(s->listener, (struct sockaddr *)&address, &length) != 0 ||
        epoll_ctl(s->epoll, EPOLL_CTL_ADD, s->listener, &event) != 0)
        return false;
    s->port = ntohs(address.sin_port);
    return true;
}

struct sink *sink_create(unsigned bulk_max)
{
    struct sink *s = calloc(1, sizeof(*s));

    if (s) {
        s->listener = s->epoll = -1;
        s->bulk_max = bulk_max;
        s->seen = calloc(bulk_max, 1);
        pthread_mutex_init(&s->lock, NULL);
        LIST_INIT(&s->visitors);
        s->has_thread =
            s->seen && listen_somewhere(s) && pthread_create(&s->thread, NULL, run, s) == 0;
    }
    if (!s || !s->has_thread) {
        fprintf(stderr, "banter-bench: no webhook: %s\n", strerror(errno));
        sink_destroy(s);
        return NULL;
    }
    return s;
}

void sink_destroy(struct sink *s)
{
    if (!s)
        return;
    if (s->has_thread) {
        pthread_mutex_lock(&s->lock);
        s->stopping = true;
        pthread_mutex_unlock(&s->lock);
        pthread_join(s->thread, NULL);
    }
    while (!LIST_EMPTY(&s->visitors))
        close_visitor(LIST_FIRST(&s->visitors));
    if (s->listener >= 0)
        close(s->listener);
    if (s->epoll >= 0)
        close(s->epoll);
    pthread_mutex_destroy(&s->lock);
    free(s->seen);
    free(s);
}

unsigned sink_port(const struct sink *s)
{
    return s->port;
}

void sink_clear(struct sink *s)
{
    pthread_mutex_lock(&s->lock);
    memset(s->seen, 0, s->bulk_max);
    s->count = (struct sink_count){0};
    pthread_mutex_unlock(&s->lock);
}

void sink_look(struct sink *s, struct sink_count *out)
{
    pthread_mutex_lock(&s->lock);
    *out = s->count;
    pthread_mutex_unlock(&s->lock);
}
