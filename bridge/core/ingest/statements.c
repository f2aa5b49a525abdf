/* SPDX-License-Identifier: MIT */
/* statements.c - see statements.h.
 *
 * Measured with lock and append, before there was swift (PostgreSQL 15, fsync on, 200-byte texts,
 * 1,000 conversations of two, one connection, two batches in flight, one core shared with the
 * client): 2.8k drafts/s in batches of 1, 15k of 8, 34k of 64, 41k of 512; server CPU 28 µs a draft
 * from 64 on. Joining the new heads back to the drafts instead of locking first needs nested loops
 * over the batch: 12k/s at 512. */
#include "core/ingest/statements.h"

const char batch_setup_sql[] =
    "SET synchronous_commit = on; SET client_connection_check_interval = '1s';"
    "SET enable_seqscan = off; SET enable_bitmapscan = off; SET enable_hashjoin = off;"
    "SET enable_mergejoin = off; SET plan_cache_mode = force_generic_plan; SET jit = off;"
    "SET max_parallel_workers_per_gather = 0;"
    "SET cpu_tuple_cost = 10; SET cpu_index_tuple_cost = 5; SET cpu_operator_cost = 2;"
    "SET statement_timeout = '8s'; SET lock_timeout = '2s'; SET "
    "idle_in_transaction_session_timeout = '10s';"
    "SET banter.batch = '0'";

/* The function is called only to fail: what is as expected costs half as much without PL/pgSQL, and
 * so does the check of swift below. */
const struct db_statement batch_follow_statement = {
    .name = "ingest_follow",
    .sql = "SELECT CASE WHEN current_setting('banter.batch', true) = $1::bigint::text"
           " THEN set_config('banter.batch', $2::bigint::text, false)"
           " ELSE banter.follow_batch($1, $2)::text END",
    .parameter_count = 2,
};

const struct db_statement batch_hasty_statement = {
    .name = "ingest_hasty",
    .sql = "SELECT set_config('lock_timeout', '100ms', true)",
    .parameter_count = 0,
};

