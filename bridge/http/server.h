/* SPDX-License-Identifier: MIT */
/* server.h - an HTTP/1.1 server on the loop thread: evhttp behind a strict gate.
 *
 * On a Unix socket it serves what the front door carries to it: whoever can open that socket is
 * believed about the client's address, which is the last part of the name that it connects from.
 *
 * Only whole, clean requests reach evhttp (framing.h), so every error, malformed requests included,
 * is answered as problem details (RFC 9457). Everything is bounded: connections, head, body, the
 * time to send a request, to handle it and to read the answer. */
#ifndef BANTER_HTTP_SERVER_H
#define BANTER_HTTP_SERVER_H

#include "base/compiler.h"

#include <stddef.h>
#include <stdint.h>

struct event_base;
struct http_request;
struct http_server;
struct networks;

struct http_server_config {
    const char *listen; /* "127.0.0.1:8080", "[::1]:8080", or a Unix socket: "/run/http.sock" */
    const struct networks *trusted_proxies; /* whose X-Forwarded-For is believed; borrowed; NULL:
                                               nobody's */
    unsigned connections_max; /* further ones wait in the kernel; default 10000, or fewer if the
                                 process may not open so many files */
    unsigned requests_max;    /* being handled at once, else 503; default 10000 */
    size_t body_max;          /* bytes; default PACKET_MAX_BYTES */
    size_t received_max;      /* bytes of incomplete requests, of all connections together; beyond
                                 it large ones get 503; default 64 MiB */
    size_t unsent_max;        /* bytes of answers that clients have not taken, all together; beyond
                                 it requests get 503; default 256 MiB */
    unsigned receive_timeout_ms; /* from the first byte of a request to its last; default 15 s */
    unsigned answer_timeout_ms;  /* from there to the answer, else 503; default 30 s */
    unsigned idle_timeout_ms;    /* no byte either way on a connection; default 30 s */
    unsigned hsts_seconds;       /* in which browsers that came over TLS do so again; 0: not said */
};

/* Every request is handed over exactly once, whole, and must be ended exactly once (request.h), now
 * or later. */
typedef void http_handler_fn(void *owner, struct http_request *request);

/* Listens. `config` is copied; zeros stand for the defaults. NULL after logging why not. */
struct http_server *http_server_create(struct event_base *base,
                                       const struct http_server_config *config,
                                       http_handler_fn *handler, void *owner) MUST_USE;
/* Closes every connection. Requests that nobody has ended yet are gone after this: whatever could
 * still end them must be destroyed first. */
void http_server_destroy(struct http_server *s);

struct http_server_stats {
    uint64_t connections;   /* now */
    uint64_t requests_open; /* now: handed over and not ended */
    uint64_t received;      /* now: bytes of requests that are not whole yet */
    uint64_t unsent;        /* now: bytes of answers that have not left */
    uint64_t accepted;      /* connections so far */
    uint64_t responses[6];  /* so far, by first digit of the status; [0] is unused */
    uint64_t refused;       /* malformed, too large or too slow requests so far */
    uint64_t unanswered;    /* requests so far that met the answer deadline */
};
void http_server_get_stats(const struct http_server *s, struct http_server_stats *out);

#endif
