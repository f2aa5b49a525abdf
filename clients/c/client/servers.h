/* SPDX-License-Identifier: MIT */
/* servers.h - where the servers of one Banter are, and which one is used. Those that the program
 * named stay for good; those that a server named are replaced when one names others. */
#ifndef BANTER_CLIENT_SERVERS_H
#define BANTER_CLIENT_SERVERS_H

#include "banter/banter.h"
#include "base/compiler.h"

#include <jansson.h>
#include <stddef.h>

enum {
    SERVERS_NAMED_MAX = 16,
    SERVERS_FOUND_MAX = 16,
    ADDRESS_MAX_BYTES = 1024,
};

struct address {
    char *api;  /* without a slash at the end */
    char *mqtt; /* as MQTT libraries take it */
};

struct servers {
    struct address list[SERVERS_NAMED_MAX + SERVERS_FOUND_MAX];
    size_t named; /* the first ones */
    size_t count; /* all */
    size_t current;
};

/* BANTER_INVALID: an address is not one; BANTER_NO_MEMORY. *out is always to be finished. */
int servers_init(struct servers *out, const struct banter_server *named, size_t count) MUST_USE;
void servers_finish(struct servers *s);
const struct address *servers_current(const struct servers *s);
/* Fails over: the next one in turn is the current one. */
void servers_next(struct servers *s);
/* Takes the answer of GET /v1/servers: nodes, best first, each with "http", "ws" and "mqtt", or
 * what it has of them. Passed over is what is no address, and what is not encrypted where the
 * current one is. The current one stays the current one. BANTER_NO_MEMORY: some may be missing. */
int servers_found(struct servers *s, const json_t *answer) MUST_USE;

#endif
