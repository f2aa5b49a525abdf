/* SPDX-License-Identifier: MIT */
/* request.c - see request.h: a request's life, and reading it. reply.c and stream.c end it.
 *
 * Three parties can finish first: the handler, the client, the answer deadline. Whoever it is
 * detaches the request from evhttp; the handler alone frees it. */
#include "http/request.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "http/internal.h"

#include <assert.h>
#include <event2/buffer.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    enum evhttp_cmd_type evhttp;
    enum http_method method;
} methods[] = {
    {EVHTTP_REQ_DELETE, HTTP_METHOD_DELETE}, {EVHTTP_REQ_GET, HTTP_METHOD_GET},
    {EVHTTP_REQ_HEAD, HTTP_METHOD_HEAD},     {EVHTTP_REQ_OPTIONS, HTTP_METHOD_OPTIONS},
    {EVHTTP_REQ_PATCH, HTTP_METHOD_PATCH},   {EVHTTP_REQ_POST, HTTP_METHOD_POST},
    {EVHTTP_REQ_PUT, HTTP_METHOD_PUT},
};

struct evhttp_request *http_request_detach(struct http_request *r)
{
    struct evhttp_request *evhttp = r->evhttp;

    if (r->connection) {
        assert(r->connection->request == r);
        r->connection->request = NULL;
        r->connection = NULL;
    }
    if (r->deadline)
        event_del(r->deadline);
    r->evhttp = NULL;
    return evhttp;
}

void http_request_free(struct http_request *r)
{
    struct http_memory *memory;

    (void)http_request_detach(r);
    LIST_REMOVE(r, entry);
    r->server->stats.requests_open--;
    if (r->deadline)
        event_free(r->deadline);
    if (r->query_parsed)
        evhttp_clear_headers(&r->query);
    while ((memory = r->memory)) {
        r->memory = memory->next;
        free(memory);
    }
    free(r);
}

void http_request_lost(struct http_request *r)
{
    struct evhttp_request *evhttp = http_request_detach(r);

    /* evhttp lets go of a request whose socket failed; else it frees it with the connection. */
    if (evhttp && !evhttp_request_get_connection(evhttp))
        evhttp_request_free(evhttp);
    if (r->ready)
        r->ready(r->ready_owner);
}

/* The handler is too slow: the client gets an answer now, and the handler's will be dropped. */
static void answer_deadline(evutil_socket_t fd, short what, void *owner)
{
    struct http_request *r = owner;

    (void)fd, (void)what;
    r->server->stats.unanswered++;
    http_reply_header(r, "Retry-After", "1");
    http_problem_send(r, 0, CODE_UNAVAILABLE,
                      "there was no answer in time; whether it was done is unknown");
}

