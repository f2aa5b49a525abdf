/* SPDX-License-Identifier: MIT */
/* quarantine.c - see quarantine.h. */
#include "core/ingest/quarantine.h"

#include "base/buf.h"
#include "base/log.h"
#include "wire/draft.h"
#include "wire/frame.h"

static const struct db_statement keep_statement = {
    .name = "ingest_quarantine",
    .sql = "INSERT INTO banter.quarantine (sender, target, sqlstate, payload)"
           " SELECT $1::bigint, $2::text, $3::text, $4::bytea"
           "  WHERE NOT EXISTS (SELECT FROM banter.erasures e WHERE e.user_id = $1::bigint)",
    .parameter_count = 4,
};

static void on_reply(void *owner, const struct db_reply *reply)
{
    (void)owner;
    if (reply->status != DB_OK)
        log_error("ingest", "a refused draft could not be kept: SQLSTATE %s", reply->sqlstate);
}

static struct db_params *keep_params(const struct submission *s, const char *sqlstate)
{
    char target[UUID_TEXT_LENGTH + 1];
    struct db_params *p = db_params_create();
    struct buf json;

    buf_init(&json, LINK_BODY_MAX);
    draft_write(&json, &(struct draft){.kind = s->kind,
                                       .id = s->id,
                                       .text = s->text,
                                       .reply_to = s->reply_to,
                                       .target = s->target,
                                       .remove = s->remove});
    uuid_format(&s->conversation, target);
    db_i64(p, (int64_t)s->uid);
    db_text(p, slice_str(target));
    db_text(p, slice_str(sqlstate));
    db_bytes(p, buf_slice(&json));
    buf_finish(&json);
    return p;
}

void quarantine(struct submission *s, const char *sqlstate, struct db_conn *c)
{
    struct log_fields fields = {.length = 0};

    submission_describe(s, &fields);
    log_about(LOG_LEVEL_ERROR, "ingest", &fields, "PostgreSQL refuses a draft, SQLSTATE %s",
              sqlstate);
    if (!db_conn_run(c, &keep_statement, keep_params(s, sqlstate), on_reply, NULL))
        log_error("ingest", "a refused draft could not be kept: no connection");
    submission_refuse(s, CODE_INVALID, "the database cannot store this draft");
}
