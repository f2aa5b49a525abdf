/* SPDX-License-Identifier: MIT */
/* batch.c - drafts that are committed together.
 *
 * Measured (PostgreSQL 15, fsync on, 200-byte texts, 1,000 conversations of two, one connection,
 * two batches in flight, one core shared with the client): 2.8k drafts/s in batches of 1, 15k of 8,
 * 34k of 64, 41k of 512; server CPU 28 µs a draft from 64 on. Joining the new heads back to the
 * drafts instead of locking first needs nested loops over the batch: 12k/s at 512. */
#include "core/ingest/batch.h"

#include "base/memory.h"
#include "wire/entry.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { UNIQUE_VIOLATION_RETRIES = 4 };

const char batch_setup_sql[] =
    "SET synchronous_commit = on;"
    "SET enable_seqscan = off; SET enable_bitmapscan = off; SET enable_hashjoin = off;"
    "SET enable_mergejoin = off; SET plan_cache_mode = force_generic_plan; SET jit = off;"
    "SET max_parallel_workers_per_gather = 0;"
    "SET statement_timeout = '8s'; SET idle_in_transaction_session_timeout = '10s';"
    "SET banter.batch = '0'";

static const struct db_statement follow_statement = {
    .name = "ingest_follow",
    .sql = "SELECT banter.follow_batch($1::bigint, $2::bigint)",
    .parameter_count = 2,
};

static const struct db_statement ensure_statement = {
    .name = "ingest_ensure",
    .sql = "SELECT d.ord, d.uid_a, d.uid_b"
           " FROM banter.ensure_direct($1::uuid[], $2::text[], $3::text[]) d",
    .parameter_count = 3,
};

const struct db_statement batch_lock_statement = {
    .name = "ingest_lock",
    .sql = "SELECT FROM banter.conversations WHERE id = ANY ($1::uuid[])"
           " ORDER BY id FOR NO KEY UPDATE",
    .parameter_count = 1,
};

/* Kind 1 is ENTRY_TEXT, role 2 is ROLE_MEMBER. A draft that was stored before is answered as such
 * whatever its sender may do by now. */
const struct db_statement batch_append_statement = {
    .name = "ingest_append",
    .sql = "WITH judged AS MATERIALIZED ("
           "  SELECT d.*, coalesce(m.role, 0) AS role, c.last_seq,"
           "         old.seq AS old_seq, old.at AS old_at,"
           "         old.kind = 1 AND old.text = d.text"
           "           AND old.reply_to IS NOT DISTINCT FROM d.reply_to AS same,"
           "         old.seq IS NULL AND coalesce(m.role, 0) >= 2"
           "           AND (d.reply_to IS NULL OR d.reply_to BETWEEN 1 AND c.last_seq) AS fresh"
           "  FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::text[], $5::bigint[])"
           "         WITH ORDINALITY AS d (conversation, sender, id, text, reply_to, n)"
           "  LEFT JOIN banter.conversations c ON c.id = d.conversation"
           "  LEFT JOIN banter.members m"
           "    ON m.conversation = d.conversation AND m.user_id = d.sender"
           "  LEFT JOIN banter.messages old ON old.conversation = d.conversation"
           "    AND old.sender = d.sender AND old.id = d.id"
           "), placed AS MATERIALIZED ("
           "  SELECT *, (SELECT clock_timestamp()::timestamptz(3)) AS at,"
           "         last_seq + count(*) FILTER (WHERE fresh)"
           "           OVER (PARTITION BY conversation ORDER BY n) AS seq"
           "  FROM judged"
           "), advanced AS ("
           "  UPDATE banter.conversations c SET last_seq = p.last_seq"
           "  FROM (SELECT conversation, max(seq) AS last_seq FROM placed WHERE fresh"
           "        GROUP BY conversation) p"
           "  WHERE c.id = p.conversation"
           "), stored AS ("
           "  INSERT INTO banter.messages"
           "         (conversation, seq, sender, at, kind, reply_to, id, text)"
           "  SELECT conversation, seq, sender, at, 1, reply_to, id, text"
           "  FROM placed WHERE fresh"
           ")"
           "SELECT n, role::smallint, fresh, same,"
           "       CASE WHEN fresh THEN seq ELSE old_seq END,"
           "       CASE WHEN fresh THEN at ELSE old_at END"
           " FROM placed",
    .parameter_count = 5,
};

