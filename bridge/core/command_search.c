/* SPDX-License-Identifier: MIT */
/* command_search.c - searchUsers and searchMessages.
 *
 * Messages are looked for conversation by conversation, in those of the actor as they are now, and
 * nowhere else: another conversation's words are never read. Pages are cut behind a key, which the
 * client gets as `next`. What is shown is read from the log, so that a text which is gone is not
 * found, even if the index has not heard of it yet. */
#include "core/command.h"

#include "core/words.h"

#include <inttypes.h>
#include <stdio.h>

enum {
    TEXTS_MAX_BYTES = 128 << 10, /* a page ends once it passes this; one text always fits */
    KEY_MAX_LENGTH = 96,
};

/* Two look-ups by the key; OFFSET 0 keeps them that, for others may have many blocks. */
#define NO_BLOCK                                                                                   \
    " NOT EXISTS (SELECT FROM banter.blocks k"                                                     \
    "              WHERE k.blocker = u.id AND k.blocked = $3::bigint OFFSET 0)"                    \
    " AND NOT EXISTS (SELECT FROM banter.blocks k"                                                 \
    "                  WHERE k.blocker = $3::bigint AND k.blocked = u.id OFFSET 0)"

/* $1 query, $2 limit, $3 actor. A name begins with the query, or a handle does; U+10FFFF is behind
 * every other character. */
static const struct db_statement search_users = {
    "search_users",
    "WITH q AS MATERIALIZED (SELECT banter.comparable($1::text) AS first,"
    "                               banter.comparable($1::text) || chr(1114111) AS last)"
    "SELECT u.handle, u.name, u.avatar"
    "  FROM ((SELECT 1 AS place, u.handle, u.name, u.avatar"
    "           FROM q JOIN banter.users u"
    "             ON u.handle >= q.first COLLATE \"C\" AND u.handle < q.last COLLATE \"C\""
    "          WHERE u.disabled_at IS NULL AND" NO_BLOCK
    "          ORDER BY u.handle LIMIT $2::bigint + 1)"
    "        UNION ALL"
    "        (SELECT 2, u.handle, u.name, u.avatar"
    "           FROM q JOIN banter.users u"
    "             ON banter.comparable(u.name) ~>=~ q.first"
    "            AND banter.comparable(u.name) ~<~ q.last"
    "          WHERE u.disabled_at IS NULL AND" NO_BLOCK
    "            AND NOT (u.handle >= q.first COLLATE \"C\" AND u.handle < q.last COLLATE \"C\")"
    "          ORDER BY banter.comparable(u.name) USING ~<~, u.handle LIMIT $2::bigint + 1)) u"
    " ORDER BY u.place, banter.comparable(CASE u.place WHEN 2 THEN u.name END) USING ~<~, u.handle"
    " LIMIT $2::bigint + 1",
    3};

enum user_column { USER_COLUMN_HANDLE, USER_COLUMN_NAME, USER_COLUMN_AVATAR };

/* $1 actor, $2 conversation or NULL, $3 words, $4 sender or NULL, $5 and $6 times or NULL, $7 to $9
 * the key of the last one of the page before, or NULL, $10 limit. Always a row; without a
 * conversation in it, nothing was found. */
static const struct db_statement search_messages = {
    "search_messages",
    "WITH own AS MATERIALIZED ("
    "  SELECT m.conversation, c.last_seq - coalesce(p.indexed_seq, 0) AS behind"
    "    FROM banter.members m"
    "    JOIN banter.conversations c ON c.id = m.conversation AND c.deleted_at IS NULL"
    "    LEFT JOIN banter.search_progress p ON p.conversation = m.conversation"
    "   WHERE m.user_id = $1::bigint AND ($2::uuid IS NULL OR m.conversation = $2::uuid)"
    "), found AS MATERIALIZED ("
    "  SELECT f.*"
    "    FROM own o"
    "   CROSS JOIN LATERAL ("
    "         SELECT s.conversation, s.seq, s.text_seq, s.at, s.sender"
    "           FROM banter.search s"
    "          WHERE s.words @@ ('''/' || o.conversation || ''' & ' || $3::text)::tsquery"
    "            AND ($4::text IS NULL"
    "                 OR s.sender = (SELECT u.id FROM banter.users u WHERE u.handle = $4::text))"
    "            AND ($5::bigint IS NULL OR s.at >= to_timestamp($5::bigint / 1000.0))"
    "            AND ($6::bigint IS NULL OR s.at < to_timestamp($6::bigint / 1000.0))"
    "            AND ($7::bigint IS NULL OR (s.at, s.conversation, s.seq) <"
    "                 (to_timestamp($7::bigint / 1000.0)::timestamptz(3), $8::uuid, $9::bigint))"
    "          ORDER BY s.at DESC, s.seq DESC LIMIT $10::bigint + 1) f"
    "   ORDER BY f.at DESC, f.conversation DESC, f.seq DESC LIMIT $10::bigint + 1"
    ")"
    "SELECT h.conversations, h.behind, f.conversation, f.seq, f.at, u.handle, e.text,"
    "       CASE WHEN f.text_seq <> f.seq THEN e.at END"
    "  FROM (SELECT count(*) AS conversations, coalesce(sum(behind), 0)::bigint AS behind FROM "
    "own) h"
    "  LEFT JOIN found f ON true"
    "  LEFT JOIN banter.users u ON u.id = f.sender"
    "  LEFT JOIN banter.messages e ON e.conversation = f.conversation AND e.seq = f.text_seq"
    " ORDER BY f.at DESC, f.conversation DESC, f.seq DESC",
    10};

