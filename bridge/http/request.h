/* SPDX-License-Identifier: MIT */
/* request.h - one HTTP request, from the handler's call to its end.
 *
 * The handler ends a request with exactly one of http_reply(), http_problem(), http_stream_end() or
 * http_stream_abort(); the request is freed by it. If the client leaves, or the answer deadline
 * passes, before that, the request stays valid and ending it just frees it: handlers need no care.
 * But what a request says (method, path, fields, query, body) may be read only until the handler
 * returns; what is needed later is copied. */
#ifndef BANTER_HTTP_REQUEST_H
#define BANTER_HTTP_REQUEST_H

#include "base/compiler.h"
#include "base/slice.h"
#include "wire/codes.h"

#include <stdbool.h>
#include <stddef.h>

struct address;
struct buf;
struct http_request;

/* A set of methods is an `unsigned` of these. */
enum http_method {
    HTTP_METHOD_GET = 1 << 0,
    HTTP_METHOD_HEAD = 1 << 1,
    HTTP_METHOD_POST = 1 << 2,
    HTTP_METHOD_PUT = 1 << 3,
    HTTP_METHOD_PATCH = 1 << 4,
    HTTP_METHOD_DELETE = 1 << 5,
    HTTP_METHOD_OPTIONS = 1 << 6,
};

enum http_method http_request_method(const struct http_request *r);
/* Still percent-encoded; begins with '/'. */
const char *http_request_path(const struct http_request *r);
/* The field's value, or NULL. */
const char *http_request_header(const struct http_request *r, const char *name);
/* False: the query is no list of name=value, a name comes twice, or a value is no UTF-8 or has a
 * NUL. */
bool http_request_query_is_clear(struct http_request *r);
/* The decoded value of the query parameter, or NULL when it is absent. */
const char *http_request_query(struct http_request *r, const char *name);
/* Its name in the log and in the answer: the client's own, if that is harmless. */
const char *http_request_id(const struct http_request *r);
/* For the log, which has no paths, as those may be secrets. `route` is static. What supervisors
 * ask again and again is not `news`. */
void http_request_note_route(struct http_request *r, const char *route, bool news);
void http_request_note_user(struct http_request *r, struct slice handle);
/* Where the client is, behind whatever proxies are trusted. */
const struct address *http_request_address(const struct http_request *r);
struct slice http_request_body(const struct http_request *r);
/* True: nobody will read the answer any more. */
bool http_request_is_gone(const struct http_request *r);
/* Zeroed memory that lives as long as the request. */
void *http_request_memory(struct http_request *r, size_t size);

/* Adds a field to the coming answer. `value` must have no control characters. */
void http_reply_header(struct http_request *r, const char *name, const char *value);
/* Answers with `body`, whose bytes are taken over. `content_type` NULL: no body. A failed buffer
 * becomes a 500. Ends the request. */
void http_reply(struct http_request *r, int status, const char *content_type, struct buf *body);
/* Answers with problem details (RFC 9457). `status` 0: the one that belongs to the code. Ends the
 * request. */
void http_problem(struct http_request *r, int status, enum code code, const char *detail);

/* Called whenever everything that was written has left, and when the client has left. */
typedef void http_stream_ready_fn(void *owner);

/* Begins an answer whose length is not known yet. Not for HEAD. */
void http_stream_begin(struct http_request *r, int status, const char *content_type,
                       http_stream_ready_fn *ready, void *owner);
/* Sends `bytes`, which are taken over, as soon as the client takes them. */
void http_stream_write(struct http_request *r, struct buf *bytes);
/* False: the client, or all clients together, have enough to take for now; the writer waits for
 * `ready`. */
bool http_stream_wants_more(const struct http_request *r);
/* Completes the answer. Ends the request. */
void http_stream_end(struct http_request *r);
/* Closes the connection, so that the client sees that the answer is incomplete. Ends the request.
 */
void http_stream_abort(struct http_request *r);

#endif
