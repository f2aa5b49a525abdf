/* SPDX-License-Identifier: MIT */
/* batch.c - drafts that are committed together.
 *
 * Measured (PostgreSQL 15, fsync on, 200-byte texts, 1,000 conversations of two, one connection,
 * two batches in flight, one core shared with the client): 2.8k drafts/s in batches of 1, 15k of 8,
 * 34k of 64, 41k of 512; server CPU 28 µs a draft from 64 on. Joining the new heads back to the
 * drafts instead of locking first needs nested loops over the batch: 12k/s at 512. */
#include "core/ingest/batch.h"

#include "base/fault_point.h"
#include "base/memory.h"
#include "db/fault_commit.h"
#include "wire/entry.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { UNIQUE_VIOLATION_RETRIES = 4 };

const char batch_setup_sql[] =
    "SET synchronous_commit = on; SET client_connection_check_interval = '1s';"
    "SET enable_seqscan = off; SET enable_bitmapscan = off; SET enable_hashjoin = off;"
    "SET enable_mergejoin = off; SET plan_cache_mode = force_generic_plan; SET jit = off;"
    "SET max_parallel_workers_per_gather = 0;"
    "SET cpu_tuple_cost = 10; SET cpu_index_tuple_cost = 5; SET cpu_operator_cost = 2;"
    "SET statement_timeout = '8s'; SET lock_timeout = '2s'; SET "
    "idle_in_transaction_session_timeout = '10s';"
    "SET banter.batch = '0'";

static const struct db_statement follow_statement = {
    .name = "ingest_follow",
    .sql = "SELECT banter.follow_batch($1::bigint, $2::bigint)",
    .parameter_count = 2,
};