enum hit_column {
    HIT_COLUMN_CONVERSATIONS,
    HIT_COLUMN_BEHIND,
    HIT_COLUMN_CONVERSATION,
    HIT_COLUMN_SEQ,
    HIT_COLUMN_AT,
    HIT_COLUMN_FROM,
    HIT_COLUMN_TEXT,
    HIT_COLUMN_EDITED_AT,
};

/* Where a page ends: what the next one goes on behind. */
struct search_key {
    int64_t at_ms;
    struct uuid conversation;
    int64_t seq;
};

void start_search_users(struct command *cmd, const json_t *arguments)
{
    struct slice query;
    struct db_params *params;

    if (!argument_query(cmd, arguments, &query) || !argument_limit(cmd, arguments))
        return;
    cmd->searches = true;
    params = db_params_create();
    db_text(params, query);
    db_i64(params, cmd->limit);
    db_i64(params, (int64_t)cmd->uid);
    command_ask(cmd, &search_users, params);
}

static void put_text_or_null(struct buf *b, const char *name, const PGresult *result, int row,
                             int column)
{
    buf_json_key(b, name);
    if (db_get_null(result, row, column))
        buf_str(b, "null");
    else
        buf_json(b, db_get_text(result, row, column));
}

static void put_id(struct buf *b, const char *name, const struct uuid *id)
{
    char text[UUID_TEXT_LENGTH + 1];

    uuid_format(id, text);
    buf_json_key(b, name);
    buf_json(b, slice_of(text, UUID_TEXT_LENGTH));
}

void answer_search_users(struct command *cmd, const PGresult *result)
{
    struct buf *b = &cmd->data;
    int rows = PQntuples(result);
    int shown = rows > (int)cmd->limit ? (int)cmd->limit : rows;

    buf_str(b, "\"users\":[");
    for (int row = 0; row < shown; row++) {
        struct uuid avatar = db_get_uuid(result, row, USER_COLUMN_AVATAR);

        buf_str(b, row > 0 ? ",{" : "{");
        put_text_or_null(b, "user", result, row, USER_COLUMN_HANDLE);
        put_text_or_null(b, "name", result, row, USER_COLUMN_NAME);
        if (db_get_null(result, row, USER_COLUMN_AVATAR))
            buf_str(b, ",\"avatar\":null");
        else
            put_id(b, "avatar", &avatar);
        buf_char(b, '}');
    }
    buf_str(b, rows > shown ? "],\"more\":true" : "],\"more\":false");
}

static void put_key(struct buf *b, const struct search_key *key)
{
    char text[KEY_MAX_LENGTH];
    char id[UUID_TEXT_LENGTH + 1];

    uuid_format(&key->conversation, id);
    snprintf(text, sizeof text, "%" PRId64 ".%s.%" PRId64, key->at_ms, id, key->seq);
    buf_json_key(b, "next");
    buf_json(b, slice_str(text));
}

/* A number in its plainest form. */
static bool take_number(struct slice *text, int64_t *out)
{
    size_t digits = 0;

    for (*out = 0; digits < text->length && text->data[digits] >= '0' && text->data[digits] <= '9';
         digits++) {
        if (digits == 18)
            return false;
        *out = *out * 10 + (text->data[digits] - '0');
    }
    *text = slice_of(text->data + digits, text->length - digits);
    return digits > 0;
}

static bool parse_key(struct slice text, struct search_key *key)
{
    if (!take_number(&text, &key->at_ms) || text.length < UUID_TEXT_LENGTH + 3 ||
        text.data[0] != '.' || text.data[UUID_TEXT_LENGTH + 1] != '.' ||
        !uuid_parse(&key->conversation, slice_of(text.data + 1, UUID_TEXT_LENGTH)))
        return false;
    text = slice_of(text.data + UUID_TEXT_LENGTH + 2, text.length - UUID_TEXT_LENGTH - 2);
    return key->at_ms < INT64_C(253402300800000) && take_number(&text, &key->seq) &&
           text.length == 0;
}

/* The page that is asked for, as the last four parameters. */
static bool put_page(struct command *cmd, const json_t *arguments, struct db_params *params)
{
    const json_t *next = json_object_get(arguments, "next");
    struct search_key key;

    if (!argument_limit(cmd, arguments))
        return false;
    if (next && !parse_key(slice_of(json_string_value(next), json_string_length(next)), &key)) {
        command_fail(cmd, CODE_INVALID, "\"next\" does not come from an answer to this command");
        return false;
    }
    if (next) {
        db_i64(params, key.at_ms);
        db_uuid(params, &key.conversation);
        db_i64(params, key.seq);
    } else {
        db_null(params);
        db_null(params);
        db_null(params);
    }
    db_i64(params, cmd->limit);
    return true;
}

