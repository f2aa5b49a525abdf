/* SPDX-License-Identifier: MIT */
/* pair.c - relays bytes when they are due, no earlier, and in order.
 *
 * What has been read waits in a list of chunks, each with the time at which it may leave. The list
 * is bounded: when it is full nothing more is read, and the sender's window closes as it would. */
#include "pair.h"

#include "base/clock.h"
#include "base/memory.h"

#include <assert.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <stdlib.h>
#include <unistd.h>

enum { ON_THE_WAY_MAX_BYTES = 256 * 1024, CHUNK_MAX_BYTES = 16 * 1024 };

struct chunk {
    struct chunk *next;
    uint64_t due_us;
    struct evbuffer *bytes; /* NULL: the end of the stream */
};

struct flow {
    struct pair *pair;
    struct bufferevent *from; /* one side's, read here; the other flow writes it */
    struct chunk *first, **last;
    size_t waiting_bytes;
    uint64_t last_due_us; /* of what was queued last: nothing overtakes */
    bool ended;           /* `from` has, and will say nothing more */
    struct event *timer;
};

struct pair {
    struct route *route;
    struct pair *next, **link;
    struct flow flows[DIRECTIONS]; /* UPWARDS reads the client, DOWNWARDS the server */
    bool half;                     /* the server's side is gone */
};

static struct bufferevent *target_of(const struct flow *f)
{
    const struct pair *p = f->pair;

    return p->flows[f == &p->flows[UPWARDS] ? DOWNWARDS : UPWARDS].from;
}

static bool is_held(const struct flow *f)
{
    return f->pair->route->held[f == &f->pair->flows[UPWARDS] ? UPWARDS : DOWNWARDS];
}

static uint64_t due_of(struct flow *f, size_t bytes)
{
    const struct route *r = f->pair->route;
    uint64_t now = clock_monotonic_us();
    uint64_t due = now + r->delay_ms * UINT64_C(1000);

    if (r->jitter_ms > 0)
        due += route_random(r->jitter_ms * 1000);
    if (due < f->last_due_us)
        due = f->last_due_us;
    if (r->bytes_per_s > 0)
        due += bytes * UINT64_C(1000000) / r->bytes_per_s;
    f->last_due_us = due;
    return due;
}

static void append(struct flow *f, struct evbuffer *bytes)
{
    struct chunk *c = must_calloc(1, sizeof *c);

    c->bytes = bytes;
    c->due_us = due_of(f, bytes ? evbuffer_get_length(bytes) : 0);
    *f->last = c;
    f->last = &c->next;
    f->waiting_bytes += bytes ? evbuffer_get_length(bytes) : 0;
}

static struct chunk *take_first(struct flow *f)
{
    struct chunk *c = f->first;

    f->first = c->next;
    if (!f->first)
        f->last = &f->first;
    f->waiting_bytes -= c->bytes ? evbuffer_get_length(c->bytes) : 0;
    return c;
}

static void free_chunk(struct chunk *c)
{
    if (c->bytes)
        evbuffer_free(c->bytes);
    free(c);
}

/* Reads what has come, as far as there is room. */
static void fill(struct flow *f)
{
    struct evbuffer *input = bufferevent_get_input(f->from);

    while (evbuffer_get_length(input) > 0 && f->waiting_bytes < ON_THE_WAY_MAX_BYTES) {
        struct evbuffer *bytes = evbuffer_new();

        if (!bytes)
            abort();
        evbuffer_remove_buffer(input, bytes, CHUNK_MAX_BYTES);
        append(f, bytes);
    }
    if (f->waiting_bytes < ON_THE_WAY_MAX_BYTES && !f->ended)
        bufferevent_enable(f->from, EV_READ);
    else
        bufferevent_disable(f->from, EV_READ);
}

static void wait_for(struct flow *f, uint64_t us)
{
    struct timeval delay = {.tv_sec = (time_t)(us / 1000000), .tv_usec = (long)(us % 1000000)};

    event_add(f->timer, &delay);
}

/* Passes on what is due. Returns false when that was the end, and the pair is gone. */
static bool drain(struct flow *f)
{
    struct bufferevent *target = target_of(f);

    while (f->first && !is_held(f)) {
        uint64_t now = clock_monotonic_us();
        size_t unsent = evbuffer_get_length(bufferevent_get_output(target));
        struct chunk *c;

        if (unsent > (f->first->bytes ? ON_THE_WAY_MAX_BYTES : 0))
            return true; /* on_written() goes on */
        if (f->first->due_us > now) {
            wait_for(f, f->first->due_us - now);
            return true;
        }
        c = take_first(f);
        if (!c->bytes) {
            free_chunk(c);
            pair_close(f->pair, false);
            return false;
        }
        bufferevent_write_buffer(target, c->bytes);
        free_chunk(c);
    }
    return true;
}

