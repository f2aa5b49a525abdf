/* SPDX-License-Identifier: MIT */
/* sites.h - the web pages of all nodes: which may use this node, and where its own may connect.
 *
 * A page outlives the node that it came from. It goes on at another one, which must let it in, and
 * its policy must have named that one when it was loaded. So both lists follow what the nodes say
 * of themselves, and one that has gone stays on them for a day. Pure: time is given. */
#ifndef BANTER_BRIDGE_SITES_H
#define BANTER_BRIDGE_SITES_H

#include "base/compiler.h"

#include <stdint.h>

struct server;
struct sites;

enum {
    SITES_MAX = 256,                /* then the one that was silent longest makes room */
    SITES_SOURCES_MAX_BYTES = 4096, /* proxies take 8 KB of head */
    SITE_KEPT_MS = 24 * 60 * 60 * 1000,
};

/* What the configuration names besides: `origins` of pages, `sources` where ours may connect. NULL:
 * `sources` cannot stand in a policy, which is logged. */
struct sites *sites_create(const char *origins, const char *sources) MUST_USE;
void sites_destroy(struct sites *s);
/* Told when the origins have changed. */
typedef void sites_changed_fn(void *owner, const char *origins);
void sites_on_changed(struct sites *s, sites_changed_fn *changed, void *owner);

/* This node's own addresses, which stay. */
void sites_note_own(struct sites *s, const struct server *node);
/* Another node is there, or was not long ago. */
void sites_note(struct sites *s, const struct server *node, uint64_t now_ms);

/* Origins of pages that may use this node, as origin_is_listed() takes them. */
const char *sites_origins(const struct sites *s);
/* Where pages may connect besides their own origin: " https://b.example wss://b.example", or "". */
const char *sites_sources(const struct sites *s);

#endif
