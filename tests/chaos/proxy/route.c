/* SPDX-License-Identifier: MIT */
/* route.c - listens, and turns commands into conditions and blows. */
#include "route.h"

#include "base/address.h"
#include "base/memory.h"
#include "base/unix_socket.h"
#include "pair.h"

#include <errno.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

enum {
    BACKLOG = 1024,
    SPEC_MAX_BYTES = 255,
    PERCENT = 100,
    ANYBODY = 0666, /* the directory says who may come */
};

static uint64_t random_state = 1;

void route_seed(uint64_t seed)
{
    random_state = seed ? seed : 1;
}

/* xorshift64: the same strokes for the same seed. */
uint32_t route_random(uint32_t limit)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)((random_state >> 32) % limit);
}

static bool strikes(uint32_t percent)
{
    return route_random(PERCENT) < percent;
}

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *from,
                      int length, void *argument)
{
    const struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    struct route *r = argument;

    (void)listener, (void)from, (void)length;
    if (strikes(r->refused_percent)) {
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
        close(fd);
    } else {
        pair_open(r, fd);
    }
}

static bool parse_upstream(struct address_of_route *out, const char *text)
{
    struct sockaddr_un path;

    if (!strchr(text, '/'))
        return address_parse_listen(text, &out->name, &out->length);
    if (!unix_socket_address(&path, text))
        return false;
    memcpy(&out->name, &path, sizeof path);
    out->length = sizeof path;
    return true;
}

static struct evconnlistener *listen_on(struct route *r, const char *text)
{
    const unsigned flags = LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_REUSEABLE;
    struct sockaddr_storage name;
    int fd, length;

    if (strchr(text, '/')) {
        fd = unix_socket_listen(text, ANYBODY, BACKLOG);
        return fd < 0 ? NULL : evconnlistener_new(r->base, on_accept, r, flags, 0, fd);
    }
    if (!address_parse_listen(text, &name, &length)) {
        errno = EINVAL;
        return NULL;
    }
    return evconnlistener_new_bind(r->base, on_accept, r, flags, BACKLOG,
                                   (const struct sockaddr *)&name, length);
}

struct route *route_create(struct event_base *base, const char *spec)
{
    struct route *r = must_calloc(1, sizeof *r);
    char text[SPEC_MAX_BYTES + 1] = "";
    char *listen = NULL, *upstream = NULL;

    r->base = base;
    if (strlen(spec) <= SPEC_MAX_BYTES) {
        memcpy(text, spec, strlen(spec) + 1);
        listen = strchr(text, '=');
        upstream = strchr(text, ',');
    }
    if (!listen || !upstream || listen > upstream || listen - text > ROUTE_NAME_MAX) {
        fprintf(stderr, "%s: not NAME=LISTEN,UPSTREAM\n", spec);
        goto fail;
    }
    *listen++ = *upstream++ = '\0';
    memcpy(r->name, text, strlen(text) + 1);
    if (!parse_upstream(&r->upstream, upstream)) {
        fprintf(stderr, "%s: not an address\n", upstream);
        goto fail;
    }
    r->listener = listen_on(r, listen);
    if (r->listener)
        return r;
    fprintf(stderr, "cannot listen on %s: %s\n", listen, strerror(errno));
fail:
    free(r);
    return NULL;
}

/* ---- commands: each gets up to two numbers ---- */

static void set_delay(struct route *r, uint32_t ms, uint32_t jitter_ms)
{
    r->delay_ms = ms;
    r->jitter_ms = jitter_ms;
}

static void set_rate(struct route *r, uint32_t bytes_per_s, uint32_t unused)
{
    (void)unused;
    r->bytes_per_s = bytes_per_s;
}

static void set_held(struct route *r, uint32_t upwards, uint32_t downwards)
{
    r->held[UPWARDS] = upwards != 0;
    r->held[DOWNWARDS] = downwards != 0;
}

static void set_refused(struct route *r, uint32_t percent, uint32_t unused)
{
    (void)unused;
    r->refused_percent = percent;
}

static void close_share(struct route *r, uint32_t percent, bool reset)
{
    struct pair *next;

    for (struct pair *p = r->pairs; p; p = next) {
        next = pair_next(p);
        if (strikes(percent))
            pair_close(p, reset);
    }
}

static void cut(struct route *r, uint32_t percent, uint32_t unused)
{
    (void)unused;
    close_share(r, percent, false);
}

static void reset(struct route *r, uint32_t percent, uint32_t unused)
{
    (void)unused;
    close_share(r, percent, true);
}

static void halve(struct route *r, uint32_t percent, uint32_t unused)
{
    (void)unused;
    for (struct pair *p = r->pairs; p; p = pair_next(p))
        if (!pair_is_half(p) && strikes(percent))
            pair_halve(p);
}

/* Everything is as it was; who still talks to nobody learns it. */
static void calm(struct route *r, uint32_t unused, uint32_t unused_too)
{
    struct pair *next;

    (void)unused, (void)unused_too;
    set_delay(r, 0, 0);
    set_rate(r, 0, 0);
    set_held(r, 0, 0);
    set_refused(r, 0, 0);
    for (struct pair *p = r->pairs; p; p = next) {
        next = pair_next(p);
        if (pair_is_half(p))
            pair_close(p, true);
    }
}

static const struct verb {
    const char *name;
    void (*act)(struct route *r, uint32_t first, uint32_t second);
} VERBS[] = {
    {"calm", calm},          /* */
    {"cut", cut},            /* PERCENT of the connections, with FIN */
    {"delay", set_delay},    /* MS JITTER */
    {"halve", halve},        /* PERCENT of the connections */
    {"hold", set_held},      /* UPWARDS DOWNWARDS, each 0 or 1 */
    {"rate", set_rate},      /* BYTES a second */
    {"refuse", set_refused}, /* PERCENT of new connections */
    {"reset", reset},        /* PERCENT of the connections, with RST */
};

bool route_obey(struct route *r, const char *command)
{
    char name[16];
    unsigned first = 0, second = 0;
    struct pair *next;

    if (sscanf(command, "%15s %u %u", name, &first, &second) < 1)
        return false;
    for (size_t i = 0; i < sizeof VERBS / sizeof *VERBS; i++) {
        if (strcmp(VERBS[i].name, name) != 0)
            continue;
        VERBS[i].act(r, first, second);
        for (struct pair *p = r->pairs; p; p = next) {
            next = pair_next(p);
            pair_wake(p);
        }
        return true;
    }
    return false;
}
