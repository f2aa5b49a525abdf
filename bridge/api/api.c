/* SPDX-License-Identifier: MIT */
/* api.c - see api.h: two listeners, each with its table of routes. */
#include "api/api.h"

#include "api/cors.h"
#include "api/pages.h"
#include "api/routes.h"
#include "base/memory.h"
#include "core/drain.h"
#include "core/health.h"
#include "http/request.h"
#include "http/server.h"

#include <stdlib.h>
#include <string.h>

enum { METRICS_CONNECTIONS_MAX = 64 };

/* Supervisors and load balancers ask to the very end. */
static bool asks_for_health(const struct http_request *request)
{
    const char *path = http_request_path(request);

    return strcmp(path, "/livez") == 0 || strcmp(path, "/readyz") == 0;
}

static void on_request(void *owner, struct http_request *request)
{
    const struct api *a = owner;
    bool stopping = health_is_stopping(a->core.health);

    cors_mark(a->core.sites, request);
    if (stopping || drain_is_on(a->core.drain))
        http_reply_header(request, "Connection", "close");
    if (stopping && !asks_for_health(request)) {
        http_reply_header(request, "Retry-After", "2");
        http_problem(request, 0, CODE_UNAVAILABLE, "the server is stopping");
        return;
    }
    route_request(&public_routes, owner, request);
}

static void on_metrics_request(void *owner, struct http_request *request)
{
    route_request(&metrics_routes, owner, request);
}

struct api *api_create(const struct api_dependencies *dependencies)
{
    struct api *a = must_calloc(1, sizeof *a);

    a->core = *dependencies;
    if (a->core.web_root && !(a->pages = pages_load(a->core.web_root)))
        goto fail;
    a->server = http_server_create(a->core.base,
                                   &(struct http_server_config){
                                       .listen = a->core.http_socket,
                                       .trusted_proxies = a->core.trusted_proxies,
                                       .hsts_seconds = a->core.hsts_seconds,
                                   },
                                   on_request, a);
    if (!a->server)
        goto fail;
    if (a->core.metrics_listen) {
        a->metrics = http_server_create(a->core.base,
                                        &(struct http_server_config){
                                            .listen = a->core.metrics_listen,
                                            .connections_max = METRICS_CONNECTIONS_MAX,
                                        },
                                        on_metrics_request, a);
        if (!a->metrics)
            goto fail;
    }
    return a;

fail:
    api_destroy(a);
    return NULL;
}

bool api_is_idle(const struct api *a)
{
    struct http_server_stats s;

    http_server_get_stats(a->server, &s);
    return s.requests_open == 0 && s.unsent == 0;
}

void api_destroy(struct api *a)
{
    if (!a)
        return;
    http_server_destroy(a->metrics);
    http_server_destroy(a->server);
    pages_free(a->pages);
    free(a);
}
