/* SPDX-License-Identifier: MIT */
/* push.c - the commands about push as resources, and the key that browsers subscribe with. */
#include "push/push.h"

#include "api/routes.h"
#include "core/commands.h"
#include "core/push_service.h"

enum { ANSWER_MAX_BYTES = 512 };

static void on_data(void *owner, enum code code, const char *reason, struct slice data)
{
    if (code == CODE_OK)
        call_answer_copy(owner, 200, data);
    else
        call_refuse(owner, code, reason);
}

static void on_removed(void *owner, enum code code, const char *reason, struct slice data)
{
    struct call *c = owner;
    (void)data;

    if (code == CODE_OK)
        http_reply(c->request, 204, NULL, NULL);
    else
        call_refuse(c, code, reason);
}

void handle_push_list(struct call *c)
{
    command_run(c->core->commands, &c->actor, "listPush", NULL, on_data, c);
}

void handle_push_register(struct call *c)
{
    json_t *arguments = call_read_object(c);

    if (!arguments)
        return;
    command_run(c->core->commands, &c->actor, "registerPush", arguments, on_data, c);
    json_decref(arguments);
}

void handle_push_unregister(struct call *c)
{
    json_t *arguments = json_object();

    /* What is not UTF-8 is no string, which the command refuses. */
    json_object_set_new(arguments, "registration", json_string(c->parameter));
    command_run(c->core->commands, &c->actor, "unregisterPush", arguments, on_removed, c);
    json_decref(arguments);
}

void handle_push_vapid(struct call *c)
{
    const struct push_senders *senders = push_service_senders(c->core->push);
    const char *key = senders ? push_vapid_public_key(senders) : NULL;
    struct buf json;

    if (!key) {
        call_refuse(c, CODE_NOT_FOUND, "this server does not push to browsers");
        return;
    }
    buf_init(&json, ANSWER_MAX_BYTES);
    buf_str(&json, "{\"key\":");
    buf_json(&json, slice_str(key));
    buf_char(&json, '}');
    call_answer(c, 200, &json);
}
