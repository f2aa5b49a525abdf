/* SPDX-License-Identifier: MIT */
/* index_slice.c - see index_slice.h. Only messages, edits and deletions leave something to find;
 * other entries just move the progress on. */
#include "core/index_slice.h"

#include "core/words.h"
#include "wire/entry.h"

#include <assert.h>

enum {
    SLICE_ENTRIES_MAX = 256,
    SLICE_BYTES_MAX = 64 << 10, /* of texts; one text always fits */
    WORDS_CEILING = 4 * WORDS_MAX_BYTES,
};

_Static_assert(ENTRY_TEXT == 1 && ENTRY_EDIT == 2 && ENTRY_DELETE == 3,
               "the statement below names the kinds");

/* $1 conversations, $2 entries, $3 bytes. octet_length() reads the
 * length of a long text without reading the text. */
const struct db_statement index_slice_read_statement = {
    .name = "index_read",
    .sql = "SELECT n, conversation, indexed_seq, seq, kind, coalesce(target, seq), text, cut"
           "  FROM (SELECT w.n, w.conversation, coalesce(p.indexed_seq, 0) AS indexed_seq, e.*,"
           "               row_number() OVER o AS place,"
           "               sum(coalesce(octet_length(e.text), 0)) OVER o"
           "                 - coalesce(octet_length(e.text), 0) AS bytes,"
           "               lead(true) OVER o IS NOT NULL AS cut"
           "          FROM unnest($1::uuid[]) WITH ORDINALITY w (conversation, n)"
           "          LEFT JOIN banter.search_progress p ON p.conversation = w.conversation"
           "         CROSS JOIN LATERAL ("
           "               SELECT m.seq, m.kind, m.target,"
           "                      CASE WHEN m.kind IN (1, 2) THEN m.text END AS text"
           "                 FROM banter.messages m"
           "                WHERE m.conversation = w.conversation"
           "                  AND m.seq > coalesce(p.indexed_seq, 0)"
           "                ORDER BY m.seq LIMIT $2::bigint) e"
           "        WINDOW o AS (ORDER BY w.n, e.seq ROWS UNBOUNDED PRECEDING)) r"
           " WHERE place <= $2::bigint AND bytes < $3::bigint"
           " ORDER BY place",
    .parameter_count = 3,
};

enum read_column {
    COLUMN_N,
    COLUMN_CONVERSATION,
    COLUMN_INDEXED_SEQ,
    COLUMN_SEQ,
    COLUMN_KIND,
    COLUMN_TARGET,
    COLUMN_TEXT,
    COLUMN_IS_CUT, /* of the last row: something was left out after it */
};

const struct db_statement index_slice_write_statement = {
    .name = "index_write",
    .sql = "SELECT banter.index_entries($1::uuid[], $2::bigint[], $3::bigint[], $4::uuid[],"
           " $5::bigint[], $6::bigint[], $7::text[])",
    .parameter_count = 7,
};

struct db_params *index_slice_read_params(const struct index_slice *s)
{
    struct db_params *p = db_params_create();
    bool single = s->care != SLICE_AS_USUAL;

    db_array_begin(p, DB_UUID_ARRAY);
    for (size_t i = 0; i < s->count; i++)
        db_array_uuid(p, &s->conversations[i]);
    db_array_end(p);
    db_i64(p, single ? 1 : SLICE_ENTRIES_MAX);
    db_i64(p, SLICE_BYTES_MAX);
    return p;
}

/* Rows of one conversation follow each other. */
static bool is_last_of_conversation(const PGresult *result, int row)
{
    return row + 1 == PQntuples(result) ||
           db_get_i64(result, row, COLUMN_N) != db_get_i64(result, row + 1, COLUMN_N);
}

static bool is_first_of_conversation(const PGresult *result, int row)
{
    return row == 0 || is_last_of_conversation(result, row - 1);
}

