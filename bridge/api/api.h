/* SPDX-License-Identifier: MIT */
/* api.h - the HTTP API (schema/openapi.yaml) and the metrics, on their listeners.
 *
 * Handlers only translate between HTTP and core. What the API depends on must outlive it, except
 * that core modules which still owe it answers are destroyed first: then the answers never come,
 * and api_destroy() closes the requests that wait for them. */
#ifndef BANTER_BRIDGE_API_H
#define BANTER_BRIDGE_API_H

#include "base/compiler.h"

#include <stdbool.h>

struct accounts;
struct api;
struct audit;
struct audit_pages;
struct avatars;
struct cluster;
struct commands;
struct cursors;
struct db_pool;
struct door;
struct drain;
struct event_base;
struct health;
struct history;
struct indexer;
struct ingest;
struct invites;
struct keys;
struct link;
struct networks;
struct personal;
struct presence;
struct push_service;
struct rates;
struct replica;
struct revocations;
struct servers;
struct sites;
struct sync;

struct api_dependencies {
    struct event_base *base;
    struct accounts *accounts;
    struct audit *audit;
    struct audit_pages *audit_pages;
    struct avatars *avatars;
    const struct cluster *cluster; /* only asked for its numbers; or NULL */
    struct commands *commands;
    struct cursors *cursors;
    const struct drain *drain;
    struct health *health;
    struct history *history;
    struct indexer *indexer; /* only asked for its numbers */
    struct ingest *ingest;
    struct invites *invites;
    struct keys *keys;
    struct link *link;
    struct personal *personal;
    struct presence *presence;
    struct push_service *push;
    struct rates *rates;
    const struct replica *replica; /* only asked for its numbers; or NULL */
    struct revocations *revocations;
    const struct servers *servers;
    const struct sites *sites;
    struct sync *sync;
    const struct door *door;                /* only asked for its numbers */
    const char *http_socket;                /* Unix socket, to which the front door connects */
    const struct networks *trusted_proxies; /* whose X-Forwarded-For is believed */
    const char *operator_key;               /* empty: nobody is an operator; borrowed */
    unsigned hsts_seconds;                  /* as in http/server.h */
    const char *metrics_listen;             /* "127.0.0.1:9464", or NULL: no metrics */
    const char *web_root;                   /* directory of the web client, or NULL: none */
};

/* Listens from now on. `dependencies` is copied. NULL after logging why not. */
struct api *api_create(const struct api_dependencies *dependencies) MUST_USE;
/* Every request has its answer, and that has left. */
bool api_is_idle(const struct api *a);
void api_destroy(struct api *a);

#endif
