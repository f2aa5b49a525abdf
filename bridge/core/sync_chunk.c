/* SPDX-License-Identifier: MIT */
/* sync_chunk.c - see sync_chunk.h. A row is either the head of a conversation, with its newest
 * entry as the preview, or one of its entries; heads come before their entries. Because seq has no
 * gaps, "the newest n" is a range like any other, and `more` is arithmetic. */
#include "core/sync_chunk.h"

#include "base/buf.h"
#include "base/fault_point.h"
#include "core/entry_row.h"
#include "core/head.h"
#include "core/sync_request.h"
#include "wire/limits.h"

#include <assert.h>

enum {
    ENTRY_FRAME_BYTES = 256, /* an entry's JSON without id, text and data, at most */
    HEAD_MAX_BYTES = 4096,   /* a conversation's JSON without entries, at most */
};

#define UNREAD HEAD_UNREAD("$6::bigint")

/* $1 user, $2 conversations, $3 cursors or NULL, $4 limit, $5 bytes, $6 where counting
 * the unread ends, $7 characters of the preview. `rank` puts first what the
 * client needs most: the oldest after a cursor, the newest without one; the bytes cut the rest.
 * RANKED gives a row for each entry of the log, with the conversation that asks for it as h. */
#define SYNC_SQL(RANKED, DATA, NEWEST)                                                             \
    "WITH head AS MATERIALIZED ("                                                                  \
    "    SELECT t.ord, t.cursor IS NULL AS backwards, h.*,"                                        \
    "           CASE WHEN t.cursor IS NULL THEN greatest(h.last_seq - $4::bigint, 0)"              \
    "                ELSE least(t.cursor, h.last_seq) END AS after"                                \
    "      FROM unnest($2::uuid[], $3::bigint[])"                                                  \
    "           WITH ORDINALITY AS t (conversation, cursor, ord)"                                  \
    "      JOIN banter.conversation_heads h"                                                       \
    "        ON h.conversation = t.conversation AND h.user_id = $1::bigint"                        \
    "), ranked AS (" RANKED "), measured AS ("                                                     \
    "    SELECT r.*, sum(coalesce(octet_length(r.text), 0) + coalesce(octet_length(r.data), 0))"   \
    "                OVER (ORDER BY r.ord, r.rank"                                                 \
    "                      ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS bytes"             \
    "      FROM ranked r"                                                                          \
    ")"                                                                                            \
    "SELECT h.ord, true AS is_head, 0 AS rank, " HEAD_COLUMNS ","                                  \
    "       " UNREAD " AS unread,"                                                                 \
    "       e.seq, e.at, e.kind AS entry_kind, u.handle, e.id,"                                    \
    "       left(e.text, $7::integer) AS text, e.reply_to, " DATA " AS data, e.target"             \
    "  FROM head h"                                                                                \
    "  LEFT JOIN LATERAL (" NEWEST ") e ON true"                                                   \
    "  LEFT JOIN banter.users u ON u.id = e.sender"                                                \
    " UNION ALL "                                                                                  \
    "SELECT e.ord, false, e.rank, " HEAD_COLUMNS_NULL ", NULL,"                                    \
    "       e.seq, e.at, e.kind, u.handle, e.id, e.text, e.reply_to, " DATA ", e.target"           \
    "  FROM measured e"                                                                            \
    "  LEFT JOIN banter.users u ON u.id = e.sender"                                                \
    " WHERE e.bytes IS NULL OR e.bytes < $5::bigint"                                               \
    " ORDER BY ord, is_head DESC, rank"

static const struct db_statement raw = {
    "sync_chunk",
    SYNC_SQL("    SELECT h.ord, CASE WHEN h.backwards THEN -e.seq ELSE e.seq END AS rank, e.*"
             "      FROM head h"
             "     CROSS JOIN LATERAL ("
             "           SELECT m.*"
             "             FROM banter.messages m"
             "            WHERE m.conversation = h.conversation AND m.seq > h.after"
             "            ORDER BY m.seq LIMIT $4::bigint) e",
             "e.data",
             "SELECT * FROM banter.messages m"
             " WHERE m.conversation = h.conversation AND m.seq = h.last_seq LIMIT 1"),
    7};

/* $8 how far back to look for the preview. Of the entries of the log that concern one message, or
 * are it, the first in rank shows it; the others give a row without an entry. A new device sees
 * older messages when it gets there. */