/* The three arrays that say how far each conversation has come. */
static void put_progress(struct db_params *p, const PGresult *result)
{
    int rows = PQntuples(result);

    db_array_begin(p, DB_UUID_ARRAY);
    for (int row = 0; row < rows; row++) {
        struct uuid conversation = db_get_uuid(result, row, COLUMN_CONVERSATION);
        if (is_first_of_conversation(result, row))
            db_array_uuid(p, &conversation);
    }
    db_array_end(p);
    db_array_begin(p, DB_I64_ARRAY);
    for (int row = 0; row < rows; row++) {
        if (is_first_of_conversation(result, row))
            db_array_i64(p, db_get_i64(result, row, COLUMN_INDEXED_SEQ));
    }
    db_array_end(p);
    db_array_begin(p, DB_I64_ARRAY);
    for (int row = 0; row < rows; row++) {
        if (is_last_of_conversation(result, row))
            db_array_i64(p, db_get_i64(result, row, COLUMN_SEQ));
    }
    db_array_end(p);
}

static bool leaves_words(const PGresult *result, int row)
{
    int64_t kind = db_get_i64(result, row, COLUMN_KIND);

    return kind == ENTRY_TEXT || kind == ENTRY_EDIT || kind == ENTRY_DELETE;
}

static void put_numbers(struct db_params *p, const PGresult *result, enum read_column column)
{
    db_array_begin(p, DB_I64_ARRAY);
    for (int row = 0; row < PQntuples(result); row++) {
        if (leaves_words(result, row))
            db_array_i64(p, db_get_i64(result, row, column));
    }
    db_array_end(p);
}

/* A text without words, like one that was deleted, leaves nothing to find. */
static void put_words(struct db_params *p, const struct index_slice *s, const PGresult *result)
{
    struct buf words;

    buf_init(&words, WORDS_CEILING);
    db_array_begin(p, DB_TEXT_ARRAY);
    for (int row = 0; row < PQntuples(result); row++) {
        struct slice text = db_get_text(result, row, COLUMN_TEXT);
        bool is_cut = s->care == SLICE_WITHOUT_WORDS || db_get_null(result, row, COLUMN_TEXT);

        if (!leaves_words(result, row))
            continue;
        buf_reset(&words);
        if (!is_cut && words_of_text(text, &words) && words.length > 0)
            db_array_text(p, buf_slice(&words));
        else
            db_array_null(p);
    }
    db_array_end(p);
    buf_finish(&words);
}

struct db_params *index_slice_read(struct index_slice *s, const PGresult *result)
{
    int rows = PQntuples(result);
    struct db_params *p;

    s->entries = (size_t)rows;
    s->is_cut = rows > 0 && db_get_bool(result, rows - 1, COLUMN_IS_CUT);
    if (rows == 0)
        return NULL;
    s->last_conversation = db_get_uuid(result, rows - 1, COLUMN_CONVERSATION);
    s->last_seq = db_get_i64(result, rows - 1, COLUMN_SEQ);
    p = db_params_create();
    for (int row = 0; row < rows; row++) {
        size_t n = (size_t)db_get_i64(result, row, COLUMN_N);
        assert(n >= 1 && n <= s->count);
        s->has_entries[n - 1] = true;
    }
    put_progress(p, result);
    db_array_begin(p, DB_UUID_ARRAY);
    for (int row = 0; row < rows; row++) {
        struct uuid conversation = db_get_uuid(result, row, COLUMN_CONVERSATION);
        if (leaves_words(result, row))
            db_array_uuid(p, &conversation);
    }
    db_array_end(p);
    put_numbers(p, result, COLUMN_SEQ);
    put_numbers(p, result, COLUMN_TARGET);
    put_words(p, s, result);
    return p;
}

bool index_slice_wants_more(const struct index_slice *s, size_t i)
{
    assert(i < s->count);
    return s->has_entries[i] || s->is_cut;
}
