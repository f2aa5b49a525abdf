/* SPDX-License-Identifier: MIT */
/* gate.c - stands between a connection's bytes and evhttp, and lets one whole, clean request pass
 * at a time.
 *
 * evhttp 2.1 accepts folded lines, bare LF and NUL, has no deadline for a request as a whole, and
 * answers malformed ones by itself with an HTML page. So the gate takes everything out of the input
 * buffer as it arrives (an evbuffer callback may do that), and puts a request back when framing.h
 * says that it is whole. In place of a request that is refused evhttp gets a stand-in, and
 * http_request_arrived() answers it with the refusal and closes. */
#include "base/memory.h"
#include "http/internal.h"

#include <assert.h>
#include <event2/buffer.h>
#include <stdlib.h>
#include <sys/socket.h>

enum {
    TRANSFER_MAX_BYTES = 256 << 10, /* written in one turn of the loop */
    INPUT_MAX_BYTES = 64 << 10,     /* read in one; and in all behind a request not yet answered */
};

/* Reading stops while there is so much in the input buffer. */
static void set_room(struct http_connection *c, size_t bytes)
{
    bufferevent_setwatermark(c->bev, EV_READ, 0, bytes);
}

/* Keeps the server's number of received bytes right. */
static void count_held(struct http_connection *c)
{
    size_t length = evbuffer_get_length(c->held);

    c->server->stats.received += length - c->held_counted;
    c->held_counted = length;
}

/* Lets the first `length` held bytes pass; evhttp reads them when its callback runs next. */
static void pass(struct http_connection *c, size_t length)
{
    struct evbuffer *input = bufferevent_get_input(c->bev);

    c->moving = true;
    evbuffer_unfreeze(input, 0); /* bufferevents freeze it against all but themselves */
    evbuffer_remove_buffer(c->held, input, length);
    evbuffer_freeze(input, 0);
    c->moving = false;
    count_held(c);
    c->fed = 0;
    c->busy = true;
    c->arrived = false;
    set_room(c, c->held_counted < INPUT_MAX_BYTES ? INPUT_MAX_BYTES - c->held_counted : 1);
    http_framing_start(&c->framing, c->server->config.body_max);
    event_del(c->deadline);
}

static void refuse(struct http_connection *c, struct http_refusal refusal)
{
    static const char stand_in[] = "GET / HTTP/1.1\r\nHost: refused\r\nConnection: close\r\n\r\n";

    c->refusal = refusal;
    c->server->stats.refused++;
    evbuffer_drain(c->held, evbuffer_get_length(c->held));
    evbuffer_add(c->held, stand_in, sizeof stand_in - 1);
    pass(c, sizeof stand_in - 1);
}

