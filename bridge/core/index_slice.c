/* SPDX-License-Identifier: MIT */
/* index_slice.c - see index_slice.h. Only messages, edits and deletions leave something to find;
 * other entries just move the progress on. */
#include "core/index_slice.h"

#include "core/words.h"
#include "wire/entry.h"

#include <assert.h>

enum {
    ROWS_FACTOR = 2, /* so many times as many rows may be read as are taken */
    WORDS_CEILING = 4 * WORDS_MAX_BYTES,
};

_Static_assert(ENTRY_TEXT == 1 && ENTRY_EDIT == 2 && ENTRY_DELETE == 3,
               "the statement below names the kinds");

static const struct {
    size_t conversations;
    size_t entries;
    int64_t bytes; /* of texts; one text always fits */
} bounds[] = {
    [SLICE_LONG] = {SLICE_CONVERSATIONS_MAX, 256, 64 << 10},
    [SLICE_SHORT] = {16, 16, 4 << 10}, /* 0.2 ms of cutting words, 1 ms of each statement */
};

/* $1 conversations, $2 entries, $3 bytes, $4 entries of each conversation. octet_length() reads the
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
           "                ORDER BY m.seq LIMIT $4::bigint) e"
           "        WINDOW o AS (ORDER BY w.n, e.seq ROWS UNBOUNDED PRECEDING)) r"
           " WHERE place <= $2::bigint AND bytes < $3::bigint"
           " ORDER BY place",
    .parameter_count = 4,
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
    .sql = "SELECT banter.index_slice($1::uuid[], $2::bigint[], $3::bigint[], $4::uuid[],"
           " $5::bigint[], $6::bigint[], $7::text[])",
    .parameter_count = 7,
};

size_t index_slice_conversations_max(enum slice_size size)
{
    return bounds[size].conversations;
}

static size_t entries_max(const struct index_slice *s)
{
    return s->care == SLICE_AS_USUAL ? bounds[s->size].entries : 1;
}

/* Most conversations have an entry or two when they are looked at, few have many: who has more than
 * this comes again, instead of rows being read for each that one of them fills the slice with. */
static size_t entries_of_each_max(const struct index_slice *s)
{
    size_t share = ROWS_FACTOR * entries_max(s) / s->count;

    if (share == 0)
        return 1;
    return share < entries_max(s) ? share : entries_max(s);
}

struct db_params *index_slice_read_params(const struct index_slice *s)
{
    struct db_params *p = db_params_create();

    db_array_begin(p, DB_UUID_ARRAY);
    for (size_t i = 0; i < s->count; i++)
        db_array_uuid(p, &s->conversations[i]);
    db_array_end(p);
    db_i64(p, (int64_t)entries_max(s));
    db_i64(p, bounds[s->size].bytes);
    db_i64(p, (int64_t)entries_of_each_max(s));
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

/* Of conversations after a cut, and of that before it, nobody knows. */
static void mark_unfinished(struct index_slice *s, const PGresult *result)
{
    int rows = PQntuples(result);
    size_t each_max = entries_of_each_max(s);
    size_t of_this = 0, n = 0;

    for (int row = 0; row < rows; row++) {
        of_this = is_first_of_conversation(result, row) ? 1 : of_this + 1;
        n = (size_t)db_get_i64(result, row, COLUMN_N);
        assert(n >= 1 && n <= s->count);
        s->wants_more[n - 1] = of_this == each_max;
    }
    if (rows > 0 && db_get_bool(result, rows - 1, COLUMN_IS_CUT)) {
        for (; n <= s->count; n++)
            s->wants_more[n - 1] = true;
    }
}

struct db_params *index_slice_read(struct index_slice *s, const PGresult *result)
{
    int rows = PQntuples(result);
    struct db_params *p;

    s->entries = (size_t)rows;
    mark_unfinished(s, result);
    if (rows == 0)
        return NULL;
    s->last_conversation = db_get_uuid(result, rows - 1, COLUMN_CONVERSATION);
    s->last_seq = db_get_i64(result, rows - 1, COLUMN_SEQ);
    p = db_params_create();
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

void index_slice_written(struct index_slice *s, const PGresult *result)
{
    for (int row = 0; row < PQntuples(result); row++) {
        struct uuid left_alone = db_get_uuid(result, row, 0);
        for (size_t i = 0; i < s->count; i++) {
            if (uuid_equal(&s->conversations[i], &left_alone))
                s->wants_more[i] = true;
        }
    }
}

bool index_slice_wants_more(const struct index_slice *s, size_t i)
{
    assert(i < s->count);
    return s->wants_more[i];
}