const struct db_statement batch_ensure_statement = {
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

/* Roles: 1 is ROLE_READER, 2 ROLE_MEMBER; readers of a channel (kind 3) react (kind 4). A draft
 * that was stored before is answered as such whatever its sender may do by now; one whose text has
 * been deleted since cannot be compared. Only drafts that concern a message cost a look at it. The
 * last three arrays are empty in a batch without such drafts, which leaves kind NULL: a text.
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
    "    AND sender = d.sender AND id = d.id OFFSET 0) old ON true"                                \
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

/* A row of the outbox for each text: members who are away may want to be told. */
#define OUTBOX_SQL(FROM)                                                                           \
    ", told AS ("                                                                                  \
    "  INSERT INTO banter.push_outbox (conversation, seq, sender)"                                 \
    "  SELECT conversation, seq, sender FROM " FROM ")"

const struct db_statement batch_append_statements[] = {
    {.name = "ingest_append", .sql = APPEND_SQL(""), .parameter_count = 8},
    {.name = "ingest_append_push",
     .sql = APPEND_SQL(OUTBOX_SQL("placed WHERE verdict = 0 AND coalesce(kind, 1) = 1")),
     .parameter_count = 8},
};

/* Append for a batch of texts none of which was stored before, by members who may post: nearly all
 * of them. It is cheaper than lock and append, because it locks nothing: it reads heads and rights,
 * and sets a head only if neither has changed until its row is locked. Whoever takes a right from
 * somebody else leaves a trace in rights or an entry, see 0016_traces.sql; all else that counts is
 * in the row. If anything is not as supposed the batch fails with BT002, or 23505 if a draft or its
 * seq is taken, and goes again with lock and append. */
#define SWIFT_SQL(OUTBOX)                                                                          \
    "WITH placed AS MATERIALIZED ("                                                                \
    "  SELECT d.*, c.last_seq AS head, c.rights, c.kind AS place, m.role,"                         \
    "         (SELECT clock_timestamp()::timestamptz(3)) AS at,"                                   \
    "         c.last_seq + row_number() OVER (PARTITION BY conversation ORDER BY n) AS seq"        \
    "  FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::text[], $5::bigint[])"                \
    "       WITH ORDINALITY AS d (conversation, sender, id, text, reply_to, n)"                    \
    "  JOIN banter.conversations c ON c.id = d.conversation AND c.deleted_at IS NULL"              \
    "  JOIN LATERAL (SELECT role FROM banter.members WHERE conversation = d.conversation"          \
    "    AND user_id = d.sender AND role >= 2 OFFSET 0) m ON true"                                 \
    "  WHERE d.reply_to IS NULL OR d.reply_to BETWEEN 1 AND c.last_seq"                            \
    "), advanced AS ("                                                                             \
    "  UPDATE banter.conversations c SET last_seq = p.last_seq"                                    \
    "  FROM (SELECT conversation, head, rights, max(seq) AS last_seq FROM placed"                  \
    "        GROUP BY conversation, head, rights ORDER BY conversation) p"                         \
    "  WHERE c.id = p.conversation AND c.last_seq = p.head AND c.rights = p.rights"                \
    "    AND c.deleted_at IS NULL"                                                                 \
    "  RETURNING p.last_seq - p.head AS count"                                                     \
    "), stored AS ("                                                                               \
    "  INSERT INTO banter.messages (conversation, seq, sender, at, kind, reply_to, id, text)"      \
    "  SELECT conversation, seq, sender, at, 1, reply_to, id, text FROM placed"                    \
    ")" OUTBOX "SELECT p.n, 0::bigint, p.seq, p.at, p.role,"                                       \
    "       CASE WHEN p.place <> 3 THEN p.rights END"                                              \
    " FROM (SELECT CASE WHEN sum(count) = cardinality($1::uuid[]) THEN true"                       \
    "         ELSE banter.expect_stored(cardinality($1::uuid[]), sum(count)::bigint) END AS "      \
    "all_are"                                                                                      \
    "       FROM advanced) a"                                                                      \
    " LEFT JOIN placed p ON a.all_are"

const struct db_statement batch_swift_statements[] = {
    {.name = "ingest_swift", .sql = SWIFT_SQL(""), .parameter_count = 5},
    {.name = "ingest_swift_push", .sql = SWIFT_SQL(OUTBOX_SQL("placed")), .parameter_count = 5},
};

/* The same of texts whose place and whose senders' rights the writer remembers (foresight.h):
 * nothing is looked up but the rows of the conversations, which must be as they were. It costs two
 * thirds of swift for one draft, and four fifths for 300. The time is that of the statement's
 * beginning, so it is not before that of any entry before: those were known by then. */
#define KNOWN_SQL(OUTBOX)                                                                          \
    "WITH advanced AS ("                                                                           \
    "  UPDATE banter.conversations c SET last_seq = p.last_seq"                                    \
    "  FROM (SELECT * FROM unnest($7::uuid[], $8::bigint[], $9::bigint[], $10::xid8[])"            \
    "          AS a (conversation, head, last_seq, rights) ORDER BY conversation) p"               \
    "  WHERE c.id = p.conversation AND c.last_seq = p.head AND c.rights = p.rights"                \
    "    AND c.deleted_at IS NULL"                                                                 \
    "  RETURNING p.last_seq - p.head AS count"                                                     \
    "), stored AS ("                                                                               \
    "  INSERT INTO banter.messages (conversation, seq, sender, at, kind, reply_to, id, text)"      \
    "  SELECT conversation, seq, sender, statement_timestamp()::timestamptz(3), 1, reply_to, id,"  \
    "         text"                                                                                \
    "  FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::text[], $5::bigint[],"                \
    "              $6::bigint[]) AS d (conversation, sender, id, text, reply_to, seq)"             \
    ")" OUTBOX "SELECT CASE WHEN sum(count) = cardinality($1::uuid[]) THEN true"                   \
    "         ELSE banter.expect_stored(cardinality($1::uuid[]), sum(count)::bigint) END,"         \
    "       statement_timestamp()::timestamptz(3)"                                                 \
    " FROM advanced"

const struct db_statement batch_known_statements[] = {
    {.name = "ingest_known", .sql = KNOWN_SQL(""), .parameter_count = 10},
    {.name = "ingest_known_push",
     .sql = KNOWN_SQL(OUTBOX_SQL("unnest($1::uuid[], $6::bigint[], $2::bigint[])"
                                 " AS d (conversation, seq, sender)")),
     .parameter_count = 10},
};

const struct db_statement batch_fold_statement = {
    .name = "ingest_fold",
    .sql = "SELECT banter.fold_entries($1::uuid[], $2::bigint[], $3::text[])",
    .parameter_count = 3,
};
