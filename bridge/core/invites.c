/* SPDX-License-Identifier: MIT */
/* invites.c - see invites.h. */
#include "core/invites.h"

#include "base/log.h"
#include "base/memory.h"
#include "core/invite_token.h"
#include "db/db.h"

#include <stdlib.h>

static const struct db_statement look = {
    "invite_look",
    "SELECT c.kind, c.title,"
    "       coalesce(ch.member_count, (SELECT count(*) FROM banter.members m"
    "                                   WHERE m.conversation = c.id)),"
    "       i.expires_at"
    "  FROM banter.invites i"
    "  JOIN banter.conversations c ON c.id = i.conversation AND c.deleted_at IS NULL"
    "  LEFT JOIN banter.channels ch ON ch.conversation = c.id"
    " WHERE i.hash = $1::bytea AND (i.expires_at IS NULL OR i.expires_at > now())"
    "   AND (i.uses_left IS NULL OR i.uses_left > 0)",
    1};
enum { COLUMN_KIND, COLUMN_TITLE, COLUMN_MEMBERS, COLUMN_EXPIRES_AT };

struct invites {
    struct db_pool *pool;
    unsigned running;
    bool closed; /* freed once nothing is running */
};

struct look_request {
    struct invites *invites;
    invite_look_fn *done;
    void *owner;
};

static struct invite_view read_view(const PGresult *result)
{
    return (struct invite_view){
        .kind = (enum conversation_kind)db_get_i64(result, 0, COLUMN_KIND),
        .title = db_get_text(result, 0, COLUMN_TITLE),
        .member_count = db_get_i64(result, 0, COLUMN_MEMBERS),
        .expires = !db_get_null(result, 0, COLUMN_EXPIRES_AT),
        .expires_at_ms = db_get_time_ms(result, 0, COLUMN_EXPIRES_AT),
    };
}

static void answer(const struct look_request *r, const struct db_reply *reply)
{
    struct invite_view view;

    if (reply->status == DB_ERROR)
        log_error("invites", "query failed: %s %s", reply->sqlstate, reply->message);
    if (reply->status != DB_OK) {
        r->done(r->owner, CODE_UNAVAILABLE, NULL);
    } else if (PQntuples(reply->result) == 0) {
        r->done(r->owner, CODE_NOT_FOUND, NULL);
    } else {
        view = read_view(reply->result);
        r->done(r->owner, CODE_OK, &view);
    }
}

static void on_reply(void *owner, const struct db_reply *reply)
{
    struct look_request *r = owner;
    struct invites *i = r->invites;

    i->running--;
    if (!i->closed)
        answer(r, reply);
    else if (i->running == 0)
        free(i);
    free(r);
}

struct invites *invites_create(struct db_pool *pool)
{
    struct invites *i = must_calloc(1, sizeof *i);

    i->pool = pool;
    return i;
}

void invites_destroy(struct invites *i)
{
    if (!i)
        return;
    i->closed = true;
    if (i->running == 0)
        free(i);
}

bool invites_look(struct invites *i, struct slice token, enum code *code, invite_look_fn *done,
                  void *owner)
{
    uint8_t hash[INVITE_HASH_BYTES];
    struct look_request *r;
    struct db_params *params;

    *code = CODE_NOT_FOUND;
    if (!invite_token_hash(token, hash))
        return false;
    *code = CODE_UNAVAILABLE;
    r = must_calloc(1, sizeof *r);
    *r = (struct look_request){i, done, owner};
    params = db_params_create();
    db_bytes(params, slice_of((const char *)hash, sizeof hash));
    if (!db_pool_query(i->pool, &look, params, on_reply, r)) {
        free(r);
        return false;
    }
    i->running++;
    return true;
}