static const struct db_statement folded = {
    "sync_chunk_folded",
    SYNC_SQL("    SELECT s.ord, s.rank, e.*"
             "      FROM (SELECT l.*, row_number() OVER (PARTITION BY l.ord, l.shown"
             "                                               ORDER BY l.rank) = 1 AS is_first"
             "              FROM (SELECT h.ord, h.conversation, h.backwards, h.after,"
             "                           CASE WHEN h.backwards THEN -m.seq ELSE m.seq END AS rank,"
             "                           coalesce(m.target, m.seq) AS shown"
             "                      FROM head h"
             "                     CROSS JOIN LATERAL ("
             "                           SELECT m.seq, m.target"
             "                             FROM banter.messages m"
             "                            WHERE m.conversation = h.conversation"
             "                              AND m.seq > h.after"
             "                            ORDER BY m.seq LIMIT $4::bigint) m) l) s"
             "      LEFT JOIN LATERAL ("
             "           SELECT * FROM banter.folded_messages f"
             "            WHERE s.is_first AND f.conversation = s.conversation AND f.seq = s.shown"
             "              AND (NOT s.backwards OR s.shown > s.after)"
             "            LIMIT 1) e ON true",
             "banter.folded_data(e.conversation, e.seq, e.kind, e.data, e.edited_at, $1::bigint)",
             "SELECT * FROM banter.folded_messages f"
             " WHERE f.conversation = h.conversation AND f.seq > h.last_seq - $8::bigint"
             " ORDER BY f.seq DESC LIMIT 1"),
    8};

enum chunk_column {
    COLUMN_ORD,
    COLUMN_IS_HEAD,
    COLUMN_RANK,
    COLUMN_HEAD,
    COLUMN_UNREAD = COLUMN_HEAD + HEAD_COLUMN_COUNT,
    COLUMN_ENTRY,
};

bool sync_chunk_ask(const struct sync_chunk *chunk, struct db_pool *pool, db_reply_fn *reply,
                    void *owner)
{
    struct db_params *params = db_params_create();

    db_i64(params, (int64_t)chunk->uid);
    db_array_begin(params, DB_UUID_ARRAY);
    for (size_t i = 0; i < chunk->target_count; i++)
        db_array_uuid(params, &chunk->targets[i].conversation);
    db_array_end(params);
    db_array_begin(params, DB_I64_ARRAY);
    for (size_t i = 0; i < chunk->target_count; i++) {
        if (chunk->targets[i].cursor == SYNC_NO_CURSOR)
            db_array_null(params);
        else
            db_array_i64(params, chunk->targets[i].cursor);
    }
    db_array_end(params);
    db_i64(params, chunk->limit);
    db_i64(params, (int64_t)chunk->bytes_max);
    db_i64(params, UNREAD_MAX);
    db_i64(params, PREVIEW_CHARACTERS);
    if (chunk->folded)
        db_i64(params, SYNC_PREVIEW_SPAN);
    return db_pool_query(pool, chunk->folded ? &folded : &raw, params, reply, owner);
}

void sync_chunk_read(struct sync_chunk *chunk, const PGresult *result)
{
    chunk->result = result;
    chunk->row = 0;
}

/* How many entries there are to give, and whether those given leave any. */
static void judge(const struct sync_chunk *chunk, struct sync_conversation *c)
{
    int64_t last_seq = db_get_i64(chunk->result, c->head_row, COLUMN_HEAD + HEAD_COLUMN_LAST_SEQ);
    int64_t cursor = chunk->targets[c->target].cursor;
    int64_t available = last_seq;

    if (cursor != SYNC_NO_CURSOR)
        available = cursor < last_seq ? last_seq - cursor : 0;
    c->more = c->entry_count < available;
    c->cut = c->more && c->entry_count < (int64_t)chunk->limit;
}

bool sync_chunk_next(struct sync_chunk *chunk, struct sync_conversation *out)
{
    const PGresult *result = chunk->result;
    int rows = PQntuples(result);

    if (chunk->row >= rows)
        return false;
    assert(db_get_bool(result, chunk->row, COLUMN_IS_HEAD));
    *out = (struct sync_conversation){
        .target = (size_t)db_get_i64(result, chunk->row, COLUMN_ORD) - 1,
        .head_row = chunk->row,
        .entry_row = chunk->row + 1,
    };
    assert(out->target < chunk->target_count);
    chunk->row++;
    while (chunk->row < rows && !db_get_bool(result, chunk->row, COLUMN_IS_HEAD)) {
        chunk->row++;
        out->entry_count++;
    }
    judge(chunk, out);
    return true;
}