/* The client's own id if it is harmless, so that its logs and ours can be joined. */
static void name_request(struct http_request *r)
{
    static const char allowed[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.";
    const char *given = http_request_header(r, "X-Request-Id");
    size_t length = given ? strlen(given) : 0;

    if (length > 0 && length <= HTTP_REQUEST_ID_MAX_LENGTH && strspn(given, allowed) == length)
        memcpy(r->id, given, length + 1);
    else
        snprintf(r->id, sizeof r->id, "%016" PRIx64 "-%" PRIx64, r->server->boot,
                 r->server->sequence++);
}

static void sent(struct evhttp_request *evhttp, void *connection)
{
    (void)evhttp;
    http_gate_answered(connection);
}

static struct http_request *make_request(struct http_server *s, struct http_connection *c,
                                         struct evhttp_request *evhttp)
{
    struct timeval patience = http_timeval(s->config.answer_timeout_ms);
    struct http_request *r = must_calloc(1, sizeof *r);

    r->server = s;
    r->connection = c;
    r->evhttp = evhttp;
    r->began_us = clock_monotonic_us();
    r->deadline = event_new(s->base, -1, 0, answer_deadline, r);
    if (!r->deadline || event_add(r->deadline, &patience) != 0)
        abort(); /* out of memory */
    c->request = r;
    LIST_INSERT_HEAD(&s->requests, r, entry);
    s->stats.requests_open++;
    name_request(r);
    r->address = http_client_address(s, &c->peer.address, evhttp_request_get_input_headers(evhttp));
    r->has_tls = c->peer.has_tls;
    evhttp_request_set_on_complete_cb(evhttp, sent, c);
    return r;
}

static enum code refusal_code(int status)
{
    switch (status) {
    case 408:
    case 503:
        return CODE_UNAVAILABLE;
    case 413:
    case 414:
    case 431:
        return CODE_TOO_LARGE;
    default:
        return CODE_INVALID;
    }
}

void http_request_arrived(struct evhttp_request *evhttp, void *server)
{
    struct http_server *s = server;
    struct http_connection *c = map_find(&s->by_evhttp, evhttp_request_get_connection(evhttp));
    struct http_request *r;

    assert(c && c->busy && !c->request);
    c->arrived = true;
    r = make_request(s, c, evhttp);
    if (c->refusal.status != 0) {
        http_reply_header(r, "Connection", "close");
        http_problem(r, c->refusal.status, refusal_code(c->refusal.status), c->refusal.detail);
    } else if (s->stats.requests_open > s->config.requests_max ||
               s->stats.unsent > s->config.unsent_max) {
        http_reply_header(r, "Retry-After", "1");
        http_problem(r, 0, CODE_UNAVAILABLE, "the server is handling too many requests");
    } else {
        s->handler(s->owner, r);
    }
}

enum http_method http_request_method(const struct http_request *r)
{
    enum evhttp_cmd_type type = evhttp_request_get_command(r->evhttp);

    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
        if (methods[i].evhttp == type)
            return methods[i].method;
    }
    assert(!"the gate lets no other method pass");
    return HTTP_METHOD_GET;
}

const char *http_request_path(const struct http_request *r)
{
    return evhttp_uri_get_path(evhttp_request_get_evhttp_uri(r->evhttp));
}

const char *http_request_header(const struct http_request *r, const char *name)
{
    return evhttp_find_header(evhttp_request_get_input_headers(r->evhttp), name);
}

/* Parses it once. False: it is no list of pairs, and stays empty. */
static bool parse_query(struct http_request *r)
{
    const char *query = evhttp_uri_get_query(evhttp_request_get_evhttp_uri(r->evhttp));

    if (r->query_parsed)
        return true;
    r->query_parsed = true;
    if (query && query[0] != '\0' && evhttp_parse_query_str(query, &r->query) == 0)
        return true;
    TAILQ_INIT(&r->query);
    return !query || query[0] == '\0';
}

bool http_request_query_is_clear(struct http_request *r)
{
    const char *raw = evhttp_uri_get_query(evhttp_request_get_evhttp_uri(r->evhttp));
    struct evkeyval *pair;
    size_t count;

    /* evhttp would end a value at the NUL, and nobody would know that there was more. */
    if (!parse_query(r) || (raw && strstr(raw, "%00")))
        return false;
    /* The first of a name is the one that is found. */
    TAILQ_FOREACH(pair, &r->query, next)
    {
        if (evhttp_find_header(&r->query, pair->key) != pair->value ||
            !utf8_count(slice_str(pair->value), &count))
            return false;
    }
    return true;
}

const char *http_request_query(struct http_request *r, const char *name)
{
    (void)parse_query(r);
    return evhttp_find_header(&r->query, name);
}

const char *http_request_id(const struct http_request *r)
{
    return r->id;
}

void http_request_note_route(struct http_request *r, const char *route, bool news)
{
    r->route = route;
    r->is_routine = !news;
}

void http_request_note_user(struct http_request *r, struct slice handle)
{
    if (handle.length < sizeof r->user)
        memcpy(r->user, handle.data, handle.length);
}

const struct address *http_request_address(const struct http_request *r)
{
    return &r->address;
}

struct slice http_request_body(const struct http_request *r)
{
    struct evbuffer *body = evhttp_request_get_input_buffer(r->evhttp);
    size_t length = evbuffer_get_length(body);

    return slice_of(length > 0 ? (const char *)evbuffer_pullup(body, -1) : "", length);
}

bool http_request_is_gone(const struct http_request *r)
{
    return !r->evhttp;
}

void *http_request_memory(struct http_request *r, size_t size)
{
    struct http_memory *memory = must_calloc(1, sizeof *memory + size);

    memory->next = r->memory;
    r->memory = memory;
    return memory->bytes;
}
