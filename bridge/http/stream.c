/* SPDX-License-Identifier: MIT */
/* stream.c - see request.h: answers of unknown length, at the speed of their reader.
 *
 * A reader that takes nothing at all for the idle timeout is cut off by the connection's write
 * timeout, so a stream needs no deadline of its own. */
#include "base/buf.h"
#include "http/internal.h"

#include <assert.h>
#include <event2/buffer.h>
#include <stdlib.h>

enum { WINDOW_BYTES = 1 << 20 }; /* written and not taken, beyond which a client has enough */

void http_stream_begin(struct http_request *r, int status, const char *content_type,
                       http_stream_ready_fn *ready, void *owner)
{
    assert(!r->ready && ready);
    r->ready = ready;
    r->ready_owner = owner;
    if (!r->evhttp)
        return;
    assert(http_request_method(r) != HTTP_METHOD_HEAD);
    event_del(r->deadline);
    evhttp_send_reply_start(r->evhttp, status, http_reply_prepare(r, status, content_type));
}

static void drained(struct evhttp_connection *evhttp, void *owner)
{
    struct http_request *r = owner;

    (void)evhttp;
    r->ready(r->ready_owner);
}

void http_stream_write(struct http_request *r, struct buf *bytes)
{
    size_t length = bytes->length;
    char *data = buf_detach(bytes);
    struct evbuffer *chunk;

    assert(r->ready && data);
    if (!r->evhttp || length == 0) {
        free(data);
        return;
    }
    chunk = evbuffer_new();
    if (!chunk)
        abort(); /* out of memory */
    http_reply_add(r->server, chunk, data, length);
    evhttp_send_reply_chunk_with_cb(r->evhttp, chunk, drained, r);
    evbuffer_free(chunk);
}

/* A client that has taken everything always wants more: nothing else would wake its writer. */
bool http_stream_wants_more(const struct http_request *r)
{
    const struct http_server *s = r->server;
    size_t pending;

    if (!r->connection)
        return false;
    pending = evbuffer_get_length(bufferevent_get_output(r->connection->bev));
    return pending == 0 || (pending <= WINDOW_BYTES && s->stats.unsent <= s->config.unsent_max);
}

void http_stream_end(struct http_request *r)
{
    struct evhttp_request *evhttp = http_request_detach(r);

    r->ready = NULL;
    if (evhttp)
        evhttp_send_reply_end(evhttp);
    http_request_free(r);
}

void http_stream_abort(struct http_request *r)
{
    struct http_connection *c = r->connection;

    r->ready = NULL;
    if (c)
        http_log_abort(r);
    (void)http_request_detach(r); /* evhttp frees its part with the connection */
    if (c)
        evhttp_connection_free(c->evhttp);
    http_request_free(r);
}
