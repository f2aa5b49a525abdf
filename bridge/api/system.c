/* SPDX-License-Identifier: MIT */
/* system.c - what tells about the server itself: index, keys, health, the API's description. */
#include "api/openapi.h"
#include "api/pages.h"
#include "api/routes.h"
#include "core/health.h"
#include "core/keys.h"
#include "core/sites.h"

#include <stdio.h>

/* The web client for whoever asks for a page, what this is for everybody else. */
void handle_index(struct call *c)
{
    if (c->api->pages) {
        http_reply_header(c->request, "Vary", "Accept");
        if (call_wants_page(c)) {
            pages_answer(c->api->pages, slice_str("/"), sites_sources(c->core->sites), c->request);
            return;
        }
    }
    call_answer_copy(c, 200,
                     slice_str("{\"service\":\"banter\",\"version\":\"" BANTER_VERSION
                               "\",\"api\":\"/v1/openapi.json\"}\n"));
}

void handle_jwks(struct call *c)
{
    char max_age[40];
    struct buf copy;

    buf_init(&copy, CALL_ANSWER_MAX_BYTES);
    buf_slice_put(&copy, keys_jwks(c->core->keys));
    snprintf(max_age, sizeof max_age, "public, max-age=%u", keys_jwks_max_age_s(c->core->keys));
    http_reply_header(c->request, "Cache-Control", max_age);
    http_reply(c->request, 200, "application/jwk-set+json", &copy);
}

void handle_openapi(struct call *c)
{
    call_answer_copy(c, 200, slice_of(openapi_json, openapi_json_length));
}

void handle_live(struct call *c)
{
    call_answer_copy(c, 200, slice_str("{\"status\":\"live\"}\n"));
}

void handle_ready(struct call *c)
{
    const char *reason = health_why_not(c->core->health);

    if (reason)
        call_refuse(c, CODE_UNAVAILABLE, reason);
    else
        call_answer_copy(c, 200, slice_str("{\"status\":\"ready\"}\n"));
}
