/* SPDX-License-Identifier: MIT */
/* client.h - HTTP requests to push services: libcurl on the loop, HTTP/2 with many requests on one
 * connection.
 *
 * Servers prove who they are; no redirect is followed; no proxy is taken from the environment. One
 * client per provider: connections are kept and used again within a client, so one that is guarded
 * never uses a connection that was not checked. */
#ifndef BANTER_PUSH_CLIENT_H
#define BANTER_PUSH_CLIENT_H

#include "base/compiler.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>

struct curl_slist;
struct event_base;
struct push_client;

enum { CLIENT_BODY_MAX_BYTES = 16 << 10 }; /* of an answer; the transfer ends there */

struct push_client_config {
    const char *ca_file; /* NULL: the system's authorities. Copied */
    bool guarded;        /* connect to public addresses only (address.h) */
    bool allow_http;     /* besides https */
};

/* NULL after logging why. */
struct push_client *push_client_create(struct event_base *base,
                                       const struct push_client_config *config) MUST_USE;
/* Drops what is under way without a word. */
void push_client_destroy(struct push_client *c);

/* Header lines to send. Start with zeros. */
struct push_headers {
    struct curl_slist *list;
};
/* One `Name: value`; must not contain line ends. */
void push_headers_add(struct push_headers *h, const char *format, ...) PRINTF_LIKE(2, 3);

enum client_end {
    CLIENT_ANSWERED,
    CLIENT_FORBIDDEN, /* guarded, and the name leads to no public address */
    CLIENT_BAD_URL,
    CLIENT_UNREACHABLE, /* no connection, no TLS, or it broke */
    CLIENT_TIMEOUT,
    CLIENT_BROKEN, /* our own fault */
};

struct client_answer {
    enum client_end end;
    unsigned status;        /* CLIENT_ANSWERED: HTTP's */
    struct slice body;      /* its beginning. Borrowed until `done` returns */
    int64_t retry_after_ms; /* or -1 */
};

typedef void client_done_fn(void *owner, const struct client_answer *answer);

/* POSTs `body` (borrowed until `done`). `headers` are taken over. `done` is called exactly once,
 * never from inside; it may post again. The request may arrive twice if a connection breaks. */
void push_client_post(struct push_client *c, const char *url, struct push_headers *headers,
                      struct slice body, unsigned timeout_ms, client_done_fn *done, void *owner);

#endif
