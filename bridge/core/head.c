/* SPDX-License-Identifier: MIT */
/* head.c - see head.h. */
#include "core/head.h"

#include "base/buf.h"
#include "base/clock.h"
#include "db/db.h"
#include "wire/entry.h"
#include "wire/limits.h"

static void put_text(struct buf *b, const char *name, struct slice value)
{
    buf_json_key(b, name);
    buf_json(b, value);
}

static void put_number(struct buf *b, const char *name, int64_t value)
{
    buf_json_key(b, name);
    buf_i64(b, value);
}

static void put_bool(struct buf *b, const char *name, bool value)
{
    buf_json_key(b, name);
    buf_str(b, value ? "true" : "false");
}

static void put_muted(struct buf *b, const PGresult *result, int row, int column)
{
    char time[RFC3339_MS_LENGTH + 1];

    if (db_get_null(result, row, column))
        return;
    rfc3339_ms(db_get_time_ms(result, row, column), time);
    put_text(b, "muted_until", slice_of(time, RFC3339_MS_LENGTH));
}

static void put_channel(struct buf *b, const PGresult *result, int row, int first)
{
    int64_t joining = db_get_i64(result, row, first + HEAD_COLUMN_JOINING_ROLE);

    if (!db_get_null(result, row, first + HEAD_COLUMN_NAME))
        put_text(b, "name", db_get_text(result, row, first + HEAD_COLUMN_NAME));
    put_bool(b, "public", db_get_bool(result, row, first + HEAD_COLUMN_PUBLIC));
    put_text(b, "posting", slice_str(joining < ROLE_MEMBER ? "admins" : "all"));
}

/* What a client may expect of a conversation of this kind. */
static void put_limits(struct buf *b, enum conversation_kind kind, unsigned group_members_max)
{
    const unsigned members[] = {
        [CONVERSATION_DIRECT] = 2,
        [CONVERSATION_GROUP] = group_members_max,
        [CONVERSATION_CHANNEL] = CHANNEL_MEMBERS_MAX,
    };
    bool lively = kind != CONVERSATION_CHANNEL;

    buf_json_key(b, "limits");
    buf_char(b, '{');
    put_number(b, "members", members[kind]);
    put_number(b, "text_characters", TEXT_MAX_CHARACTERS);
    put_bool(b, "typing", lively);
    put_bool(b, "presence", lively);
    put_bool(b, "cursors", lively);
    buf_char(b, '}');
}

void head_write(struct buf *b, const struct uuid *conversation, const PGresult *result, int row,
                int first, unsigned group_members_max)
{
    char id[UUID_TEXT_LENGTH + 1];
    enum conversation_kind kind =
        (enum conversation_kind)db_get_i64(result, row, first + HEAD_COLUMN_KIND);
    int64_t role = db_get_i64(result, row, first + HEAD_COLUMN_ROLE);

    uuid_format(conversation, id);
    put_text(b, "conversation", slice_of(id, UUID_TEXT_LENGTH));
    put_text(b, "kind", slice_str(conversation_kind_name(kind)));
    if (!db_get_null(result, row, first + HEAD_COLUMN_TITLE))
        put_text(b, "title", db_get_text(result, row, first + HEAD_COLUMN_TITLE));
    if (!db_get_null(result, row, first + HEAD_COLUMN_PEER))
        put_text(b, "user", db_get_text(result, row, first + HEAD_COLUMN_PEER));
    put_text(b, "role", slice_str(role_name((enum role)role)));
    put_number(b, "last_seq", db_get_i64(result, row, first + HEAD_COLUMN_LAST_SEQ));
    put_number(b, "received", db_get_i64(result, row, first + HEAD_COLUMN_RECEIVED));
    put_number(b, "read", db_get_i64(result, row, first + HEAD_COLUMN_READ));
    put_muted(b, result, row, first + HEAD_COLUMN_MUTED_UNTIL);
    if (kind == CONVERSATION_CHANNEL)
        put_channel(b, result, row, first);
    put_limits(b, kind, group_members_max);
}