static void turn(struct flow *f)
{
    fill(f);
    if (drain(f))
        fill(f);
}

static void on_timer(evutil_socket_t fd, short what, void *argument)
{
    (void)fd, (void)what;
    turn(argument);
}

static void on_read(struct bufferevent *from, void *argument)
{
    struct flow *f = argument;
    struct evbuffer *input = bufferevent_get_input(from);

    if (f->pair->half)
        evbuffer_drain(input, evbuffer_get_length(input));
    else
        turn(f);
}

/* What was written to this side has left, so more may come from the other. */
static void on_written(struct bufferevent *side, void *argument)
{
    struct flow *f = argument;
    struct pair *p = f->pair;

    (void)side;
    if (!p->half)
        turn(&p->flows[f == &p->flows[UPWARDS] ? DOWNWARDS : UPWARDS]);
}

static void on_event(struct bufferevent *side, short what, void *argument)
{
    struct flow *f = argument;

    (void)side;
    if (what & BEV_EVENT_CONNECTED)
        return;
    if (f->pair->half || (what & BEV_EVENT_ERROR && !is_held(f))) {
        pair_close(f->pair, !f->pair->half);
    } else if (!f->ended) {
        f->ended = true;
        fill(f);
        append(f, NULL);
        drain(f);
    }
}

static bool open_flow(struct pair *p, enum direction d, int fd)
{
    struct flow *f = &p->flows[d];

    f->pair = p;
    f->last = &f->first;
    f->from = bufferevent_socket_new(p->route->base, fd, BEV_OPT_CLOSE_ON_FREE);
    if (!f->from)
        return false;
    f->timer = event_new(p->route->base, -1, 0, on_timer, f);
    if (!f->timer)
        abort();
    bufferevent_setcb(f->from, on_read, on_written, on_event, f);
    return true;
}

void pair_open(struct route *r, int client)
{
    struct pair *p = must_calloc(1, sizeof *p);
    const struct address_of_route *to = &r->upstream;

    p->route = r;
    p->next = r->pairs;
    p->link = &r->pairs;
    if (p->next)
        p->next->link = &p->next;
    r->pairs = p;
    if (!open_flow(p, UPWARDS, client) || !open_flow(p, DOWNWARDS, -1))
        abort();
    bufferevent_enable(p->flows[UPWARDS].from, EV_READ | EV_WRITE);
    bufferevent_enable(p->flows[DOWNWARDS].from, EV_READ | EV_WRITE);
    /* When it is refused, on_event() hears of it; when it cannot even be tried, nobody does. */
    if (bufferevent_socket_connect(p->flows[DOWNWARDS].from, (const struct sockaddr *)&to->name,
                                   to->length) < 0)
        pair_close(p, true);
}

struct pair *pair_next(const struct pair *p)
{
    return p->next;
}

/* A rate that is no more keeps nothing back: otherwise a full list would trickle for minutes. */
static void hasten(struct flow *f)
{
    const struct route *r = f->pair->route;
    uint64_t latest = clock_monotonic_us() + (r->delay_ms + r->jitter_ms) * UINT64_C(1000);

    if (r->bytes_per_s > 0)
        return;
    for (struct chunk *c = f->first; c; c = c->next) {
        if (c->due_us > latest)
            c->due_us = latest;
    }
    if (f->last_due_us > latest)
        f->last_due_us = latest;
}

void pair_wake(struct pair *p)
{
    if (p->half)
        return;
    hasten(&p->flows[UPWARDS]);
    hasten(&p->flows[DOWNWARDS]);
    fill(&p->flows[UPWARDS]);
    fill(&p->flows[DOWNWARDS]);
    if (drain(&p->flows[UPWARDS]))
        drain(&p->flows[DOWNWARDS]);
}

static void close_flow(struct flow *f, bool reset)
{
    const struct linger at_once = {.l_onoff = 1, .l_linger = 0};

    while (f->first)
        free_chunk(take_first(f));
    event_free(f->timer);
    if (reset && bufferevent_getfd(f->from) >= 0)
        setsockopt(bufferevent_getfd(f->from), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    bufferevent_free(f->from);
}

void pair_close(struct pair *p, bool reset)
{
    *p->link = p->next;
    if (p->next)
        p->next->link = p->link;
    close_flow(&p->flows[UPWARDS], reset);
    if (!p->half)
        close_flow(&p->flows[DOWNWARDS], reset);
    free(p);
}

void pair_halve(struct pair *p)
{
    assert(!p->half);
    p->half = true;
    close_flow(&p->flows[DOWNWARDS], false);
    event_del(p->flows[UPWARDS].timer);
}

bool pair_is_half(const struct pair *p)
{
    return p->half;
}
