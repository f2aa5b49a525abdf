/* SPDX-License-Identifier: MIT */
/* command_device.c - listDevices, revokeDevice. What a user sees as devices are logins: the one
 * that named its device when it logged in goes by that name, and each has an id. */
#include "core/command.h"

#include "wire/names.h"

static const struct db_statement list_devices = {
    "list_devices",
    "SELECT id, device, created_at, rotated_at, expires_at"
    "  FROM banter.login_sessions"
    " WHERE user_id = $1::bigint AND expires_at > now()"
    " ORDER BY rotated_at DESC, id",
    1};
enum device_column {
    DEVICE_COLUMN_ID,
    DEVICE_COLUMN_DEVICE,
    DEVICE_COLUMN_CREATED_AT,
    DEVICE_COLUMN_ROTATED_AT,
    DEVICE_COLUMN_EXPIRES_AT,
};

static const struct db_statement revoke_device = {
    "revoke_device",
    "SELECT id, user_id, ended_at FROM banter.revoke_logins($1::bigint, $2::text, $3::uuid)", 3};

void start_list_devices(struct command *cmd, const json_t *arguments)
{
    struct db_params *params = db_params_create();

    (void)arguments;
    db_i64(params, (int64_t)cmd->uid);
    command_ask(cmd, &list_devices, params);
}

static void put_device(struct buf *b, const PGresult *result, int row)
{
    struct uuid login = db_get_uuid(result, row, DEVICE_COLUMN_ID);
    char id[UUID_TEXT_LENGTH + 1];

    uuid_format(&login, id);
    buf_char(b, '{');
    buf_json_key(b, "login");
    buf_json(b, slice_of(id, UUID_TEXT_LENGTH));
    if (!db_get_null(result, row, DEVICE_COLUMN_DEVICE)) {
        buf_json_key(b, "device");
        buf_json(b, db_get_text(result, row, DEVICE_COLUMN_DEVICE));
    }
    command_put_time(b, "created_at", db_get_time_ms(result, row, DEVICE_COLUMN_CREATED_AT));
    command_put_time(b, "last_used_at", db_get_time_ms(result, row, DEVICE_COLUMN_ROTATED_AT));
    command_put_time(b, "expires_at", db_get_time_ms(result, row, DEVICE_COLUMN_EXPIRES_AT));
    buf_char(b, '}');
}

void answer_list_devices(struct command *cmd, const PGresult *result)
{
    buf_json_key(&cmd->data, "devices");
    buf_char(&cmd->data, '[');
    for (int row = 0; row < PQntuples(result); row++) {
        if (row > 0)
            buf_char(&cmd->data, ',');
        put_device(&cmd->data, result, row);
    }
    buf_char(&cmd->data, ']');
}

/* No device's name is as long as the id of a login. */
void start_revoke_device(struct command *cmd, const json_t *arguments)
{
    const json_t *value = json_object_get(arguments, "device");
    struct slice name = slice_of(json_string_value(value), json_string_length(value));
    struct db_params *params;
    struct uuid login;
    bool is_login = uuid_parse(&login, name);

    if (!is_login && !device_is_valid(name)) {
        command_fail(cmd, CODE_INVALID,
                     "\"device\" must be the name of a device or the id of a login");
        return;
    }
    params = db_params_create();
    db_i64(params, (int64_t)cmd->uid);
    if (is_login) {
        db_null(params);
        db_uuid(params, &login);
    } else {
        db_text(params, name);
        db_null(params);
    }
    command_ask(cmd, &revoke_device, params);
}

void answer_revoke_device(struct command *cmd, const PGresult *result)
{
    buf_json_key(&cmd->data, "revoked");
    buf_i64(&cmd->data, PQntuples(result));
}
