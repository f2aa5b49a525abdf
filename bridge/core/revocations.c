/* SPDX-License-Identifier: MIT */
/* revocations.c - see revocations.h. Each look reaches back to somewhat before the last one that
 * succeeded, for a login that ended before it may have been committed after it. */
#include "core/revocations.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "core/herald.h"
#include "db/db.h"
#include "link/link.h"
#include "token/jwt.h"
#include "token/revoked_set.h"

#include <assert.h>
#include <event2/event.h>
#include <stdlib.h>

enum {
    FIRST_RETRY_MS = 100,
    OVERLAP_S = 60,
    /* Clocks of the machines that make tokens, end logins and check tokens. */
    SKEW_S = 2 * JWT_LEEWAY_S,
};

struct revocations {
    struct db_pool *pool;
    struct link *link;
    struct herald *herald;
    struct event *timer;
    struct revoked_set set;
    unsigned access_token_ttl_s;
    uint64_t looked_ms; /* monotonic: when the last look that succeeded began; 0: none has */
    uint64_t asked_ms;  /* the same of the one under way; 0: none is */
};

static const struct db_statement look = {
    "revocations_look",
    "SELECT e.id, e.user_id, e.ended_at"
    "  FROM (SELECT * FROM banter.ended_logins"
    "         WHERE ended_at > now() - make_interval(secs => $1::bigint)"
    "         ORDER BY ended_at DESC LIMIT $2::bigint) e"
    " ORDER BY e.ended_at",
    2,
};
enum { COLUMN_ID, COLUMN_USER_ID, COLUMN_ENDED_AT };

static void look_after(struct revocations *r, unsigned ms)
{
    const struct timeval wait = {.tv_sec = ms / 1000, .tv_usec = (suseconds_t)(ms % 1000) * 1000};

    event_add(r->timer, &wait);
}

static void tell(struct revocations *r, const struct revoked_login *login)
{
    link_revoked(r->link, &(struct frame_revoked){.login = login->login,
                                                  .uid = login->uid,
                                                  .expires_at = login->expires_at});
}

void revocations_add(struct revocations *r, const struct uuid *login, uint64_t uid,
                     int64_t ended_at_ms, bool ours)
{
    const struct revoked_login ended = {
        .login = *login,
        .uid = uid,
        .expires_at = ended_at_ms / 1000 + r->access_token_ttl_s + SKEW_S,
    };
    bool is_new;

    revoked_set_expire(&r->set, clock_wall_ms() / 1000);
    if (!revoked_set_add(&r->set, &ended, &is_new))
        abort(); /* as must_calloc() does */
    if (is_new)
        tell(r, &ended);
    if (ours)
        herald_revoked(r->herald, login, uid, ended_at_ms);
}

static void on_reply(void *owner, const struct db_reply *reply)
{
    struct revocations *r = owner;

    if (reply->status == DB_OK) {
        for (int row = 0; row < PQntuples(reply->result); row++) {
            struct uuid login = db_get_uuid(reply->result, row, COLUMN_ID);

            revocations_add(r, &login, (uint64_t)db_get_i64(reply->result, row, COLUMN_USER_ID),
                            db_get_time_ms(reply->result, row, COLUMN_ENDED_AT), false);
        }
        r->looked_ms = r->asked_ms;
    } else if (reply->status == DB_ERROR) {
        log_error("revocations", "the query failed: %s %s", reply->sqlstate, reply->message);
    }
    r->asked_ms = 0;
    look_after(r, r->looked_ms ? REVOCATIONS_INTERVAL_MS : FIRST_RETRY_MS);
}

static void on_timer(evutil_socket_t fd, short what, void *argument)
{
    struct revocations *r = argument;
    struct db_params *params = db_params_create();
    uint64_t now_ms = clock_monotonic_ms();
    int64_t back_s = r->access_token_ttl_s + SKEW_S;
    (void)fd;
    (void)what;

    assert(r->asked_ms == 0);
    if (r->looked_ms)
        back_s = (int64_t)((now_ms - r->looked_ms) / 1000) + OVERLAP_S;
    db_i64(params, back_s);
    db_i64(params, REVOKED_MAX);
    if (db_pool_query(r->pool, &look, params, on_reply, r))
        r->asked_ms = now_ms;
    else
        look_after(r, r->looked_ms ? REVOCATIONS_INTERVAL_MS : FIRST_RETRY_MS);
}

struct revocations *revocations_create(struct event_base *base, struct db_pool *pool,
                                       struct link *link, struct herald *herald,
                                       unsigned access_token_ttl_s)
{
    struct revocations *r = must_calloc(1, sizeof *r);

    r->pool = pool;
    r->link = link;
    r->herald = herald;
    r->access_token_ttl_s = access_token_ttl_s;
    revoked_set_init(&r->set, REVOKED_MAX);
    r->timer = evtimer_new(base, on_timer, r);
    if (!r->timer) {
        revocations_destroy(r);
        return NULL;
    }
    look_after(r, 0);
    return r;
}

void revocations_destroy(struct revocations *r)
{
    if (!r)
        return;
    assert(r->asked_ms == 0);
    if (r->timer)
        event_free(r->timer);
    revoked_set_finish(&r->set);
    free(r);
}

void revocations_link_up(struct revocations *r)
{
    const struct revoked_login *login;

    revoked_set_expire(&r->set, clock_wall_ms() / 1000);
    TAILQ_FOREACH(login, &r->set.oldest_first, link)
    {
        tell(r, login);
    }
}

enum revocation_verdict revocations_judge(const struct revocations *r, struct slice login)
{
    struct uuid id;

    if (!uuid_parse(&id, login) || revoked_set_has(&r->set, &id))
        return REVOCATION_ENDED;
    return r->looked_ms ? REVOCATION_NONE : REVOCATION_UNKNOWN;
}

bool revocations_is_ready(const struct revocations *r)
{
    return r->looked_ms != 0;
}

size_t revocations_count(const struct revocations *r)
{
    return r->set.by_login.count;
}
