/* SPDX-License-Identifier: MIT */
/* parameters.c - see parameters.h. */
#include "core/ingest/parameters.h"

#include "base/fault_point.h"
#include "core/ingest/statements.h"
#include "db/db.h"

struct db_params *parameters_of_follow(uint64_t follows, uint64_t number)
{
    struct db_params *p = db_params_create();

    db_i64(p, (int64_t)follows);
    db_i64(p, (int64_t)number);
    return p;
}

struct db_params *parameters_of_ensure(const struct batch *b)
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

static void put_conversations(struct db_params *p, struct submission *const *rows, size_t count)
{
    db_array_begin(p, DB_UUID_ARRAY);
    for (size_t i = 0; i < count; i++)
        db_array_uuid(p, &rows[i]->conversation);
    db_array_end(p);
}

struct db_params *parameters_of_lock(const struct batch *b)
{
    struct db_params *p = db_params_create();

    put_conversations(p, b->rows, b->row_count);
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

/* What all that store take alike: conversations, senders, ids, texts, replies. */
static void put_drafts(struct db_params *p, struct submission *const *rows, size_t count)
{
    put_conversations(p, rows, count);
    db_array_begin(p, DB_I64_ARRAY);
    for (size_t i = 0; i < count; i++)
        db_array_i64(p, (int64_t)rows[i]->uid);
    db_array_end(p);
    db_array_begin(p, DB_TEXT_ARRAY);
    for (size_t i = 0; i < count; i++)
        db_array_text(p, fault_renames(no_dedup, rows[i]->id));
    db_array_end(p);
    db_array_begin(p, DB_TEXT_ARRAY);
    for (size_t i = 0; i < count; i++)
        put_text(p, rows[i]->text);
    db_array_end(p);
    db_array_begin(p, DB_I64_ARRAY);
    for (size_t i = 0; i < count; i++)
        put_seq(p, rows[i]->reply_to);
    db_array_end(p);
}

struct db_params *parameters_of_append(const struct batch *b)
{
    struct db_params *p = db_params_create();

    put_drafts(p, b->rows, b->row_count);
    put_targets(p, b->rows, b->targeted_count > 0 ? b->row_count : 0);
    return p;
}

struct db_params *parameters_of_swift(const struct batch *b)
{
    struct db_params *p = db_params_create();

    put_drafts(p, b->looked_up, b->looked_up_count);
    return p;
}

/* Conversations, their heads before and after, and the traces of their rights. */
static void put_advances(struct db_params *p, const struct advance *advances, size_t count)
{
    db_array_begin(p, DB_UUID_ARRAY);
    for (size_t i = 0; i < count; i++)
        db_array_uuid(p, &advances[i].conversation);
    db_array_end(p);
    db_array_begin(p, DB_I64_ARRAY);
    for (size_t i = 0; i < count; i++)
        db_array_i64(p, advances[i].head);
    db_array_end(p);
    db_array_begin(p, DB_I64_ARRAY);
    for (size_t i = 0; i < count; i++)
        db_array_i64(p, advances[i].last_seq);
    db_array_end(p);
    db_array_begin(p, DB_XID8_ARRAY);
    for (size_t i = 0; i < count; i++)
        db_array_xid8(p, advances[i].rights);
    db_array_end(p);
}

struct db_params *parameters_of_known(const struct batch *b)
{
    struct db_params *p = db_params_create();

    put_drafts(p, b->known, b->known_count);
    db_array_begin(p, DB_I64_ARRAY);
    for (size_t i = 0; i < b->known_count; i++)
        db_array_i64(p, b->known[i]->foreseen_seq);
    db_array_end(p);
    put_advances(p, b->advances, b->advance_count);
    return p;
}

/* Twins share their row. */
struct db_params *parameters_of_fold(const struct batch *b)
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