enum append_column { COLUMN_N, COLUMN_ROLE, COLUMN_FRESH, COLUMN_SAME, COLUMN_SEQ, COLUMN_AT };

struct batch *batch_create(void *owner, size_t capacity)
{
    struct batch *b = must_calloc(1, sizeof *b);

    b->owner = owner;
    b->drafts = must_calloc(3 * capacity, sizeof(struct submission *));
    b->rows = b->drafts + capacity;
    b->strangers = b->rows + capacity;
    return b;
}

void batch_destroy(struct batch *b)
{
    for (size_t i = 0; i < b->count; i++)
        submission_destroy(b->drafts[i]);
    free(b->drafts);
    free(b);
}

void batch_add(struct batch *b, struct submission *s)
{
    submission_reset(s);
    b->drafts[b->count++] = s;
}

void batch_close(struct batch *b, const struct directs *known)
{
    struct map names;

    map_init(&names, &submission_by_name);
    for (size_t i = 0; i < b->count; i++) {
        struct submission *s = b->drafts[i];
        if (s->judged)
            continue;
        s->twin = map_find(&names, s);
        if (s->twin)
            continue;
        if (!map_insert(&names, s))
            abort(); /* out of memory, as everywhere in the bridge */
        b->rows[b->row_count++] = s;
        if (s->other[0] && !directs_is_known(known, &s->conversation))
            b->strangers[b->stranger_count++] = s;
    }
    map_finish(&names);
}

void batch_settle_twins(struct batch *b)
{
    for (size_t i = 0; i < b->count; i++) {
        struct submission *s = b->drafts[i];
        if (!s->twin)
            continue;
        s->outcome = s->twin->outcome;
        s->outcome.duplicate = true;
        if (s->outcome.code == CODE_OK && !submission_same_body(s, s->twin))
            s->outcome = (struct ingest_outcome){.code = CODE_CONFLICT,
                                                 .reason = "this id was used for another draft"};
    }
}

static struct db_params *follow_params(uint64_t follows, uint64_t number)
{
    struct db_params *p = db_params_create();
    db_i64(p, (int64_t)follows);
    db_i64(p, (int64_t)number);
    return p;
}

static struct db_params *ensure_params(const struct batch *b)
{
    struct db_params *p = db_params_create();

    db_array_begin(p);
    for (size_t i = 0; i < b->stranger_count; i++)
        db_array_uuid(p, &b->strangers[i]->conversation);
    db_array_end(p);
    db_array_begin(p);
    for (size_t i = 0; i < b->stranger_count; i++)
        db_array_text(p, slice_str(b->strangers[i]->handle));
    db_array_end(p);
    db_array_begin(p);
    for (size_t i = 0; i < b->stranger_count; i++)
        db_array_text(p, slice_str(b->strangers[i]->other));
    db_array_end(p);
    return p;
}

static void put_conversations(struct db_params *p, const struct batch *b)
{
    db_array_begin(p);
    for (size_t i = 0; i < b->row_count; i++)
        db_array_uuid(p, &b->rows[i]->conversation);
    db_array_end(p);
}

static struct db_params *lock_params(const struct batch *b)
{
    struct db_params *p = db_params_create();
    put_conversations(p, b);
    return p;
}

static struct db_params *append_params(const struct batch *b)
{
    struct db_params *p = db_params_create();

    put_conversations(p, b);
    db_array_begin(p);
    for (size_t i = 0; i < b->row_count; i++)
        db_array_i64(p, (int64_t)b->rows[i]->uid);
    db_array_end(p);
    db_array_begin(p);
    for (size_t i = 0; i < b->row_count; i++)
        db_array_text(p, b->rows[i]->id);
    db_array_end(p);
    db_array_begin(p);
    for (size_t i = 0; i < b->row_count; i++)
        db_array_text(p, b->rows[i]->text);
    db_array_end(p);
    db_array_begin(p);
    for (size_t i = 0; i < b->row_count; i++) {
        if (b->rows[i]->reply_to != 0)
            db_array_i64(p, b->rows[i]->reply_to);
        else
            db_array_null(p);
    }
    db_array_end(p);
    return p;
}