/* For this transaction. The writer waits for everybody while it waits for a lock. */
static const struct db_statement hasty_statement = {
    .name = "ingest_hasty",
    .sql = "SELECT set_config('lock_timeout', '100ms', true)",
    .parameter_count = 0,
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

/* Numbered as banter.judge_target() (0005_targets.sql) has them. */
enum verdict {
    VERDICT_STORED,
    VERDICT_DUPLICATE,
    VERDICT_CONFLICT,
    VERDICT_NO_CONVERSATION,
    VERDICT_READER,
    VERDICT_NO_REPLIED,
    VERDICT_NO_MESSAGE,
    VERDICT_DELETED,
    VERDICT_NOT_AUTHOR,
    VERDICT_NOT_ADMIN,
    VERDICT_EDITS_FULL,
    VERDICT_DUPLICATE_ERASED, /* stored before, and what it said has been deleted since */
};

/* Roles: 1 is ROLE_READER, 2 ROLE_MEMBER; readers of a channel (kind 3) react (kind 4). A draft
 * that was stored before is answered as such whatever its sender may do by now; one whose text has
 * been deleted since cannot be compared. Only drafts that concern a message cost a look at it. The
 * three arrays before the last parameter are empty in a batch without such drafts, which leaves
 * kind NULL: a text.
 *
 * $9 says whether drafts may have been stored before. If not, only those that would be refused are
 * looked for, which saves a quarter of the time; a draft that was stored after all meets its own
 * name in the table, and the batch fails with 23505.
 *
 * OFFSET 0 keeps a look-up a query of its own, whose index scan takes every column it is given.
 * Plain joins may be planned by the conversation alone, because the average conversation is small,
 * and then a large channel is read whole for every draft. The session's costs of tuples decide for
 * the index of (conversation, sender, id) for the same reason. */
#define APPEND_SQL(OUTBOX)                                                                         \
    "WITH judged AS MATERIALIZED ("                                                                \
    "  SELECT d.*, old.seq AS old_seq, old.at AS old_at,"                                          \
    "         CASE WHEN d.last_seq IS NULL OR old.seq IS NULL THEN d.now"                          \
    "              WHEN old.kind = coalesce(d.kind, 1)"                                            \
    "                AND old.reply_to IS NOT DISTINCT FROM d.reply_to"                             \
    "                AND old.target IS NOT DISTINCT FROM d.target"                                 \
    "                AND (old.text IS NULL OR (old.text = d.text"                                  \
    "                     AND old.data IS NOT DISTINCT FROM d.data))"                              \
    "              THEN CASE WHEN old.text IS NULL AND d.text IS NOT NULL THEN 11 ELSE 1 END"      \
    "              ELSE 2 END AS verdict"                                                          \
    "  FROM (SELECT d.*, c.last_seq, m.role,"                                                      \
    "               CASE WHEN c.id IS NULL OR m.role IS NULL THEN 3"                               \
    "                    WHEN m.role < 2 AND (c.kind <> 3 OR d.kind IS DISTINCT FROM 4) THEN 4"    \
    "                    WHEN d.target IS NOT NULL THEN banter.judge_target("                      \
    "                      d.conversation, d.target, d.kind::smallint, d.sender, m.role)"          \
    "                    WHEN d.reply_to NOT BETWEEN 1 AND c.last_seq THEN 5"                      \
    "                    ELSE 0 END AS now"                                                        \
    "        FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::text[], $5::bigint[],"          \
    "                    $6::bigint[], $7::bigint[], $8::text[]) WITH ORDINALITY"                  \
    "               AS d (conversation, sender, id, text, reply_to, kind, target, data, n)"        \
    "        LEFT JOIN banter.conversations c ON c.id = d.conversation AND c.deleted_at IS NULL"   \
    "        LEFT JOIN LATERAL (SELECT role FROM banter.members"                                   \
    "          WHERE conversation = d.conversation AND user_id = d.sender OFFSET 0) m ON true"     \
    "        OFFSET 0) d"                                                                          \
    "  LEFT JOIN LATERAL (SELECT seq, at, kind, reply_to, target, text, data"                      \
    "    FROM banter.messages WHERE conversation = d.conversation"                                 \
    "    AND sender = d.sender AND id = d.id AND ($9::boolean OR d.now <> 0)"                      \
    "    OFFSET 0) old ON true"                                                                    \
    "), placed AS MATERIALIZED ("                                                                  \
    "  SELECT *, (SELECT clock_timestamp()::timestamptz(3)) AS at,"                                \
    "         last_seq + count(*) FILTER (WHERE verdict = 0)"                                      \
    "           OVER (PARTITION BY conversation ORDER BY n) AS seq"                                \
    "  FROM judged"                                                                                \
    "), advanced AS ("                                                                             \
    "  UPDATE banter.conversations c SET last_seq = p.last_seq"                                    \
    "  FROM (SELECT conversation, max(seq) AS last_seq FROM placed WHERE verdict = 0"              \
    "        GROUP BY conversation) p"                                                             \
    "  WHERE c.id = p.conversation"                                                                \
    "), stored AS ("                                                                               \
    "  INSERT INTO banter.messages"                                                                \
    "         (conversation, seq, sender, at, kind, reply_to, id, text, data, target)"             \
    "  SELECT conversation, seq, sender, at, coalesce(kind, 1), reply_to, id, text, data,"         \
    "         target"                                                                              \
    "  FROM placed WHERE verdict = 0"                                                              \
    ")" OUTBOX "SELECT n, verdict,"                                                                \
    "       CASE WHEN verdict = 0 THEN seq ELSE old_seq END,"                                      \
    "       CASE WHEN verdict = 0 THEN at ELSE old_at END, role"                                   \
    " FROM placed"

const struct db_statement batch_append_statement = {
    .name = "ingest_append",
    .sql = APPEND_SQL(""),
    .parameter_count = 9,
};

/* The same, with a row of the outbox for each text: members who are away may want to be told. */
const struct db_statement batch_append_push_statement = {
    .name = "ingest_append_push",
    .sql = APPEND_SQL(", told AS ("
                      "  INSERT INTO banter.push_outbox (conversation, seq, sender)"
                      "  SELECT conversation, seq, sender FROM placed"
                      "  WHERE verdict = 0 AND coalesce(kind, 1) = 1"
                      ")"),
    .parameter_count = 9,
};

static const struct db_statement fold_statement = {
    .name = "ingest_fold",
    .sql = "SELECT banter.fold_entries($1::uuid[], $2::bigint[], $3::text[])",
    .parameter_count = 3,
};

enum append_column { COLUMN_N, COLUMN_VERDICT, COLUMN_SEQ, COLUMN_AT, COLUMN_ROLE };

struct batch *batch_create(void *owner, size_t capacity)
{
    struct batch *b = must_calloc(1, sizeof *b);

    b->owner = owner;
    b->drafts = must_calloc(4 * capacity, sizeof(struct submission *));
    b->rows = b->drafts + capacity;
    b->strangers = b->rows + capacity;
    b->targeted = b->strangers + capacity;
    map_init(&b->names, &submission_by_name);
    return b;
}

void batch_destroy(struct batch *b)
{
    for (size_t i = 0; i < b->count; i++)
        submission_destroy(b->drafts[i]);
    map_finish(&b->names);
    free(b->drafts);
    free(b);
}

static bool is_another_of_its_name(const struct batch *b, const struct submission *s)
{
    const struct submission *twin = s->judged ? NULL : map_find(&b->names, s);

    return twin && !submission_same_body(s, twin);
}

bool batch_may_add(const struct batch *b, const struct submission *s)
{
    for (size_t i = 0; i < b->targeted_count && s->target > 0; i++) {
        const struct submission *other = b->targeted[i];
        if (other->kind != ENTRY_REACTION && other->target == s->target &&
            uuid_equal(&other->conversation, &s->conversation))
            return false;
    }
    return !is_another_of_its_name(b, s);
}

void batch_add(struct batch *b, struct submission *s)
{
    submission_reset(s);
    b->drafts[b->count++] = s;
    if (s->judged)
        return;
    if (s->target > 0)
        b->targeted[b->targeted_count++] = s;
    s->twin = map_find(&b->names, s);
    if (s->twin)
        return;
    if (!map_insert(&b->names, s))
        abort(); /* out of memory, as everywhere in the bridge */
    b->rows[b->row_count++] = s;
}

void batch_close(struct batch *b, const struct directs *known)
{
    for (size_t i = 0; i < b->row_count; i++) {
        struct submission *s = b->rows[i];
        if (s->other[0] && !directs_is_known(known, &s->conversation))
            b->strangers[b->stranger_count++] = s;
    }
}

void batch_settle_twins(struct batch *b)
{
    for (size_t i = 0; i < b->count; i++) {
        struct submission *s = b->drafts[i];
        if (!s->twin)
            continue;
        s->outcome = s->twin->outcome;
        s->outcome.duplicate = true;
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

    db_array_begin(p, DB_UUID_ARRAY);
    for (size_t i = 0; i < b->stranger_count; i++)
        db_array_uuid(p, &b->strangers[i]->conversation);
    db_array_end(p);
    db_array_begin(p, DB_TEXT_ARRAY);
    for (size_t i = 0; i < b->stranger_count; i++)
        db_array_text(p, slice_str(b->strangers[i]->handle));
    db_array_end(p);
    db_array_begin(p, DB_TEXT_ARRAY);
    for (size_t i = 0; i < b->stranger_count; i++)
        db_array_text(p, slice_str(b->strangers[i]->other));
    db_array_end(p);
    return p;
}

static void put_conversations(struct db_params *p, const struct batch *b)
{
    db_array_begin(p, DB_UUID_ARRAY);
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

static void put_text(struct db_params *p, struct slice text)
{
    if (text.length > 0)
        db_array_text(p, text);
    else
        db_array_null(p);
}

static void put_seq(struct db_params *p, int64_t seq)
{
    if (seq > 0)
        db_array_i64(p, seq);
    else
        db_array_null(p);
}

/* Kinds, targets and data. */
static void put_targets(struct db_params *p, struct submission *const *rows, size_t count)
{
    db_array_begin(p, DB_I64_ARRAY);
    for (size_t i = 0; i < count; i++)
        db_array_i64(p, rows[i]->kind);
    db_array_end(p);
    db_array_begin(p, DB_I64_ARRAY);
    for (size_t i = 0; i < count; i++)
        put_seq(p, rows[i]->target);
    db_array_end(p);
    db_array_begin(p, DB_TEXT_ARRAY);
    for (size_t i = 0; i < count; i++)
        put_text(p, submission_data(rows[i]));
    db_array_end(p);
}

static struct db_params *append_params(const struct batch *b)
{
    struct db_params *p = db_params_create();

    put_conversations(p, b);
    db_array_begin(p, DB_I64_ARRAY);
    for (size_t i = 0; i < b->row_count; i++)
        db_array_i64(p, (int64_t)b->rows[i]->uid);
    db_array_end(p);
    db_array_begin(p, DB_TEXT_ARRAY);
    for (size_t i = 0; i < b->row_count; i++)
        db_array_text(p, fault_renames(no_dedup, b->rows[i]->id));
    db_array_end(p);
    db_array_begin(p, DB_TEXT_ARRAY);
    for (size_t i = 0; i < b->row_count; i++)
        put_text(p, b->rows[i]->text);
    db_array_end(p);
    db_array_begin(p, DB_I64_ARRAY);
    for (size_t i = 0; i < b->row_count; i++)
        put_seq(p, b->rows[i]->reply_to);
    db_array_end(p);
    put_targets(p, b->rows, b->targeted_count > 0 ? b->row_count : 0);
    db_bool(p, b->wary);
    return p;
}

/* Twins share their row. */
static struct db_params *fold_params(const struct batch *b)
{
    struct db_params *p = db_params_create();

    db_array_begin(p, DB_UUID_ARRAY);
    for (size_t i = 0; i < b->targeted_count; i++) {
        if (!b->targeted[i]->twin)
            db_array_uuid(p, &b->targeted[i]->conversation);
    }
    db_array_end(p);
    db_array_begin(p, DB_I64_ARRAY);
    for (size_t i = 0; i < b->targeted_count; i++) {
        if (!b->targeted[i]->twin)
            db_array_i64(p, (int64_t)b->targeted[i]->uid);
    }
    db_array_end(p);
    db_array_begin(p, DB_TEXT_ARRAY);
    for (size_t i = 0; i < b->targeted_count; i++) {
        if (!b->targeted[i]->twin)
            db_array_text(p, b->targeted[i]->id);
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

static struct ingest_outcome refusal_of(const struct submission *s, enum verdict verdict)
{
    static const struct ingest_outcome refusals[] = {
        [VERDICT_CONFLICT] = {.code = CODE_CONFLICT,
                              .reason = "this id was used for another draft"},
        [VERDICT_NO_CONVERSATION] = {.code = CODE_NOT_FOUND,
                                     .reason =
                                         "no such conversation, or you are not a member of it"},
        [VERDICT_READER] = {.code = CODE_FORBIDDEN,
                            .reason = "you may only read in this conversation"},
        [VERDICT_NO_REPLIED] = {.code = CODE_INVALID,
                                .reason = "reply_to names no entry of this conversation"},
        [VERDICT_NO_MESSAGE] = {.code = CODE_INVALID,
                                .reason = "target names no message of this conversation"},
        [VERDICT_DELETED] = {.code = CODE_NOT_FOUND,
                             .reason = "the message that target names is deleted"},
        [VERDICT_NOT_AUTHOR] = {.code = CODE_FORBIDDEN,
                                .reason = "only its author edits a message"},
        [VERDICT_NOT_ADMIN] = {.code = CODE_FORBIDDEN,
                               .reason = "only its author, an admin or an owner deletes a message"},
        [VERDICT_EDITS_FULL] = {.code = CODE_LIMIT_REACHED,
                                .reason = "a message can be edited 100 times"},
    };

    _Static_assert(EDITS_MAX == 100, "the reason says so, and banter.judge_target()");
    assert(verdict < sizeof refusals / sizeof refusals[0] && refusals[verdict].code != CODE_OK);
    if (verdict == VERDICT_NO_CONVERSATION && s->other[0])
        return (struct ingest_outcome){.code = CODE_NOT_FOUND, .reason = "no such user"};
    return refusals[verdict];
}

static void on_append_reply(void *owner, const struct db_reply *reply)
{
    struct batch *b = owner;

    if (reply->status != DB_OK)
        return;
    assert((size_t)PQntuples(reply->result) == b->row_count);
    for (int row = 0; row < PQntuples(reply->result); row++) {
        enum verdict verdict = (enum verdict)db_get_i64(reply->result, row, COLUMN_VERDICT);
        int64_t n = db_get_i64(reply->result, row, COLUMN_N);
        assert(n >= 1 && (size_t)n <= b->row_count);
        struct submission *s = b->rows[n - 1];

        s->erased = verdict == VERDICT_DUPLICATE_ERASED;
        s->role = (enum role)db_get_i64(reply->result, row, COLUMN_ROLE);
        if (verdict == VERDICT_STORED || verdict == VERDICT_DUPLICATE || s->erased)
            s->outcome =
                (struct ingest_outcome){.code = CODE_OK,
                                        .conversation = s->conversation,
                                        .seq = db_get_i64(reply->result, row, COLUMN_SEQ),
                                        .at_ms = db_get_time_ms(reply->result, row, COLUMN_AT),
                                        .duplicate = verdict != VERDICT_STORED};
        else
            s->outcome = refusal_of(s, verdict);
    }
}

bool batch_send(struct batch *b, struct db_conn *c, uint64_t follows, db_reply_fn *on_end)
{
    assert(b->row_count > 0);
    return fault_begins(c) && (!b->hasty || db_conn_query(c, &hasty_statement, NULL, NULL, NULL)) &&
           db_conn_query(c, &follow_statement, follow_params(follows, b->number), NULL, NULL) &&
           (b->stranger_count == 0 ||
            db_conn_query(c, &ensure_statement, ensure_params(b), on_ensure_reply, b)) &&
           db_conn_query(c, &batch_lock_statement, lock_params(b), NULL, NULL) &&
           db_conn_query(c, b->tells ? &batch_append_push_statement : &batch_append_statement,
                         append_params(b), on_append_reply, b) &&
           (b->targeted_count == 0 ||
            db_conn_query(c, &fold_statement, fold_params(b), NULL, NULL)) &&
           db_conn_sync(c, on_end, b) && fault_commits(c);
}

enum batch_remedy batch_remedy_for(const struct batch *b, unsigned attempts)
{
    const char *sqlstate = b->sqlstate;

    if (strcmp(sqlstate, "BT001") == 0)
        return REMEDY_FOLLOW;
    /* A draft was stored before, and nobody looked. Or somebody did: then another session stored it
     * meanwhile, or the conversation's head is wrong, and trying again would stop everybody for
     * ever. */
    if (strcmp(sqlstate, "23505") == 0 && !b->wary)
        return REMEDY_BEWARE;
    if (strcmp(sqlstate, "23505") == 0)
        return attempts < UNIQUE_VIOLATION_RETRIES ? REMEDY_RETRY : REMEDY_BISECT;
    /* Canceled by statement_timeout, or for lack of a lock in time. */
    if (strcmp(sqlstate, "57014") == 0 || strcmp(sqlstate, "55P03") == 0)
        return REMEDY_ASIDE;
    /* Data exceptions, integrity violations, program limits (PostgreSQL, appendix A). */
    if (strncmp(sqlstate, "22", 2) == 0 || strncmp(sqlstate, "23", 2) == 0 ||
        strncmp(sqlstate, "54", 2) == 0)
        return REMEDY_BISECT;
    return REMEDY_RETRY;
}