static bool put_words(struct command *cmd, const json_t *arguments, struct db_params *params)
{
    struct slice query;
    struct buf words;
    bool ok;

    if (!argument_query(cmd, arguments, &query))
        return false;
    buf_init(&words, 4 * WORDS_MAX_BYTES);
    ok = words_of_query(query, &words) && words.length > 0;
    if (ok)
        db_text(params, buf_slice(&words));
    else
        command_fail(cmd, CODE_INVALID, "\"query\" holds no word to search for");
    buf_finish(&words);
    return ok;
}

static bool put_time(struct command *cmd, const json_t *arguments, const char *name,
                     struct db_params *params)
{
    bool present;
    int64_t unix_ms = 0;

    if (!argument_time(cmd, arguments, name, &present, &unix_ms))
        return false;
    if (present)
        db_i64(params, unix_ms);
    else
        db_null(params);
    return true;
}

static bool put_filters(struct command *cmd, const json_t *arguments, struct db_params *params)
{
    struct slice from;

    if (!json_object_get(arguments, "from"))
        db_null(params);
    else if (argument_handle(cmd, arguments, "from", &from))
        db_text(params, from);
    else
        return false;
    return put_time(cmd, arguments, "after", params) && put_time(cmd, arguments, "before", params);
}

/* Remembers in cmd->conversation whether one was named: no conversation has the nil id. */
static bool put_conversation(struct command *cmd, const json_t *arguments, struct db_params *params)
{
    if (!json_object_get(arguments, "conversation")) {
        db_null(params);
        return true;
    }
    if (!argument_conversation(cmd, arguments))
        return false;
    db_uuid(params, &cmd->conversation);
    return true;
}

void start_search_messages(struct command *cmd, const json_t *arguments)
{
    struct db_params *params = db_params_create();

    cmd->searches = true;
    db_i64(params, (int64_t)cmd->uid);
    if (put_conversation(cmd, arguments, params) && put_words(cmd, arguments, params) &&
        put_filters(cmd, arguments, params) && put_page(cmd, arguments, params))
        command_ask(cmd, &search_messages, params);
    else
        db_params_destroy(params);
}

static void put_hit(struct buf *b, const PGresult *result, int row)
{
    struct uuid conversation = db_get_uuid(result, row, HIT_COLUMN_CONVERSATION);

    buf_char(b, '{');
    put_id(b, "conversation", &conversation);
    buf_json_key(b, "seq");
    buf_i64(b, db_get_i64(result, row, HIT_COLUMN_SEQ));
    command_put_time(b, "at", db_get_time_ms(result, row, HIT_COLUMN_AT));
    put_text_or_null(b, "from", result, row, HIT_COLUMN_FROM);
    put_text_or_null(b, "text", result, row, HIT_COLUMN_TEXT);
    if (!db_get_null(result, row, HIT_COLUMN_EDITED_AT))
        command_put_time(b, "edited_at", db_get_time_ms(result, row, HIT_COLUMN_EDITED_AT));
    buf_char(b, '}');
}

/* Returns how many rows the page takes, those without a text among them. */
static int put_hits(struct command *cmd, const PGresult *result, int rows)
{
    struct buf *b = &cmd->data;
    bool is_first = true;
    int row;

    buf_str(b, "\"hits\":[");
    for (row = 0; row < rows && row < (int)cmd->limit && b->length < TEXTS_MAX_BYTES; row++) {
        if (db_get_null(result, row, HIT_COLUMN_TEXT))
            continue; /* deleted, and the index has not heard of it */
        if (!is_first)
            buf_char(b, ',');
        put_hit(b, result, row);
        is_first = false;
    }
    buf_char(b, ']');
    return row;
}

void answer_search_messages(struct command *cmd, const PGresult *result)
{
    static const struct uuid nil;
    int rows = PQntuples(result);
    int64_t behind;
    int taken;

    if (db_get_i64(result, 0, HIT_COLUMN_CONVERSATIONS) == 0 &&
        !uuid_equal(&cmd->conversation, &nil)) {
        command_fail_no_conversation(cmd);
        return;
    }
    if (db_get_null(result, 0, HIT_COLUMN_CONVERSATION))
        rows = 0;
    taken = put_hits(cmd, result, rows);
    behind = db_get_i64(result, 0, HIT_COLUMN_BEHIND);
    buf_json_key(&cmd->data, "pending");
    buf_i64(&cmd->data, behind);
    buf_str(&cmd->data, taken < rows ? ",\"more\":true" : ",\"more\":false");
    if (taken < rows)
        put_key(&cmd->data,
                &(struct search_key){
                    .at_ms = db_get_time_ms(result, taken - 1, HIT_COLUMN_AT),
                    .conversation = db_get_uuid(result, taken - 1, HIT_COLUMN_CONVERSATION),
                    .seq = db_get_i64(result, taken - 1, HIT_COLUMN_SEQ),
                });
    if (behind > 0)
        command_index_is_behind(cmd);
}
