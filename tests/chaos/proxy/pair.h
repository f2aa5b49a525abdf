/* SPDX-License-Identifier: MIT */
/* pair.h - one connection through the proxy: a client's socket, the server's, and what is on its
 * way between them.
 *
 * A pair belongs to its route's list and frees itself when either side ends and what came before
 * that end has been passed on. */
#ifndef BANTER_CHAOS_PAIR_H
#define BANTER_CHAOS_PAIR_H

#include "route.h"

/* Connects to the upstream of `r` and relays; takes `client`, and closes it when that fails. */
void pair_open(struct route *r, int client);
struct pair *pair_next(const struct pair *p);
/* Looks again at what may move, after the conditions of the route have changed. */
void pair_wake(struct pair *p);
/* Ends both sides, with FIN or with RST. The pair is freed. */
void pair_close(struct pair *p, bool reset);
/* The server sees the end of the connection, the client does not: its bytes go nowhere. */
void pair_halve(struct pair *p);
bool pair_is_half(const struct pair *p);

#endif
