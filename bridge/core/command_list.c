/* SPDX-License-Identifier: MIT */
/* command_list.c - getConversation, listConversations, listMembers. Pages are cut behind a key,
 * never by an offset: conversations in the order of their ids, members in the order in which they
 * signed up. One row more than asked for tells whether there is a further page. */
#include "core/command.h"

#include "base/clock.h"
#include "core/head.h"
#include "wire/entry.h"

#include <assert.h>

static const struct db_statement get_conversation = {
    "get_conversation",
    "SELECT " HEAD_COLUMNS ", " HEAD_UNREAD(
        "$3::bigint") ", h.created_at,"
                      "       coalesce(h.member_count, (SELECT count(*) FROM banter.members m"
                      "                                  WHERE m.conversation = h.conversation)),"
                      "       (SELECT r.days FROM banter.retentions r"
                      "         WHERE r.conversation = h.conversation)"
                      "  FROM banter.conversation_heads h"
                      " WHERE h.conversation = $1::uuid AND h.user_id = $2::bigint",
    3};
enum { COLUMN_UNREAD = HEAD_COLUMN_COUNT };
enum { GET_COLUMN_CREATED_AT = COLUMN_UNREAD + 1, GET_COLUMN_MEMBERS, GET_COLUMN_RETENTION };

static const struct db_statement list_conversations = {
    "list_conversations",
    "SELECT " HEAD_COLUMNS
    ", " HEAD_UNREAD("$4::bigint") ", h.conversation"
                                   "  FROM banter.conversation_heads h"
                                   " WHERE h.user_id = $1::bigint"
                                   "   AND h.conversation > coalesce($2::uuid, "
                                   "'00000000-0000-0000-0000-000000000000')"
                                   " ORDER BY h.conversation LIMIT $3::bigint + 1",
    4};
enum { LIST_COLUMN_CONVERSATION = COLUMN_UNREAD + 1 };

/* No row: not visible to the actor. One row without a handle: an empty page. */
static const struct db_statement list_members = {
    "list_members",
    "SELECT $3::text IS NOT NULL AND a.id IS NULL, o.handle, o.role, o.joined_at,"
    "       CASE WHEN c.kind <> 3 THEN o.received_seq END, o.read_seq"
    "  FROM banter.members own"
    "  JOIN banter.conversations c ON c.id = own.conversation AND c.deleted_at IS NULL"
    "  LEFT JOIN banter.users a ON a.handle = $3::text"
    "  LEFT JOIN LATERAL ("
    "       SELECT m.user_id, u.handle, m.role, m.joined_at, m.received_seq, m.read_seq"
    "         FROM banter.members m"
    "         JOIN banter.users u ON u.id = m.user_id"
    "        WHERE m.conversation = $1::uuid AND m.user_id > coalesce(a.id, 0)"
    "        ORDER BY m.user_id LIMIT $4::bigint + 1) o ON true"
    " WHERE own.conversation = $1::uuid AND own.user_id = $2::bigint"
    " ORDER BY o.user_id",
    4};
enum member_column {
    MEMBER_COLUMN_AFTER_UNKNOWN,
    MEMBER_COLUMN_HANDLE,
    MEMBER_COLUMN_ROLE,
    MEMBER_COLUMN_JOINED_AT,
    MEMBER_COLUMN_RECEIVED, /* NULL: not shown, in channels */
    MEMBER_COLUMN_READ,
};

void command_put_time(struct buf *b, const char *name, int64_t unix_ms)
{
    char text[RFC3339_MS_LENGTH + 1];

    rfc3339_ms(unix_ms, text);
    buf_json_key(b, name);
    buf_json(b, slice_of(text, RFC3339_MS_LENGTH));
}

static void put_head(struct command *cmd, const struct uuid *conversation, const PGresult *result,
                     int row)
{
    head_write(&cmd->data, conversation, result, row, 0, command_group_members_max(cmd));
    buf_json_key(&cmd->data, "unread");
    buf_i64(&cmd->data, db_get_i64(result, row, COLUMN_UNREAD));
}

void start_get_conversation(struct command *cmd, const json_t *arguments)
{
    struct db_params *params;

    if (!argument_conversation(cmd, arguments))
        return;
    params = db_params_create();
    db_uuid(params, &cmd->conversation);
    db_i64(params, (int64_t)cmd->uid);
    db_i64(params, UNREAD_MAX);
    command_ask(cmd, &get_conversation, params);
}

