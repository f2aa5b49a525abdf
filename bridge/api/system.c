/* SPDX-License-Identifier: MIT */
/* system.c - what tells about the server itself: index, keys, health, the API's description. */
#include "api/openapi.h"
#include "api/pages.h"
#include "api/routes.h"
#include "core/ingest.h"
#include "core/keys.h"
#include "core/revocations.h"
#include "db/db.h"
#include "link/link.h"

/* The web client for whoever asks for a page, what this is for everybody else. */
void handle_index(struct call *c)
{
    if (c->api->pages) {
        http_reply_header(c->request, "Vary", "Accept");
        if (call_wants_page(c)) {
            pages_answer(c->api->pages, slice_str("/"), c->request);
            return;
        }
    }
    call_answer_copy(c, 200,
                     slice_str("{\"service\":\"banter\",\"version\":\"" BANTER_VERSION
                               "\",\"api\":\"/v1/openapi.json\"}\n"));
}

void handle_jwks(struct call *c)
{
    struct buf copy;

    buf_init(&copy, CALL_ANSWER_MAX_BYTES);
    buf_slice_put(&copy, keys_jwks(c->core->keys));
    http_reply_header(c->request, "Cache-Control", "public, max-age=300");
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

/* Ready to carry messages: the database can be read and written, tokens can be judged, and the
 * broker is there. */
void handle_ready(struct call *c)
{
    const struct {
        const char *missing;
        bool ready;
    } needs[] = {
        {"the database cannot be read", db_pool_is_ready(c->core->pool)},
        {"the writer is not connected to the database", ingest_is_ready(c->core->ingest)},
        {"the ended logins have not been read", revocations_is_ready(c->core->revocations)},
        {"what lost connections left behind in the database may still change it",
         link_is_connected(c->core->link) || !link_is_shut(c->core->link)},
        {"the broker's plugin is not connected", link_is_connected(c->core->link)},
    };

    for (size_t i = 0; i < sizeof needs / sizeof *needs; i++) {
        if (!needs[i].ready) {
            call_refuse(c, CODE_UNAVAILABLE, needs[i].missing);
            return;
        }
    }
    call_answer_copy(c, 200, slice_str("{\"status\":\"ready\"}\n"));
}
