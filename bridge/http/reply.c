/* SPDX-License-Identifier: MIT */
/* reply.c - see request.h: answers whose length is known, and problem details. */
#include "base/buf.h"
#include "http/internal.h"

#include <assert.h>
#include <event2/buffer.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PROBLEM_MAX_BYTES = 16 << 10 };

/* RFC 9110 section 15; sorted. */
static const struct {
    int status;
    const char *phrase;
} phrases[] = {
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {204, "No Content"},
    {304, "Not Modified"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {417, "Expectation Failed"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {503, "Service Unavailable"},
    {505, "HTTP Version Not Supported"},
};

/* On every answer: nothing here is a page, may be kept, or may be used by another site. */
static const struct {
    const char *name;
    const char *value;
} security[] = {
    {"Cache-Control", "no-store"},
    {"Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
    {"Referrer-Policy", "no-referrer"},
    {"X-Content-Type-Options", "nosniff"},
};

static const char *phrase_of(int status)
{
    for (size_t i = 0; i < sizeof phrases / sizeof phrases[0]; i++) {
        if (phrases[i].status == status)
            return phrases[i].phrase;
    }
    assert(!"every status in use has its phrase");
    return "Unknown";
}

void http_reply_header(struct http_request *r, const char *name, const char *value)
{
    int added = 0;

    if (r->evhttp)
        added = evhttp_add_header(evhttp_request_get_output_headers(r->evhttp), name, value);
    assert(added == 0);
    (void)added;
}

/* Whoever came over TLS once shall not be led astray over plain HTTP later. */
static void add_hsts(struct http_request *r)
{
    char value[32];

    if (!r->has_tls || r->server->config.hsts_seconds == 0)
        return;
    (void)snprintf(value, sizeof value, "max-age=%u", r->server->config.hsts_seconds);
    http_reply_header(r, "Strict-Transport-Security", value);
}

const char *http_reply_prepare(struct http_request *r, int status, const char *content_type)
{
    struct evkeyvalq *headers = evhttp_request_get_output_headers(r->evhttp);
    const char *phrase = phrase_of(status);

    if (content_type)
        http_reply_header(r, "Content-Type", content_type);
    for (size_t i = 0; i < sizeof security / sizeof security[0]; i++) {
        if (!evhttp_find_header(headers, security[i].name))
            http_reply_header(r, security[i].name, security[i].value);
    }
    add_hsts(r);
    http_reply_header(r, "X-Request-Id", r->id);
    r->server->stats.responses[status / 100]++;
    http_log_answer(r, status, phrase);
    return phrase;
}

static void bytes_left(const void *data, size_t length, void *owner)
{
    struct http_server *s = owner;

    s->stats.unsent -= length;
    free((void *)data);
}

void http_reply_add(struct http_server *s, struct evbuffer *out, char *bytes, size_t length)
{
    if (evbuffer_add_reference(out, bytes, length, bytes_left, s) != 0)
        abort(); /* out of memory */
    s->stats.unsent += length;
}

/* `bytes` (malloc'd, taken over) is the body; it is left out for HEAD. */
static void answer(struct http_request *r, int status, const char *content_type, char *bytes,
                   size_t length)
{
    const char *phrase = http_reply_prepare(r, status, content_type);
    bool head = http_request_method(r) == HTTP_METHOD_HEAD;
    struct evbuffer *body = evbuffer_new();
    char decimal[24];

    if (!body)
        abort(); /* out of memory */
    if (status != 204 && status != 304) {
        snprintf(decimal, sizeof decimal, "%zu", length);
        http_reply_header(r, "Content-Length", decimal);
    }
    if (length > 0 && !head)
        http_reply_add(r->server, body, bytes, length);
    else
        free(bytes);
    evhttp_send_reply(http_request_detach(r), status, phrase, body);
    evbuffer_free(body);
}

void http_reply(struct http_request *r, int status, const char *content_type, struct buf *body)
{
    size_t length = body ? body->length : 0;
    char *bytes = body ? buf_detach(body) : NULL;

    if (body && !bytes) {
        http_problem(r, 0, CODE_INTERNAL, "the answer could not be made");
        return;
    }
    if (r->evhttp)
        answer(r, status, content_type, bytes, length);
    else
        free(bytes);
    http_request_free(r);
}

/* The same refusal has the same bytes: what differs by request is in the header. */
static void write_problem(struct buf *b, int status, enum code code, const char *detail)
{
    buf_char(b, '{');
    buf_json_key(b, "type");
    buf_printf(b, "\"urn:banter:problem:%s\"", code_name(code));
    buf_json_key(b, "title");
    buf_json(b, slice_str(phrase_of(status)));
    buf_json_key(b, "status");
    buf_i64(b, status);
    buf_json_key(b, "detail");
    buf_json(b, slice_str(detail));
    buf_json_key(b, "code");
    buf_json(b, slice_str(code_name(code)));
    buf_str(b, "}\n");
}

void http_problem_send(struct http_request *r, int status, enum code code, const char *detail)
{
    struct buf body;
    size_t length;
    char *bytes;

    if (!r->evhttp)
        return;
    if (status == 0)
        status = code_http_status(code);
    r->code = code;
    buf_init(&body, PROBLEM_MAX_BYTES);
    write_problem(&body, status, code, detail);
    length = body.length;
    bytes = buf_detach(&body);
    assert(bytes);
    answer(r, status, "application/problem+json", bytes, length);
}

void http_problem(struct http_request *r, int status, enum code code, const char *detail)
{
    http_problem_send(r, status, code, detail);
    http_request_free(r);
}
