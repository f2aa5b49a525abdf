/* SPDX-License-Identifier: MIT */
/* command_push.c - registerPush, unregisterPush, listPush: where a user wants to be told of
 * messages that no device of theirs is there to receive.
 *
 * Each provider has its own arguments, in the words of its own world: a PushSubscription of a
 * browser can be sent as it is. What is written down was judged by the module that will send to
 * it. */
#include "core/command.h"

#include "push/push.h"

#include <string.h>

static const struct db_statement register_push = {
    "register_push",
    "SELECT banter.register_push($1::bigint, $2::uuid, $3::text, $4::integer, $5::text, $6::text,"
    "                            $7::text, $8::text, $9::text, $10::integer)",
    10};

static const struct db_statement unregister_push = {
    "unregister_push",
    "DELETE FROM banter.push_registrations WHERE user_id = $1::bigint AND id = $2::uuid"
    " RETURNING id",
    2};

static const struct db_statement list_push = {
    "list_push",
    "SELECT id, provider, device, app, created_at, used_at FROM banter.push_registrations"
    " WHERE user_id = $1::bigint ORDER BY used_at DESC, id",
    1};
enum list_column {
    COLUMN_ID,
    COLUMN_PROVIDER,
    COLUMN_DEVICE,
    COLUMN_APP,
    COLUMN_CREATED_AT,
    COLUMN_USED_AT,
};

/* Which member of the arguments holds what of the target. */
struct form {
    const char *address;
    bool has_keys;   /* "keys":{"p256dh","auth"} */
    bool has_secret; /* "secret" */
};

static const struct form forms[PUSH_PROVIDER_COUNT] = {
    [PUSH_FCM] = {"token", false, false},
    [PUSH_APNS] = {"token", false, false},
    [PUSH_WEB] = {"endpoint", true, false},
    [PUSH_WEBHOOK] = {"url", false, true},
};

static bool read_keys(struct command *cmd, const json_t *arguments, struct push_target *target)
{
    const json_t *keys = json_object_get(arguments, "keys");

    if (!json_is_object(keys)) {
        command_fail(cmd, CODE_INVALID, "\"keys\" must be an object");
        return false;
    }
    return argument_string(cmd, keys, "p256dh", &target->p256dh) &&
           argument_string(cmd, keys, "auth", &target->auth);
}

static bool read_provider(struct command *cmd, const json_t *arguments, enum push_provider *out)
{
    const struct push_senders *senders = command_push_senders(cmd);
    struct slice name;

    if (!argument_string(cmd, arguments, "provider", &name))
        return false;
    if (!push_provider_parse(name, out)) {
        command_fail(cmd, CODE_INVALID, "\"provider\" must be fcm, apns, web or webhook");
        return false;
    }
    if (!senders || !push_is_available(senders, *out)) {
        command_fail(cmd, CODE_NOT_FOUND, "this server does not push over %s",
                     push_provider_name(*out));
        return false;
    }
    return true;
}

/* A NUL would end the text before PostgreSQL has read it all. */
static bool is_short_text(struct slice text, size_t most)
{
    return text.length <= most && (text.length == 0 || !memchr(text.data, '\0', text.length));
}

static bool read_target(struct command *cmd, const json_t *arguments, struct push_target *target)
{
    const struct form *form;
    const char *problem;

    if (!read_provider(cmd, arguments, &target->provider))
        return false;
    form = &forms[target->provider];
    if (!argument_string(cmd, arguments, form->address, &target->address) ||
        (form->has_keys && !read_keys(cmd, arguments, target)) ||
        (form->has_secret && !argument_string(cmd, arguments, "secret", &target->secret)) ||
        (json_object_get(arguments, "app") &&
         !argument_string(cmd, arguments, "app", &target->topic)))
        return false;
    if (!is_short_text(target->address, PUSH_ADDRESS_MAX_LENGTH) ||
        !is_short_text(target->topic, PUSH_TOPIC_MAX_BYTES) ||
        !is_short_text(target->p256dh, PUSH_ADDRESS_MAX_LENGTH) ||
        !is_short_text(target->auth, PUSH_ADDRESS_MAX_LENGTH) ||
        !is_short_text(target->secret, PUSH_SECRET_MAX_BYTES)) {
        command_fail(cmd, CODE_INVALID, "an argument is too long, or holds a NUL");
        return false;
    }
    problem = push_target_problem(command_push_senders(cmd), target);
    if (problem)
        command_fail(cmd, CODE_INVALID, "%s", problem);
    return !problem;
}

