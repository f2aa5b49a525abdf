/* SPDX-License-Identifier: MIT */
/* servers.c - which node to connect to: for whoever is about to log in or to come back. */
#include "core/servers.h"
#include "api/routes.h"

void handle_servers(struct call *c)
{
    const char *location = http_request_query(c->request, "location");
    struct buf answer;

    buf_init(&answer, CALL_ANSWER_MAX_BYTES);
    servers_list(c->core->servers, slice_str(location), &answer);
    http_reply_header(c->request, "Cache-Control", "no-store");
    call_answer(c, 200, &answer);
}