/* Absent rows: a user who does not exist. Append then finds no conversation. */
static void on_ensure_reply(void *owner, const struct db_reply *reply)
{
    struct batch *b = owner;

    if (reply->status != DB_OK)
        return;
    for (int row = 0; row < PQntuples(reply->result); row++) {
        int64_t ord = db_get_i64(reply->result, row, 0);
        assert(ord >= 1 && (size_t)ord <= b->stranger_count);
        struct submission *s = b->strangers[ord - 1];
        s->is_direct = true;
        s->uid_a = (uint64_t)db_get_i64(reply->result, row, 1);
        s->uid_b = (uint64_t)db_get_i64(reply->result, row, 2);
    }
}

static struct ingest_outcome outcome_of_row(const struct submission *s, const PGresult *r, int row)
{
    int64_t role = db_get_i64(r, row, COLUMN_ROLE);
    bool fresh = db_get_bool(r, row, COLUMN_FRESH);
    bool stored = !db_get_null(r, row, COLUMN_SEQ);

    if (stored && !fresh && !db_get_bool(r, row, COLUMN_SAME))
        return (struct ingest_outcome){.code = CODE_CONFLICT,
                                       .reason = "this id was used for another draft"};
    if (stored)
        return (struct ingest_outcome){.code = CODE_OK,
                                       .conversation = s->conversation,
                                       .seq = db_get_i64(r, row, COLUMN_SEQ),
                                       .at_ms = db_get_time_ms(r, row, COLUMN_AT),
                                       .duplicate = !fresh};
    if (role == ROLE_NONE && s->other[0])
        return (struct ingest_outcome){.code = CODE_NOT_FOUND, .reason = "no such user"};
    if (role == ROLE_NONE)
        return (struct ingest_outcome){.code = CODE_NOT_FOUND,
                                       .reason =
                                           "no such conversation, or you are not a member of it"};
    if (role < ROLE_MEMBER)
        return (struct ingest_outcome){.code = CODE_FORBIDDEN,
                                       .reason = "you may only read in this conversation"};
    return (struct ingest_outcome){.code = CODE_INVALID,
                                   .reason = "reply_to names no entry of this conversation"};
}

static void on_append_reply(void *owner, const struct db_reply *reply)
{
    struct batch *b = owner;

    if (reply->status != DB_OK)
        return;
    assert((size_t)PQntuples(reply->result) == b->row_count);
    for (int row = 0; row < PQntuples(reply->result); row++) {
        int64_t n = db_get_i64(reply->result, row, COLUMN_N);
        assert(n >= 1 && (size_t)n <= b->row_count);
        struct submission *s = b->rows[n - 1];
        s->fresh = db_get_bool(reply->result, row, COLUMN_FRESH);
        s->outcome = outcome_of_row(s, reply->result, row);
    }
}

bool batch_send(struct batch *b, struct db_conn *c, uint64_t follows, db_reply_fn *on_end)
{
    assert(b->row_count > 0);
    return db_conn_query(c, &follow_statement, follow_params(follows, b->number), NULL, NULL) &&
           (b->stranger_count == 0 ||
            db_conn_query(c, &ensure_statement, ensure_params(b), on_ensure_reply, b)) &&
           db_conn_query(c, &batch_lock_statement, lock_params(b), NULL, NULL) &&
           db_conn_query(c, &batch_append_statement, append_params(b), on_append_reply, b) &&
           db_conn_sync(c, on_end, b);
}

enum batch_remedy batch_remedy_for(const char *sqlstate, unsigned attempts)
{
    if (strcmp(sqlstate, "BT001") == 0)
        return REMEDY_FOLLOW;
    /* Another session stored the same draft meanwhile; or the conversation's head is wrong, and
     * then trying again would stop everybody for ever. */
    if (strcmp(sqlstate, "23505") == 0)
        return attempts < UNIQUE_VIOLATION_RETRIES ? REMEDY_RETRY : REMEDY_BISECT;
    /* Data exceptions, integrity violations, program limits (PostgreSQL, appendix A). */
    if (strncmp(sqlstate, "22", 2) == 0 || strncmp(sqlstate, "23", 2) == 0 ||
        strncmp(sqlstate, "54", 2) == 0)
        return REMEDY_BISECT;
    return REMEDY_RETRY;
}