void start_register_push(struct command *cmd, const json_t *arguments)
{
    struct push_target target = {.address = {"", 0}};
    struct db_params *params;
    struct uuid login;

    if (!read_target(cmd, arguments, &target))
        return;
    params = db_params_create();
    db_i64(params, (int64_t)cmd->uid);
    if (uuid_parse(&login, slice_str(cmd->login)))
        db_uuid(params, &login);
    else
        db_null(params);
    db_text_or_null(params, slice_str(cmd->device));
    db_i64(params, target.provider);
    db_text(params, target.address);
    db_text_or_null(params, target.p256dh);
    db_text_or_null(params, target.auth);
    db_text_or_null(params, target.secret);
    db_text_or_null(params, target.topic);
    db_i64(params, PUSH_REGISTRATIONS_MAX);
    command_ask(cmd, &register_push, params);
}

static void put_id(struct buf *b, const PGresult *result, int row)
{
    struct uuid id = db_get_uuid(result, row, COLUMN_ID);
    char text[UUID_TEXT_LENGTH + 1];

    uuid_format(&id, text);
    buf_json_key(b, "registration");
    buf_json(b, slice_of(text, UUID_TEXT_LENGTH));
}

void answer_register_push(struct command *cmd, const PGresult *result)
{
    put_id(&cmd->data, result, 0);
}

void start_unregister_push(struct command *cmd, const json_t *arguments)
{
    struct db_params *params;
    struct slice text;
    struct uuid id;

    if (!argument_string(cmd, arguments, "registration", &text))
        return;
    if (!uuid_parse(&id, text)) {
        command_fail(cmd, CODE_INVALID, "\"registration\" is not the id of a registration");
        return;
    }
    params = db_params_create();
    db_i64(params, (int64_t)cmd->uid);
    db_uuid(params, &id);
    command_ask(cmd, &unregister_push, params);
}

void answer_unregister_push(struct command *cmd, const PGresult *result)
{
    if (PQntuples(result) == 0)
        command_fail(cmd, CODE_NOT_FOUND, "you have no such registration");
    else
        put_id(&cmd->data, result, 0);
}

void start_list_push(struct command *cmd, const json_t *arguments)
{
    struct db_params *params = db_params_create();

    (void)arguments;
    db_i64(params, (int64_t)cmd->uid);
    command_ask(cmd, &list_push, params);
}

static void put_registration(struct buf *b, const PGresult *result, int row)
{
    enum push_provider provider = (enum push_provider)db_get_i64(result, row, COLUMN_PROVIDER);

    buf_str(b, row > 0 ? ",{" : "{");
    put_id(b, result, row);
    buf_json_key(b, "provider");
    buf_json(b, slice_str(push_provider_name(provider)));
    if (!db_get_null(result, row, COLUMN_DEVICE)) {
        buf_json_key(b, "device");
        buf_json(b, db_get_text(result, row, COLUMN_DEVICE));
    }
    if (!db_get_null(result, row, COLUMN_APP)) {
        buf_json_key(b, "app");
        buf_json(b, db_get_text(result, row, COLUMN_APP));
    }
    command_put_time(b, "created_at", db_get_time_ms(result, row, COLUMN_CREATED_AT));
    command_put_time(b, "used_at", db_get_time_ms(result, row, COLUMN_USED_AT));
    buf_char(b, '}');
}

void answer_list_push(struct command *cmd, const PGresult *result)
{
    buf_json_key(&cmd->data, "registrations");
    buf_char(&cmd->data, '[');
    for (int row = 0; row < PQntuples(result); row++)
        put_registration(&cmd->data, result, row);
    buf_char(&cmd->data, ']');
}
