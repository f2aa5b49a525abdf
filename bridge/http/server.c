/* SPDX-License-Identifier: MIT */
/* server.c - see server.h: the listener, the connections it has made, and the numbers. */
#include "base/address.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/unix_socket.h"
#include "http/internal.h"
#include "wire/limits.h"

#include <assert.h>
#include <errno.h>
#include <event2/listener.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <unistd.h>

enum { BACKLOG = 1024, FILES_KEPT = 128, SOCKET_MODE = 0600 };

static const void *evhttp_of(const void *item)
{
    return ((const struct http_connection *)item)->evhttp;
}

/* By evhttp's pointer, which nobody outside can choose. */
static const struct map_type connections_type = {map_hash_address, map_equal_address, evhttp_of};

void http_server_opened(struct http_server *s, struct http_connection *c)
{
    LIST_INSERT_HEAD(&s->connections, c, entry);
    s->stats.accepted++;
    if (++s->stats.connections == s->config.connections_max)
        evconnlistener_disable(s->listener);
}

void http_server_attached(struct http_server *s, struct http_connection *c)
{
    if (!map_insert(&s->by_evhttp, c))
        abort(); /* out of memory */
}

void http_server_closed(struct http_server *s, struct http_connection *c)
{
    void *removed = map_remove(&s->by_evhttp, c->evhttp);

    assert(removed == c);
    (void)removed;
    LIST_REMOVE(c, entry);
    if (s->stats.connections-- == s->config.connections_max && s->listener)
        evconnlistener_enable(s->listener);
}

/* As many as asked for, but some files are left for everything else. */
static unsigned connections_possible(unsigned wanted)
{
    struct rlimit files;

    if (getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur > wanted + FILES_KEPT)
        return wanted;
    return files.rlim_cur > 2 * FILES_KEPT ? (unsigned)files.rlim_cur - FILES_KEPT : FILES_KEPT;
}

static struct http_server_config with_defaults(const struct http_server_config *config)
{
    struct http_server_config c = *config;

    c.connections_max = connections_possible(c.connections_max ? c.connections_max : 10000);
    if (c.requests_max == 0)
        c.requests_max = 10000;
    if (c.body_max == 0)
        c.body_max = PACKET_MAX_BYTES;
    if (c.received_max == 0)
        c.received_max = 64 << 20;
    if (c.unsent_max == 0)
        c.unsent_max = 256 << 20;
    if (c.receive_timeout_ms == 0)
        c.receive_timeout_ms = 15000;
    if (c.answer_timeout_ms == 0)
        c.answer_timeout_ms = 30000;
    if (c.idle_timeout_ms == 0)
        c.idle_timeout_ms = 30000;
    return c;
}

static struct evhttp *make_evhttp(struct http_server *s)
{
    struct timeval idle = http_timeval(s->config.idle_timeout_ms);
    struct evhttp *evhttp = evhttp_new(s->base);

    if (!evhttp)
        abort(); /* out of memory */
    evhttp_set_bevcb(evhttp, http_gate_open, s);
    evhttp_set_gencb(evhttp, http_request_arrived, s);
    evhttp_set_default_content_type(evhttp, NULL);
    evhttp_set_timeout_tv(evhttp, &idle);
    /* The gate has checked all of these; evhttp's own limits are a second fence around it. */
    evhttp_set_max_headers_size(evhttp, HTTP_HEAD_MAX_BYTES);
    evhttp_set_max_body_size(evhttp, (ev_ssize_t)s->config.body_max);
    evhttp_set_allowed_methods(evhttp, EVHTTP_REQ_GET | EVHTTP_REQ_HEAD | EVHTTP_REQ_POST |
                                           EVHTTP_REQ_PUT | EVHTTP_REQ_PATCH | EVHTTP_REQ_DELETE |
                                           EVHTTP_REQ_OPTIONS);
    return evhttp;
}

static struct evconnlistener *listen_unix(struct http_server *s)
{
    int fd = unix_socket_listen(s->config.listen, SOCKET_MODE, BACKLOG);

    if (fd < 0)
        return NULL;
    s->path = must_strndup(slice_str(s->config.listen));
    return evconnlistener_new(s->base, NULL, NULL, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0,
                              fd);
}

static struct evconnlistener *listen_tcp(struct http_server *s)
{
    struct sockaddr_storage address;
    int length;
    int on = 1;
    struct evconnlistener *listener;

    errno = EINVAL;
    if (!address_parse_listen(s->config.listen, &address, &length))
        return NULL;
    listener = evconnlistener_new_bind(
        s->base, NULL, NULL, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_REUSEABLE,
        BACKLOG, (struct sockaddr *)&address, length);
    /* Accepted sockets inherit it; without it an answer in two writes waits for a delayed ACK. */
    if (listener &&
        setsockopt(evconnlistener_get_fd(listener), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0)
        log_warning("http", "TCP_NODELAY: %s", strerror(errno));
    return listener;
}

static struct evconnlistener *make_listener(struct http_server *s)
{
    struct evconnlistener *listener = s->config.listen[0] == '/' ? listen_unix(s) : listen_tcp(s);

    if (!listener)
        log_error("http", "cannot listen on %s: %s", s->config.listen, strerror(errno));
    return listener;
}

struct http_server *http_server_create(struct event_base *base,
                                       const struct http_server_config *config,
                                       http_handler_fn *handler, void *owner)
{
    struct http_server *s = must_calloc(1, sizeof *s);

    s->base = base;
    s->config = with_defaults(config);
    s->handler = handler;
    s->owner = owner;
    map_init(&s->by_evhttp, &connections_type);
    LIST_INIT(&s->connections);
    LIST_INIT(&s->requests);
    if (getrandom(&s->boot, sizeof s->boot, 0) != sizeof s->boot)
        abort(); /* nothing else could work either */
    s->listener = make_listener(s);
    if (!s->listener)
        goto fail;
    s->evhttp = make_evhttp(s);
    if (!evhttp_bind_listener(s->evhttp, s->listener))
        abort(); /* out of memory */
    log_info("http", "listening on %s", s->config.listen);
    return s;

fail:
    map_finish(&s->by_evhttp);
    free(s->path);
    free(s);
    return NULL;
}

void http_server_destroy(struct http_server *s)
{
    struct http_connection *c;
    struct http_request *r;

    if (!s)
        return;
    s->listener = NULL; /* connections that close must not enable it any more */
    evhttp_free(s->evhttp);
    if (s->path)
        unlink(s->path);
    while ((c = LIST_FIRST(&s->connections))) { /* accepted, and never attached */
        LIST_REMOVE(c, entry);
        http_gate_free(c);
    }
    while ((r = LIST_FIRST(&s->requests)))
        http_request_free(r);
    assert(s->stats.received == 0 && s->stats.unsent == 0);
    map_finish(&s->by_evhttp);
    free(s->path);
    free(s);
}

void http_server_get_stats(const struct http_server *s, struct http_server_stats *out)
{
    *out = s->stats;
}
