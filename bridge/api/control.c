/* SPDX-License-Identifier: MIT */
/* control.c - the control commands' second door; the first is $CONTROL/chat/v1. */
#include "core/commands.h"

#include "api/routes.h"

static void on_responses(void *owner, struct slice response)
{
    call_answer_copy(owner, 200, response);
}

void handle_control(struct call *c)
{
    commands_execute(c->core->commands, &c->actor, http_request_body(c->request), on_responses, c);
}
