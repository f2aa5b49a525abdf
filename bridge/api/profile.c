/* SPDX-License-Identifier: MIT */
/* profile.c - getProfile and modifyProfile as resources. */
#include "core/commands.h"

#include "api/routes.h"
#include "wire/names.h"

static void on_data(void *owner, enum code code, const char *reason, struct slice data)
{
    if (code == CODE_OK)
        call_answer_copy(owner, 200, data);
    else
        call_refuse(owner, code, reason);
}

/* A valid token of a user who is not there any more: the account was disabled. */
static void on_own(void *owner, enum code code, const char *reason, struct slice data)
{
    if (code == CODE_NOT_FOUND)
        call_refuse(owner, CODE_FORBIDDEN, "this account is disabled");
    else
        on_data(owner, code, reason, data);
}

void handle_me(struct call *c)
{
    command_run(c->core->commands, &c->actor, "getProfile", NULL, on_own, c);
}

void handle_modify_me(struct call *c)
{
    json_t *body = call_read_object(c);

    if (body)
        command_run(c->core->commands, &c->actor, "modifyProfile", body, on_data, c);
    json_decref(body);
}

/* What cannot be a handle is no user. */
void handle_user(struct call *c)
{
    json_t *arguments = json_object();

    if (handle_is_valid(slice_str(c->parameter))) {
        json_object_set_new(arguments, "user", json_string(c->parameter));
        command_run(c->core->commands, &c->actor, "getProfile", arguments, on_data, c);
    } else {
        call_refuse(c, CODE_NOT_FOUND, "there is no such user");
    }
    json_decref(arguments);
}