/* Nothing else can be waiting to be written: evhttp gets no request before the body is complete. */
static void send_continue(struct http_connection *c)
{
    static const char line[] = "HTTP/1.1 100 Continue\r\n\r\n";

    /* Should it fail, the client sends the body all the same after a while (RFC 9110 10.1.1). */
    (void)!send(bufferevent_getfd(c->bev), line, sizeof line - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static enum http_verdict judge_head(struct http_connection *c)
{
    size_t length = c->framing.head_length;
    const unsigned char *head = evbuffer_pullup(c->held, (ev_ssize_t)length);
    enum http_verdict verdict;

    assert(head);
    verdict = http_framing_head(&c->framing, slice_of((const char *)head, length));
    if (verdict == HTTP_PARTIAL && c->framing.head.expects_continue &&
        evbuffer_get_length(c->held) == length)
        send_continue(c);
    return verdict;
}

/* Feeds what is held and has not been looked at. */
static enum http_verdict feed(struct http_connection *c)
{
    enum http_verdict verdict = HTTP_PARTIAL;

    while (verdict == HTTP_PARTIAL && c->fed < evbuffer_get_length(c->held)) {
        struct evbuffer_ptr at;
        struct evbuffer_iovec piece;
        size_t used;

        evbuffer_ptr_set(c->held, &at, c->fed, EVBUFFER_PTR_SET);
        evbuffer_peek(c->held, -1, &at, &piece, 1);
        assert(piece.iov_len > 0);
        verdict = http_framing_feed(&c->framing, slice_of(piece.iov_base, piece.iov_len), &used);
        c->fed += used;
        if (verdict == HTTP_HEAD)
            verdict = judge_head(c);
    }
    if (verdict == HTTP_PARTIAL && c->framing.refusal.status != 0) {
        evbuffer_drain(c->held, c->fed);
        c->fed = 0;
    }
    return verdict;
}

/* Many large bodies at once must not take all memory; small requests go on. */
static bool is_too_much(const struct http_connection *c)
{
    return c->server->stats.received > c->server->config.received_max &&
           c->held_counted > HTTP_HEAD_MAX_BYTES;
}

/* Looks at what is held. True: something passed. */
static bool advance(struct http_connection *c)
{
    struct timeval patience = http_timeval(c->server->config.receive_timeout_ms);
    enum http_verdict verdict;

    if (c->busy || evbuffer_get_length(c->held) == 0)
        return false;
    verdict = feed(c);
    count_held(c);
    if (verdict == HTTP_WHOLE) {
        pass(c, c->fed);
    } else if (verdict == HTTP_REFUSED) {
        refuse(c, c->framing.refusal);
    } else if (is_too_much(c)) {
        refuse(c, (struct http_refusal){503, "the server is receiving too much, try again"});
    } else {
        set_room(c, INPUT_MAX_BYTES);
        if (!event_pending(c->deadline, EV_TIMEOUT, NULL))
            event_add(c->deadline, &patience);
        return false;
    }
    return true;
}

/* Takes what has arrived out of the input buffer. It is copied: moved in place, every single byte
 * of a client that sends one at a time would keep a block of memory. */
static void take(struct http_connection *c, struct evbuffer *input)
{
    size_t length = evbuffer_get_length(input);

    c->moving = true;
    if (c->refusal.status == 0 && evbuffer_add(c->held, evbuffer_pullup(input, -1), length) != 0)
        abort(); /* out of memory */
    evbuffer_drain(input, length);
    c->moving = false;
    count_held(c);
}

/* Whether what the client sends now waits in the input buffer, which evhttp does not look at during
 * an answer: whoever sends without reading is read no further than there is room. */
static bool has_to_wait(const struct http_connection *c)
{
    return c->busy && c->arrived && c->refusal.status == 0;
}

/* The input buffer changed. evhttp empties it whenever it is called, so all of it is news. */
static void input_changed(struct evbuffer *input, const struct evbuffer_cb_info *info, void *owner)
{
    struct http_connection *c = owner;

    if (c->moving || info->n_added == 0 || has_to_wait(c))
        return;
    take(c, input);
    advance(c); /* the bufferevent calls evhttp next, whether anything passed or not */
}

/* The client took too long to send a request. */
static void receive_deadline(evutil_socket_t fd, short what, void *owner)
{
    struct http_connection *c = owner;

    (void)fd, (void)what;
    assert(!c->busy);
    refuse(c, (struct http_refusal){408, "the request did not arrive completely in time"});
    bufferevent_trigger(c->bev, EV_READ, 0);
}

void http_gate_free(struct http_connection *c)
{
    evbuffer_drain(c->held, evbuffer_get_length(c->held));
    count_held(c);
    event_free(c->turn);
    event_free(c->deadline);
    evbuffer_free(c->held);
    free(c);
}

/* libevent frees a bufferevent in a later turn of the loop; the server, which counts what has not
 * left, may be gone by then. */
static void drop_unsent(struct http_connection *c)
{
    struct evbuffer *output = bufferevent_get_output(c->bev);

    evbuffer_unfreeze(output, 1); /* bufferevents freeze it against all but themselves */
    evbuffer_drain(output, evbuffer_get_length(output));
    evbuffer_freeze(output, 1);
}

static void closed(struct evhttp_connection *evhttp, void *owner)
{
    struct http_connection *c = owner;

    (void)evhttp;
    if (c->request)
        http_request_lost(c->request);
    evbuffer_remove_cb(bufferevent_get_input(c->bev), input_changed, c);
    drop_unsent(c);
    http_server_closed(c->server, c);
    http_gate_free(c);
}

/* evhttp makes its connection object right after http_gate_open() and is itself the argument of the
 * bufferevent's callbacks: before the first request that is the only way to learn of it. */
static void attach(struct http_connection *c)
{
    void *evhttp;

    bufferevent_getcb(c->bev, NULL, NULL, NULL, &evhttp);
    assert(evhttp_connection_get_bufferevent(evhttp) == c->bev);
    c->evhttp = evhttp;
    c->peer = http_peer_of(bufferevent_getfd(c->bev));
    evhttp_connection_set_closecb(evhttp, closed, c);
    http_server_attached(c->server, c);
}

static void turn(evutil_socket_t fd, short what, void *owner)
{
    struct http_connection *c = owner;

    (void)fd, (void)what;
    if (!c->evhttp)
        attach(c);
    else if (advance(c))
        bufferevent_trigger(c->bev, EV_READ, 0);
}

void http_gate_answered(struct http_connection *c)
{
    c->busy = false;
    take(c, bufferevent_get_input(c->bev)); /* before evhttp looks at it again */
    if (evbuffer_get_length(c->held) > 0)
        event_active(c->turn, EV_TIMEOUT, 0); /* evhttp is not ready for it before it returns */
}

struct bufferevent *http_gate_open(struct event_base *base, void *server)
{
    struct http_connection *c = must_calloc(1, sizeof *c);

    c->server = server;
    c->bev = bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE);
    c->held = evbuffer_new();
    c->turn = event_new(base, -1, 0, turn, c);
    c->deadline = event_new(base, -1, 0, receive_deadline, c);
    if (!c->bev || !c->held || !c->turn || !c->deadline ||
        !evbuffer_add_cb(bufferevent_get_input(c->bev), input_changed, c))
        abort(); /* out of memory */
    set_room(c, INPUT_MAX_BYTES);
    bufferevent_set_max_single_write(c->bev, TRANSFER_MAX_BYTES);
    http_framing_start(&c->framing, c->server->config.body_max);
    http_server_opened(c->server, c);
    /* Runs before the loop waits again, and so before anything can happen on the new socket. */
    event_active(c->turn, EV_TIMEOUT, 0);
    return c->bev;
}
