/* SPDX-License-Identifier: MIT */
/* internal.h - what the files of bridge/http share, and nobody else includes.
 *
 * A connection's gate (gate.c) holds what the client sends until it is one whole request; evhttp
 * then parses it and calls back, and a `struct http_request` (request.c) is made of it. */
#ifndef BANTER_HTTP_INTERNAL_H
#define BANTER_HTTP_INTERNAL_H

#include "base/address.h"
#include "base/log.h"
#include "base/map.h"
#include "http/framing.h"
#include "http/request.h"
#include "http/server.h"
#include "wire/limits.h"

#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <stddef.h>
#include <sys/queue.h>

enum { HTTP_REQUEST_ID_MAX_LENGTH = 64 };

static inline struct timeval http_timeval(unsigned ms)
{
    return (struct timeval){.tv_sec = ms / 1000, .tv_usec = (ms % 1000) * 1000};
}

/* Who connected, or for whom the front door did. */
struct http_peer {
    struct address address; /* all zeros: there is no telling */
    bool has_tls;           /* the client came to the front door over TLS */
};

struct http_connection {
    struct http_server *server;
    struct bufferevent *bev;          /* owned by evhttp */
    struct evhttp_connection *evhttp; /* NULL until evhttp has made it, right after the accept */
    struct http_peer peer;
    struct evbuffer *held; /* received and not yet passed to evhttp */
    size_t held_counted;   /* bytes of `held` that the server's number has */
    size_t fed;            /* bytes of `held` that `framing` has seen */
    struct http_framing framing;
    struct event *turn;           /* attaches to evhttp at first; later: look at `held` again */
    struct event *deadline;       /* pending while a request is incomplete */
    bool moving;                  /* the gate itself is moving bytes: not news from the client */
    bool busy;                    /* evhttp has a request that is not answered yet, */
    bool arrived;                 /* and has read it to its end */
    struct http_refusal refusal;  /* status != 0: what evhttp has is a stand-in, answer with this */
    struct http_request *request; /* handed to the handler and not answered, or NULL */
    LIST_ENTRY(http_connection) entry;
};

LIST_HEAD(http_connection_list, http_connection);
LIST_HEAD(http_request_list, http_request);

struct http_server {
    struct event_base *base;
    struct log_quota log_quota;
    struct http_server_config config;
    struct evhttp *evhttp;
    struct evconnlistener *listener; /* owned by evhttp */
    char *path;                      /* of the Unix socket, or NULL */
    struct http_connection_list connections;
    struct map by_evhttp; /* the connections that are attached, by their evhttp connection */
    struct http_request_list requests;
    http_handler_fn *handler;
    void *owner;
    uint64_t boot; /* random; with `sequence` it names requests */
    uint64_t sequence;
    struct http_server_stats stats;
};

struct http_memory {
    struct http_memory *next;
    max_align_t bytes[];
};

struct http_request {
    struct http_server *server;
    struct http_connection *connection; /* NULL: gone or answered */
    struct evhttp_request *evhttp;      /* NULL: gone or answered */
    struct event *deadline;             /* for the answer; NULL while streaming */
    http_stream_ready_fn *ready;        /* streaming, or NULL */
    void *ready_owner;
    struct http_memory *memory;
    struct address address; /* the client's */
    bool has_tls;           /* between it and us, not a proxy */
    bool query_parsed;
    struct evkeyvalq query;
    char id[HTTP_REQUEST_ID_MAX_LENGTH + 1];
    /* For the log: */
    const char *route; /* or NULL: none took it */
    bool is_routine;
    char user[HANDLE_MAX_LENGTH + 1]; /* or empty */
    enum code code;                   /* of a problem */
    uint64_t began_us;
    LIST_ENTRY(http_request) entry;
};

/* gate.c */
/* evhttp's hook for a new connection: makes its bufferevent, with the gate in place. */
struct bufferevent *http_gate_open(struct event_base *base, void *server);
/* The answer has been sent: the next request may pass. */
void http_gate_answered(struct http_connection *c);
/* Frees the gate, not what evhttp owns. */
void http_gate_free(struct http_connection *c);

/* peer.c */
/* Finds out who is at the other end of a connection. */
struct http_peer http_peer_of(int fd);
/* The client behind it, as far as X-Forwarded-For is believed. */
struct address http_client_address(const struct http_server *s, const struct address *peer,
                                   const struct evkeyvalq *headers);

/* server.c */
/* A connection was accepted; it attached to evhttp; it is no more. */
void http_server_opened(struct http_server *s, struct http_connection *c);
void http_server_attached(struct http_server *s, struct http_connection *c);
void http_server_closed(struct http_server *s, struct http_connection *c);

/* request.c */
/* evhttp's generic callback: makes the request and hands it to the handler. */
void http_request_arrived(struct evhttp_request *evhttp, void *server);
/* The connection is closing: its request, if any, is gone from now on. */
void http_request_lost(struct http_request *r);
/* Takes evhttp's part out, which the caller must answer; NULL: gone or answered already. */
struct evhttp_request *http_request_detach(struct http_request *r);
void http_request_free(struct http_request *r);

/* reply.c */
/* Answers like http_problem(), but leaves the request to whoever will end it. */
void http_problem_send(struct http_request *r, int status, enum code code, const char *detail);
/* Appends `bytes` (malloc'd, taken over) to `out`; they count as unsent until they have left. */
void http_reply_add(struct http_server *s, struct evbuffer *out, char *bytes, size_t length);
/* Adds what every answer carries, counts and logs it. The reason phrase. */
const char *http_reply_prepare(struct http_request *r, int status, const char *content_type);

/* log.c */
/* An answer begins to leave; a stream is broken off. */
void http_log_answer(struct http_request *r, int status, const char *phrase);
void http_log_abort(struct http_request *r);

#endif
