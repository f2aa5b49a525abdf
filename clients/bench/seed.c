/* SPDX-License-Identifier: MIT */
/* seed.c - see seed.h. Lists travel as array literals: handles and ids contain nothing that would
 * need quoting in them. */
#include "seed.h"

#include "base/buf.h"
#include "token/jwt.h"

#include <assert.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    LIST_MAX_BYTES = 256 << 20,
    PEM_MAX_BYTES = 4096,
    TOKEN_LIFETIME_S = 24 * 3600,
    CONNECT_TIMEOUT_S = 5
};

static const char insert_users[] = "INSERT INTO banter.users (handle) "
                                   "SELECT unnest($1::text[]) ON CONFLICT (handle) DO NOTHING";
static const char select_users[] =
    "SELECT u.id FROM unnest($1::text[]) WITH ORDINALITY AS h (handle, n) "
    "JOIN banter.users u ON u.handle = h.handle COLLATE \"C\" ORDER BY h.n";
static const char insert_conversations[] =
    "INSERT INTO banter.conversations (id, kind, created_by) "
    "SELECT * FROM unnest($1::uuid[], $2::smallint[], $3::bigint[]) ON CONFLICT (id) DO NOTHING";
static const char insert_members[] =
    "INSERT INTO banter.members (conversation, user_id, role) "
    "SELECT c, u, $3::smallint FROM unnest($1::uuid[], $2::bigint[]) AS m (c, u) "
    "ON CONFLICT (conversation, user_id) DO NOTHING";
static const char select_heads[] =
    "SELECT c.last_seq FROM unnest($1::uuid[]) WITH ORDINALITY AS w (id, n) "
    "JOIN banter.conversations c USING (id) ORDER BY w.n";
static const char insert_history[] =
    "WITH head AS (UPDATE banter.conversations SET last_seq = $3::bigint WHERE id = $1::uuid "
    "              AND last_seq < $3::bigint RETURNING id) "
    "INSERT INTO banter.messages (conversation, seq, sender, at, kind, id, text) "
    "SELECT head.id, n, $2::bigint, now(), 1, gen_random_uuid()::text, repeat('m', $4::int) "
    "FROM head, generate_series($5::bigint + 1, $3::bigint) AS n";

PGconn *seed_connect(const char *dsn)
{
    PGconn *db = PQconnectdb(dsn);

    if (PQstatus(db) != CONNECTION_OK) {
        fprintf(stderr, "banter-bench: no database: %s", PQerrorMessage(db));
        PQfinish(db);
        return NULL;
    }
    return db;
}

/* Runs one statement; NULL, after saying why, unless it returned `status`. */
static PGresult *run(PGconn *db, const char *sql, int count, const char *const *values,
                     ExecStatusType status)
{
    PGresult *r = PQexecParams(db, sql, count, NULL, values, NULL, NULL, 0);

    if (PQresultStatus(r) == status)
        return r;
    fprintf(stderr, "banter-bench: %s", PQerrorMessage(db));
    PQclear(r);
    return NULL;
}

static bool run_insert(PGconn *db, const char *sql, int count, const char *const *values)
{
    PGresult *r = run(db, sql, count, values, PGRES_COMMAND_OK);

    PQclear(r);
    return r != NULL;
}

/* The lists that the statements take, as array literals. */
struct lists {
    struct buf handles, uids, memberships; /* one item per player */
    struct buf stages, kinds, creators;    /* one item per conversation */
};

static void add(struct buf *list, const char *item)
{
    buf_char(list, list->length == 0 ? '{' : ',');
    buf_str(list, item);
}

static void add_number(struct buf *list, uint64_t number)
{
    buf_char(list, list->length == 0 ? '{' : ',');
    buf_u64(list, number);
}

static bool close_list(struct buf *list)
{
    buf_char(list, '}');
    return !list->failed;
}

static bool seed_users(PGconn *db, struct cast *c, struct lists *l)
{
    for (unsigned i = 0; i < c->player_count; i++)
        add(&l->handles, c->players[i].handle);
    if (!close_list(&l->handles))
        return false;

    const char *values[] = {l->handles.data};

    if (!run_insert(db, insert_users, 1, values))
        return false;

    PGresult *r = run(db, select_users, 1, values, PGRES_TUPLES_OK);
    bool found_all = r && (unsigned)PQntuples(r) == c->player_count;

    for (unsigned i = 0; found_all && i < c->player_count; i++)
        c->players[i].uid = strtoull(PQgetvalue(r, (int)i, 0), NULL, 10);
    PQclear(r);
    return found_all;
}

