/* SPDX-License-Identifier: MIT */
/* head.c - see head.h. */
#include "core/head.h"

#include "base/buf.h"
#include "db/db.h"
#include "wire/entry.h"

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

void head_write(struct buf *b, const struct uuid *conversation, const PGresult *result, int row,
                int first)
{
    char id[UUID_TEXT_LENGTH + 1];
    int64_t kind = db_get_i64(result, row, first + HEAD_COLUMN_KIND);
    int64_t role = db_get_i64(result, row, first + HEAD_COLUMN_ROLE);

    uuid_format(conversation, id);
    put_text(b, "conversation", slice_of(id, UUID_TEXT_LENGTH));
    put_text(b, "kind", slice_str(conversation_kind_name((enum conversation_kind)kind)));
    if (!db_get_null(result, row, first + HEAD_COLUMN_TITLE))
        put_text(b, "title", db_get_text(result, row, first + HEAD_COLUMN_TITLE));
    if (!db_get_null(result, row, first + HEAD_COLUMN_PEER))
        put_text(b, "user", db_get_text(result, row, first + HEAD_COLUMN_PEER));
    put_text(b, "role", slice_str(role_name((enum role)role)));
    put_number(b, "last_seq", db_get_i64(result, row, first + HEAD_COLUMN_LAST_SEQ));
    put_number(b, "received", db_get_i64(result, row, first + HEAD_COLUMN_RECEIVED));
    put_number(b, "read", db_get_i64(result, row, first + HEAD_COLUMN_READ));
}
