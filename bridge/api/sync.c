/* SPDX-License-Identifier: MIT */
/* sync.c - brings a returning device up to date in one answer. */
#include "core/sync.h"

#include "api/routes.h"

enum { SYNC_PAGE_BYTES = 8 << 20 }; /* beyond it conversations come without their entries */

static bool on_page(void *owner, enum code code, const char *reason, struct slice page, bool last)
{
    (void)last; /* sync_run_whole() gives exactly one */
    if (code == CODE_OK)
        call_answer_copy(owner, 200, page);
    else
        call_refuse(owner, code, reason);
    return false;
}

void handle_sync(struct call *c)
{
    if (!sync_run_whole(c->core->sync, &c->actor, http_request_body(c->request), SYNC_PAGE_BYTES,
                        on_page, c))
        call_refuse(c, CODE_UNAVAILABLE, "the server is busy, try again in a moment");
}
