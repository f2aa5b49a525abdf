/* SPDX-License-Identifier: MIT */
/* api.c - see api.h: two listeners, each with its table of routes. */
#include "api/api.h"

#include "api/pages.h"
#include "api/routes.h"
#include "base/memory.h"

#include <stdlib.h>

enum { METRICS_CONNECTIONS_MAX = 64 };

static void on_request(void *owner, struct http_request *request)
{
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

void api_destroy(struct api *a)
{
    if (!a)
        return;
    http_server_destroy(a->metrics);
    http_server_destroy(a->server);
    pages_free(a->pages);
    free(a);
}
