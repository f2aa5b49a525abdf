/* SPDX-License-Identifier: MIT */
/* servers.h - where clients may connect: this node and the others, best first.
 *
 * What a node says of itself is a JSON object, which the cluster carries; alone there is one. */
#ifndef BANTER_BRIDGE_SERVERS_H
#define BANTER_BRIDGE_SERVERS_H

#include "base/compiler.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct cluster;
struct drain;
struct presence;
struct servers;

enum {
    SERVER_NAME_MAX = 64,
    SERVER_TEXT_MAX = 256, /* of an address or a location */
    SERVERS_MAX = 1000,
};

struct server {
    char node[SERVER_NAME_MAX + 1];
    char http[SERVER_TEXT_MAX + 1]; /* URLs; empty: not told */
    char ws[SERVER_TEXT_MAX + 1];
    char mqtt[SERVER_TEXT_MAX + 1];
    char location[SERVER_TEXT_MAX + 1]; /* "eu/de/fra" */
    int64_t capacity;                   /* connections */
    int64_t connections;
    bool draining;
};

/* The object of one node. False: it is none. */
bool server_read(struct slice json, struct server *out) MUST_USE;
void server_write(struct buf *b, const struct server *s);

/* Leaves out those that are full or draining, and puts first whatever is nearest to `location` (has
 * most segments of it in common), then whatever has least load; who is about the same is in an
 * order that depends on `chance`. Returns how many are left. */
size_t servers_rank(struct server *list, size_t count, struct slice location, uint64_t chance);

struct servers_config {
    const char *node; /* all copied */
    const char *http;
    const char *ws;
    const char *mqtt;
    const char *location;
    unsigned capacity;
    const struct presence *presence;
    const struct drain *drain;
};

/* NULL: a setting is too long, which is logged. */
struct servers *servers_create(const struct servers_config *config) MUST_USE;
void servers_destroy(struct servers *s);
void servers_set_cluster(struct servers *s, const struct cluster *cluster);
struct server servers_own(const struct servers *s);
/* What this node says of itself. */
void servers_describe(void *servers, struct buf *b);
/* The answer to a client: {"servers":[…]}. */
void servers_list(const struct servers *s, struct slice location, struct buf *out);

#endif
