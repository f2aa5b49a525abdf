/* SPDX-License-Identifier: MIT */
/* route.h - one address that the proxy listens on, the one behind it, and what ails the way there.
 *
 * A route is made once and lives as long as the process. Conditions apply to bytes that arrive from
 * then on, and to every connection of the route; what strikes a share of the connections strikes
 * those that are open at that moment. Two connections are never ordered against each other, so
 * jitter reorders what devices see of different connections; within one, TCP keeps its promise. */
#ifndef BANTER_CHAOS_ROUTE_H
#define BANTER_CHAOS_ROUTE_H

#include "base/compiler.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

struct event_base;
struct evconnlistener;
struct pair;

enum { ROUTE_NAME_MAX = 15 };

enum direction { UPWARDS, DOWNWARDS, DIRECTIONS }; /* towards the server, towards the client */

struct address_of_route {
    struct sockaddr_storage name;
    int length;
};

struct route {
    char name[ROUTE_NAME_MAX + 1];
    struct address_of_route upstream;
    struct event_base *base;
    struct evconnlistener *listener;
    struct pair *pairs; /* those that are open, newest first */
    uint32_t delay_ms;
    uint32_t jitter_ms;       /* at most this much on top */
    uint32_t bytes_per_s;     /* 0: as many as come; for each connection and direction */
    bool held[DIRECTIONS];    /* nothing arrives any more, as in a network that lost its way */
    uint32_t refused_percent; /* of new connections */
};

/* Listens. `spec` is NAME=LISTEN,UPSTREAM; an address is HOST:PORT or, with a slash, a path. Prints
 * why to stderr and returns NULL when it cannot be. */
struct route *route_create(struct event_base *base, const char *spec) MUST_USE;
/* Obeys one command, such as "delay 50 20". False: not a command. */
bool route_obey(struct route *r, const char *command) MUST_USE;

/* A number below `limit`, from the seed that route_seed() was given. */
uint32_t route_random(uint32_t limit);
void route_seed(uint64_t seed);

#endif