void answer_get_conversation(struct command *cmd, const PGresult *result)
{
    if (PQntuples(result) == 0) {
        command_fail_no_conversation(cmd);
        return;
    }
    put_head(cmd, &cmd->conversation, result, 0);
    command_put_time(&cmd->data, "created_at", db_get_time_ms(result, 0, GET_COLUMN_CREATED_AT));
    buf_json_key(&cmd->data, "member_count");
    buf_i64(&cmd->data, db_get_i64(result, 0, GET_COLUMN_MEMBERS));
    if (!db_get_null(result, 0, GET_COLUMN_RETENTION)) {
        buf_json_key(&cmd->data, "retention_days");
        buf_i64(&cmd->data, db_get_i64(result, 0, GET_COLUMN_RETENTION));
    }
}

void start_list_conversations(struct command *cmd, const json_t *arguments)
{
    const json_t *after = json_object_get(arguments, "after");
    struct uuid after_id;
    struct db_params *params;

    if (!argument_limit(cmd, arguments))
        return;
    if (after &&
        !uuid_parse(&after_id, slice_of(json_string_value(after), json_string_length(after)))) {
        command_fail(cmd, CODE_INVALID, "\"after\" is not the id of a conversation");
        return;
    }
    params = db_params_create();
    db_i64(params, (int64_t)cmd->uid);
    if (after)
        db_uuid(params, &after_id);
    else
        db_null(params);
    db_i64(params, cmd->limit);
    db_i64(params, UNREAD_MAX);
    command_ask(cmd, &list_conversations, params);
}

int page_begin(struct command *cmd, const char *name, int rows)
{
    buf_json_key(&cmd->data, name);
    buf_char(&cmd->data, '[');
    return rows > (int)cmd->limit ? (int)cmd->limit : rows;
}

void page_end(struct command *cmd, int rows)
{
    buf_str(&cmd->data, rows > (int)cmd->limit ? "],\"more\":true" : "],\"more\":false");
}

void answer_list_conversations(struct command *cmd, const PGresult *result)
{
    int shown = page_begin(cmd, "conversations", PQntuples(result));

    for (int row = 0; row < shown; row++) {
        struct uuid conversation = db_get_uuid(result, row, LIST_COLUMN_CONVERSATION);

        buf_str(&cmd->data, row > 0 ? ",{" : "{");
        put_head(cmd, &conversation, result, row);
        buf_char(&cmd->data, '}');
    }
    page_end(cmd, PQntuples(result));
}

void start_list_members(struct command *cmd, const json_t *arguments)
{
    struct slice after = {NULL, 0};
    struct db_params *params;

    if (!argument_conversation(cmd, arguments) || !argument_limit(cmd, arguments))
        return;
    if (json_object_get(arguments, "after") && !argument_handle(cmd, arguments, "after", &after))
        return;
    params = db_params_create();
    db_uuid(params, &cmd->conversation);
    db_i64(params, (int64_t)cmd->uid);
    db_text_if_given(params, after);
    db_i64(params, cmd->limit);
    command_ask(cmd, &list_members, params);
}

static void put_member(struct buf *b, const PGresult *result, int row)
{
    int64_t role = db_get_i64(result, row, MEMBER_COLUMN_ROLE);

    buf_char(b, '{');
    buf_json_key(b, "user");
    buf_json(b, db_get_text(result, row, MEMBER_COLUMN_HANDLE));
    buf_json_key(b, "role");
    buf_json(b, slice_str(role_name((enum role)role)));
    command_put_time(b, "joined_at", db_get_time_ms(result, row, MEMBER_COLUMN_JOINED_AT));
    if (!db_get_null(result, row, MEMBER_COLUMN_RECEIVED)) {
        buf_json_key(b, "received");
        buf_i64(b, db_get_i64(result, row, MEMBER_COLUMN_RECEIVED));
        buf_json_key(b, "read");
        buf_i64(b, db_get_i64(result, row, MEMBER_COLUMN_READ));
    }
    buf_char(b, '}');
}

void answer_list_members(struct command *cmd, const PGresult *result)
{
    int rows = PQntuples(result);
    int shown;

    if (rows == 0) {
        command_fail_no_conversation(cmd);
        return;
    }
    if (db_get_bool(result, 0, MEMBER_COLUMN_AFTER_UNKNOWN)) {
        command_fail(cmd, CODE_NOT_FOUND, "\"after\" names no user");
        return;
    }
    if (db_get_null(result, 0, MEMBER_COLUMN_HANDLE))
        rows = 0;
    answer_conversation(cmd, result);
    shown = page_begin(cmd, "members", rows);
    for (int row = 0; row < shown; row++) {
        if (row > 0)
            buf_char(&cmd->data, ',');
        put_member(&cmd->data, result, row);
    }
    page_end(cmd, rows);
}
