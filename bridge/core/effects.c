/* SPDX-License-Identifier: MIT */
/* effects.c - see effects.h. */
#include "core/effects.h"

#include "base/buf.h"
#include "core/herald.h"
#include "db/db.h"
#include "wire/entry.h"

#include <assert.h>
#include <string.h>

/* The names of a whole group, with what surrounds them. */
enum { PAYLOAD_MAX = GROUP_MEMBERS_CEILING * (HANDLE_MAX_LENGTH + 3) + 4096 };

static const struct {
    char sqlstate[6];
    enum code code;
} refusals[] = {
    {"BN001", CODE_INVALID},  {"BN003", CODE_FORBIDDEN},     {"BN004", CODE_NOT_FOUND},
    {"BN005", CODE_CONFLICT}, {"BN007", CODE_LIMIT_REACHED},
};

enum code effects_refusal(const char *sqlstate)
{
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        if (strcmp(refusals[i].sqlstate, sqlstate) == 0)
            return refusals[i].code;
    }
    return CODE_OK;
}

static void tell_member(struct herald *herald, const PGresult *result, int row, bool overtaken)
{
    struct frame_member f = {
        .conversation = db_get_uuid(result, row, EFFECT_COLUMN_CONVERSATION),
        .kind = (enum conversation_kind)db_get_i64(result, row, EFFECT_COLUMN_CONVERSATION_KIND),
        .uid = (uint64_t)db_get_i64(result, row, EFFECT_COLUMN_USER_ID),
        .role = (enum role)db_get_i64(result, row, EFFECT_COLUMN_ROLE),
        .last_seq = db_get_i64(result, row, EFFECT_COLUMN_SEQ),
    };
    if (overtaken)
        herald_overtaken(herald, &f);
    else
        herald_member(herald, &f);
}

static void tell_ended(struct herald *herald, const PGresult *result, int row)
{
    struct frame_ended f = {db_get_uuid(result, row, EFFECT_COLUMN_CONVERSATION)};

    herald_ended(herald, &f);
}

static void tell_entry(struct herald *herald, const PGresult *result, int row, struct buf *payload)
{
    struct entry entry = {
        .conversation = db_get_uuid(result, row, EFFECT_COLUMN_CONVERSATION),
        .seq = db_get_i64(result, row, EFFECT_COLUMN_SEQ),
        .at_ms = db_get_time_ms(result, row, EFFECT_COLUMN_AT),
        .from = db_get_text(result, row, EFFECT_COLUMN_HANDLE),
        .kind = (enum entry_kind)db_get_i64(result, row, EFFECT_COLUMN_ENTRY_KIND),
        .data = db_get_text(result, row, EFFECT_COLUMN_DATA),
    };
    struct frame_entry f = {
        .conversation = entry.conversation,
        .seq = entry.seq,
        .sender = (uint64_t)db_get_i64(result, row, EFFECT_COLUMN_USER_ID),
    };

    buf_reset(payload);
    entry_write(payload, &entry);
    assert(!payload->failed);
    f.payload = buf_slice(payload);
    herald_entry(herald, &f);
}

void effects_tell(struct herald *herald, const PGresult *result, bool overtaken)
{
    struct buf payload;
    int rows = PQntuples(result);

    buf_init(&payload, PAYLOAD_MAX);
    for (int row = 0; row < rows; row++) {
        struct uuid conversation = db_get_uuid(result, row, EFFECT_COLUMN_CONVERSATION);
        herald_change(herald, &conversation);
        if (!db_get_null(result, row, EFFECT_COLUMN_ENTRY_KIND))
            tell_entry(herald, result, row, &payload);
        else if (db_get_null(result, row, EFFECT_COLUMN_USER_ID))
            tell_ended(herald, result, row);
        else
            tell_member(herald, result, row, overtaken);
    }
    buf_finish(&payload);
}
