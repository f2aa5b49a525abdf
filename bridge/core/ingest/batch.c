/* SPDX-License-Identifier: MIT */
/* batch.c - drafts that are committed together. */
#include "core/ingest/batch.h"

#include "base/memory.h"
#include "core/ingest/foresight.h"
#include "core/ingest/parameters.h"
#include "core/ingest/statements.h"
#include "db/fault_commit.h"
#include "wire/entry.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { UNIQUE_VIOLATION_RETRIES = 4 };

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

enum append_column {
    COLUMN_N,
    COLUMN_VERDICT,
    COLUMN_SEQ,
    COLUMN_AT,
    COLUMN_ROLE,
    COLUMN_RIGHTS, /* of swift alone; NULL: a channel */
};
enum known_column { KNOWN_COLUMN_STORED, KNOWN_COLUMN_AT };

struct batch *batch_create(void *owner, size_t capacity)
{
    struct batch *b = must_calloc(1, sizeof *b);

    b->owner = owner;
    b->drafts = must_calloc(6 * capacity, sizeof(struct submission *));
    b->rows = b->drafts + capacity;
    b->strangers = b->rows + capacity;
    b->targeted = b->strangers + capacity;
    b->known = b->targeted + capacity;
    b->looked_up = b->known + capacity;
    b->advances = must_calloc(capacity, sizeof *b->advances);
    map_init(&b->names, &submission_by_name);
    return b;
}

void batch_destroy(struct batch *b)
{
    for (size_t i = 0; i < b->count; i++)
        submission_destroy(b->drafts[i]);
    map_finish(&b->names);
    free(b->advances);
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
    assert((size_t)PQntuples(reply->result) == b->looked_up_count);
    for (int row = 0; row < PQntuples(reply->result); row++) {
        enum verdict verdict = (enum verdict)db_get_i64(reply->result, row, COLUMN_VERDICT);
        int64_t n = db_get_i64(reply->result, row, COLUMN_N);
        assert(n >= 1 && (size_t)n <= b->looked_up_count);
        struct submission *s = b->looked_up[n - 1];

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
        if (b->swift && !db_get_null(reply->result, row, COLUMN_RIGHTS))
            foresight_learn(b, s, db_get_xid8(reply->result, row, COLUMN_RIGHTS));
    }
}

/* All of them, or the batch fails. Whoever may post in a direct conversation is a member, and only
 * of those anybody asks for the role. */
static void on_known_reply(void *owner, const struct db_reply *reply)
{
    struct batch *b = owner;
    int64_t at_ms;

    if (reply->status != DB_OK)
        return;
    b->foreseen = true;
    at_ms = db_get_time_ms(reply->result, 0, KNOWN_COLUMN_AT);
    for (size_t i = 0; i < b->known_count; i++) {
        struct submission *s = b->known[i];
        s->role = ROLE_MEMBER;
        s->outcome = (struct ingest_outcome){.code = CODE_OK,
                                             .conversation = s->conversation,
                                             .seq = s->foreseen_seq,
                                             .at_ms = at_ms};
    }
}

static bool send_known(struct batch *b, struct db_conn *c)
{
    return b->known_count == 0 || db_conn_query(c, &batch_known_statements[b->tells],
                                                parameters_of_known(b), on_known_reply, b);
}

static bool send_looked_up(struct batch *b, struct db_conn *c)
{
    return b->looked_up_count == 0 || db_conn_query(c, &batch_swift_statements[b->tells],
                                                    parameters_of_swift(b), on_append_reply, b);
}

static bool send_drafts(struct batch *b, struct db_conn *c)
{
    if (b->swift)
        return send_known(b, c) && send_looked_up(b, c);
    return db_conn_query(c, &batch_lock_statement, parameters_of_lock(b), NULL, NULL) &&
           db_conn_query(c, &batch_append_statements[b->tells], parameters_of_append(b),
                         on_append_reply, b);
}

bool batch_send(struct batch *b, struct db_conn *c, uint64_t follows, db_reply_fn *on_end)
{
    assert(b->row_count > 0);
    return fault_begins(c) &&
           (!b->hasty || db_conn_query(c, &batch_hasty_statement, NULL, NULL, NULL)) &&
           db_conn_query(c, &batch_follow_statement, parameters_of_follow(follows, b->number), NULL,
                         NULL) &&
           (b->stranger_count == 0 || db_conn_query(c, &batch_ensure_statement,
                                                    parameters_of_ensure(b), on_ensure_reply, b)) &&
           send_drafts(b, c) &&
           (b->targeted_count == 0 ||
            db_conn_query(c, &batch_fold_statement, parameters_of_fold(b), NULL, NULL)) &&
           db_conn_sync(c, on_end, b) && fault_commits(c);
}

enum batch_remedy batch_remedy_for(const struct batch *b, unsigned attempts)
{
    const char *sqlstate = b->sqlstate;

    if (strcmp(sqlstate, "BT001") == 0)
        return REMEDY_FOLLOW;
    /* After a swift batch: a draft was stored before, or may not be stored, or somebody came in
     * between. Otherwise somebody has looked: then another session stored it meanwhile, or the
     * conversation's head is wrong, and trying again would stop everybody for ever. */
    if (b->swift && (strcmp(sqlstate, "23505") == 0 || strcmp(sqlstate, "BT002") == 0))
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
