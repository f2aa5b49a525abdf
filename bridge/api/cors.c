/* SPDX-License-Identifier: MIT */
/* cors.c - see cors.h; https://fetch.spec.whatwg.org/#http-cors-protocol has the fields. */
#include "api/cors.h"

#include "base/origin.h"
#include "core/sites.h"
#include "http/request.h"

#include <string.h>

static const char allowed_fields[] = "Authorization, Content-Type, Idempotency-Key, If-None-Match";
static const char exposed_fields[] = "ETag, Retry-After, X-Request-Id";
static const char preflight_seconds[] = "600";

/* The page's origin, as its browser writes it, if it may ask; or NULL. */
static const char *admitted_origin(const struct sites *sites, const struct http_request *request)
{
    const char *origin = http_request_header(request, "Origin");

    return origin && origin_is_listed(sites_origins(sites), slice_str(origin)) ? origin : NULL;
}

static bool is_of_the_api(const char *path)
{
    return strncmp(path, "/v1/", 4) == 0 || strncmp(path, "/join/", 6) == 0;
}

void cors_mark(const struct sites *sites, struct http_request *request)
{
    const char *origin;

    if (!is_of_the_api(http_request_path(request)))
        return;
    /* Also for those that have none: a browser must not give one page the answer of another. */
    http_reply_header(request, "Vary", "Origin");
    origin = admitted_origin(sites, request);
    if (!origin)
        return;
    http_reply_header(request, "Access-Control-Allow-Origin", origin);
    http_reply_header(request, "Access-Control-Expose-Headers", exposed_fields);
}

void cors_allow(const struct sites *sites, struct http_request *request, const char *methods)
{
    if (!is_of_the_api(http_request_path(request)) || !admitted_origin(sites, request))
        return;
    http_reply_header(request, "Access-Control-Allow-Methods", methods);
    http_reply_header(request, "Access-Control-Allow-Headers", allowed_fields);
    http_reply_header(request, "Access-Control-Max-Age", preflight_seconds);
}
