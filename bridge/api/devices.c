/* SPDX-License-Identifier: MIT */
/* devices.c - the commands about a user's logins as resources. */
#include "core/commands.h"

#include "api/routes.h"

static void on_data(void *owner, enum code code, const char *reason, struct slice data)
{
    if (code == CODE_OK)
        call_answer_copy(owner, 200, data);
    else
        call_refuse(owner, code, reason);
}

void handle_devices(struct call *c)
{
    command_run(c->core->commands, &c->actor, "listDevices", NULL, on_data, c);
}

void handle_revoke_device(struct call *c)
{
    json_t *arguments = json_object();

    /* A name that is not UTF-8 is no string, which the command refuses. */
    json_object_set_new(arguments, "device", json_string(c->parameter));
    command_run(c->core->commands, &c->actor, "revokeDevice", arguments, on_data, c);
    json_decref(arguments);
}
