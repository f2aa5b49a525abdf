/* SPDX-License-Identifier: MIT */
/* audit.c - the audit log, for operators. */
#include "core/audit_page.h"

#include "api/routes.h"

enum { LIMIT_DEFAULT = 100, LIMIT_MAX = 1000 };

static void on_page(void *owner, enum code code, struct buf *json)
{
    if (code == CODE_OK)
        call_answer(owner, 200, json);
    else if (code == CODE_TOO_LARGE)
        call_refuse(owner, code, "the page is too long: ask with a lower \"limit\"");
    else
        call_refuse(owner, code, "the database did not answer: try again");
}

void handle_audit(struct call *c)
{
    struct audit_query query = {
        .before = INT64_MAX,
        .limit = LIMIT_DEFAULT,
        .action = slice_str(http_request_query(c->request, "action")),
        .user = slice_str(http_request_query(c->request, "user")),
    };

    if (!call_read_number(c, "before", 1, &query.before) ||
        !call_read_number(c, "limit", 1, &query.limit))
        return;
    if (query.limit > LIMIT_MAX)
        query.limit = LIMIT_MAX;
    if (!audit_page(c->core->audit_pages, &query, on_page, c))
        call_refuse(c, CODE_UNAVAILABLE, "the database is away, try again in a moment");
}