/* The escapes of one byte in a JSON string make it two or six bytes long. */
static size_t json_length(struct slice text)
{
    size_t length = text.length;

    for (size_t i = 0; i < text.length; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if (c < 0x20)
            length += 5;
        else if (c == '"' || c == '\\')
            length++;
    }
    return length;
}

size_t sync_chunk_trim(const struct sync_chunk *chunk, struct sync_conversation *c, size_t room)
{
    const PGresult *result = chunk->result;
    size_t used = 0;
    int kept = 0;

    while (kept < c->entry_count && used < room) {
        int row = c->entry_row + kept++;

        used += ENTRY_FRAME_BYTES;
        used += json_length(db_get_text(result, row, COLUMN_ENTRY + ENTRY_COLUMN_ID));
        used += json_length(db_get_text(result, row, COLUMN_ENTRY + ENTRY_COLUMN_TEXT));
        used += db_get_text(result, row, COLUMN_ENTRY + ENTRY_COLUMN_DATA).length;
    }
    c->more = c->more || kept < c->entry_count;
    c->entry_count = kept;
    return HEAD_MAX_BYTES + used;
}

static void put_entry(struct buf *out, const PGresult *result, int row,
                      const struct uuid *conversation)
{
    struct entry entry = entry_of_row(result, row, COLUMN_ENTRY, conversation);
    entry_write(out, &entry);
}

/* The `after` or `before` with which the history goes on. */
static int64_t next_of(const struct sync_chunk *chunk, const struct sync_conversation *c)
{
    int64_t last_seq = db_get_i64(chunk->result, c->head_row, COLUMN_HEAD + HEAD_COLUMN_LAST_SEQ);
    int64_t cursor = chunk->targets[c->target].cursor;
    int64_t rank;

    if (c->entry_count == 0)
        return cursor == SYNC_NO_CURSOR ? last_seq + 1 : cursor;
    rank = db_get_i64(chunk->result, c->entry_row + c->entry_count - 1, COLUMN_RANK);
    return rank < 0 ? -rank : rank;
}

static void put_entries(const struct sync_chunk *chunk, const struct sync_conversation *c,
                        struct buf *out)
{
    const struct sync_target *target = &chunk->targets[c->target];
    bool backwards = target->cursor == SYNC_NO_CURSOR;
    int written = 0;

    buf_char(out, '[');
    for (int i = 0; i < c->entry_count; i++) {
        int row = c->entry_row + (backwards ? c->entry_count - 1 - i : i);

        if (db_get_null(chunk->result, row, COLUMN_ENTRY + ENTRY_COLUMN_SEQ))
            continue;
        if (fault_breaks(lossy_sync))
            continue;
        if (written++ > 0)
            buf_char(out, ',');
        put_entry(out, chunk->result, row, &target->conversation);
    }
    buf_char(out, ']');
}

void sync_chunk_write(const struct sync_chunk *chunk, const struct sync_conversation *c,
                      struct buf *out)
{
    const struct sync_target *target = &chunk->targets[c->target];
    const PGresult *result = chunk->result;

    buf_char(out, '{');
    head_write(out, &target->conversation, result, c->head_row, COLUMN_HEAD,
               chunk->group_members_max);
    buf_json_key(out, "unread");
    buf_i64(out, db_get_i64(result, c->head_row, COLUMN_UNREAD));
    buf_json_key(out, "preview");
    if (db_get_null(result, c->head_row, COLUMN_ENTRY + ENTRY_COLUMN_SEQ))
        buf_str(out, "null");
    else
        put_entry(out, result, c->head_row, &target->conversation);
    buf_json_key(out, "entries");
    put_entries(chunk, c, out);
    buf_json_key(out, "more");
    buf_str(out, c->more ? "true" : "false");
    if (chunk->folded && c->more) {
        buf_json_key(out, "next");
        buf_i64(out, next_of(chunk, c));
    }
    buf_char(out, '}');
}