static bool seed_stages(PGconn *db, const struct cast *c, struct lists *l)
{
    const char role[] = {(char)('0' + ROLE_MEMBER), '\0'};

    for (unsigned i = 0; i < c->stage_count; i++) {
        add(&l->stages, c->stages[i].id_text);
        add_number(&l->kinds, c->stages[i].kind);
        add_number(&l->creators, c->players[c->stages[i].first].uid);
    }
    for (unsigned i = 0; i < c->player_count; i++) {
        add(&l->memberships, c->stages[c->players[i].conversation].id_text);
        add_number(&l->uids, c->players[i].uid);
    }
    if (!close_list(&l->stages) || !close_list(&l->kinds) || !close_list(&l->creators) ||
        !close_list(&l->memberships) || !close_list(&l->uids))
        return false;

    const char *stages[] = {l->stages.data, l->kinds.data, l->creators.data};
    const char *members[] = {l->memberships.data, l->uids.data, role};

    return run_insert(db, insert_conversations, 3, stages) &&
           run_insert(db, insert_members, 3, members);
}

static bool read_heads(PGconn *db, struct cast *c, const struct lists *l)
{
    const char *values[] = {l->stages.data};
    PGresult *r = run(db, select_heads, 1, values, PGRES_TUPLES_OK);
    bool found_all = r && (unsigned)PQntuples(r) == c->stage_count;

    for (unsigned i = 0; found_all && i < c->stage_count; i++)
        c->stages[i].last_seq = strtoll(PQgetvalue(r, (int)i, 0), NULL, 10);
    PQclear(r);
    return found_all;
}

bool seed_cast(PGconn *db, struct cast *c)
{
    struct lists l;
    struct buf *all[] = {&l.handles, &l.uids, &l.memberships, &l.stages, &l.kinds, &l.creators};
    size_t count = sizeof(all) / sizeof(all[0]);

    for (size_t i = 0; i < count; i++)
        buf_init(all[i], LIST_MAX_BYTES);

    bool done =
        seed_users(db, c, &l) && seed_stages(db, c, &l) && read_heads(db, c, &l) &&
        run_insert(db, "ANALYZE banter.users, banter.conversations, banter.members", 0, NULL);

    for (size_t i = 0; i < count; i++)
        buf_finish(all[i]);
    if (!done)
        fprintf(stderr, "banter-bench: cannot put the users of the run into the database\n");
    return done;
}

bool seed_history(PGconn *db, struct cast *c, unsigned count, unsigned text_bytes)
{
    struct stage *stage = &c->stages[0];
    char sender[24], upto[24], bytes[24], from[24];
    const char *values[] = {stage->id_text, sender, upto, bytes, from};

    assert(c->stage_count == 1);
    if (stage->last_seq >= count)
        return true;
    snprintf(sender, sizeof(sender), "%llu", (unsigned long long)c->players[0].uid);
    snprintf(upto, sizeof(upto), "%u", count);
    snprintf(bytes, sizeof(bytes), "%u", text_bytes);
    snprintf(from, sizeof(from), "%lld", (long long)stage->last_seq);
    if (!run_insert(db, insert_history, 5, values))
        return false;
    stage->last_seq = count;
    return run_insert(db, "ANALYZE banter.messages", 0, NULL);
}

/* Any key of the directory will do: all of them are in the published set. */
static struct jwt_signer *load_signer(const char *keys_dir)
{
    char pattern[4096];
    char pem[PEM_MAX_BYTES];
    glob_t found = {0};
    struct jwt_signer *signer = NULL;
    FILE *file = NULL;

    snprintf(pattern, sizeof(pattern), "%s/*.pem", keys_dir);
    if (glob(pattern, 0, NULL, &found) != 0) {
        fprintf(stderr, "banter-bench: no key in %s\n", keys_dir);
        return NULL;
    }
    file = fopen(found.gl_pathv[found.gl_pathc - 1], "re");
    if (file) {
        signer = jwt_signer_from_pem(slice_of(pem, fread(pem, 1, sizeof(pem), file)));
        fclose(file);
    }
    if (!signer)
        fprintf(stderr, "banter-bench: cannot read %s\n", found.gl_pathv[found.gl_pathc - 1]);
    globfree(&found);
    return signer;
}

static char *sign_one(const struct jwt_signer *signer, const struct token_source *source,
                      const struct player *p)
{
    struct jwt_claims claims = {.uid = p->uid};
    struct uuid session;
    struct buf token;

    if (!uuid_v7(&session))
        return NULL;
    uuid_format(&session, claims.session);
    memcpy(claims.handle, p->handle, sizeof(claims.handle));
    claims.issued_at = claims.not_before = time(NULL);
    claims.expires_at = claims.issued_at + TOKEN_LIFETIME_S;
    buf_init(&token, TOKEN_MAX_LENGTH);
    if (!jwt_sign(signer, &claims, source->issuer, source->audience, &token)) {
        buf_finish(&token);
        return NULL;
    }
    return buf_detach(&token);
}

bool seed_tokens(const struct token_source *source, struct cast *c)
{
    struct jwt_signer *signer = load_signer(source->keys_dir);
    bool signed_all = signer != NULL;

    for (unsigned i = 0; signed_all && i < c->player_count; i++) {
        free(c->players[i].token);
        c->players[i].token = sign_one(signer, source, &c->players[i]);
        signed_all = c->players[i].token != NULL;
    }
    if (signer && !signed_all)
        fprintf(stderr, "banter-bench: cannot sign tokens\n");
    jwt_signer_destroy(signer);
    return signed_all;
}
