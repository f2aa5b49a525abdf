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
    "SELECT * FROM unnest($1::uuid[], $2::bigint[]::smallint[], $3::bigint[]) ON CONFLICT (id) DO "
    "NOTHING";
static const char insert_members[] =
    "INSERT INTO banter.members (conversation, user_id, role) "
    "SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::bigint[]::smallint[]) "
    "ON CONFLICT (conversation, user_id) DO NOTHING";
static const char select_heads[] =
    "SELECT c.last_seq FROM unnest($1::uuid[]) WITH ORDINALITY AS w (id, n) "
    "JOIN banter.conversations c USING (id) ORDER BY w.n";
/* $1 conversations, $2 senders, $3 messages in each, $4 bytes. */
static const char insert_history[] =
    "WITH wanted AS MATERIALIZED ("
    "    SELECT c.id, w.sender, c.last_seq "
    "      FROM unnest($1::uuid[], $2::bigint[]) AS w (id, sender) "
    "      JOIN banter.conversations c USING (id) WHERE c.last_seq < $3::bigint FOR UPDATE OF c), "
    "head AS ("
    "    UPDATE banter.conversations c SET last_seq = $3::bigint FROM wanted w WHERE c.id = w.id) "
    "INSERT INTO banter.messages (conversation, seq, sender, at, kind, id, text) "
    "SELECT w.id, n, w.sender, now(), 1, gen_random_uuid()::text, repeat('m', $4::int) "
    "  FROM wanted w, generate_series(w.last_seq + 1, $3::bigint) AS n";
/* So that nobody makes words of it: the search is not what such a log is for. */
static const char insert_progress[] =
    "INSERT INTO banter.search_progress (conversation, indexed_seq) "
    "SELECT c.id, c.last_seq FROM banter.conversations c WHERE c.id = ANY ($1::uuid[]) "
    "ON CONFLICT (conversation) DO UPDATE SET indexed_seq = excluded.indexed_seq";
/* $1 how the handles begin, $2 how many members. */
#define CROWD                                                                                      \
    "SELECT $1::text || lpad(n::text, 6, '0') AS handle FROM generate_series(0, $2::int - 1) AS n"
static const char insert_crowd[] =
    "INSERT INTO banter.users (handle) " CROWD " ON CONFLICT (handle) DO NOTHING";
/* And $3 the conversation, $4 the role. */
static const char insert_crowd_members[] =
    "INSERT INTO banter.members (conversation, user_id, role) "
    "SELECT $3::uuid, u.id, $4::smallint FROM (" CROWD ") AS h "
    "  JOIN banter.users u ON u.handle = h.handle COLLATE \"C\" "
    "ON CONFLICT (conversation, user_id) DO NOTHING";
static const char insert_channel[] =
    "INSERT INTO banter.channels (conversation, public, joining_role, member_count) "
    "SELECT $1::uuid, true, $2::smallint, count(*) "
    "  FROM banter.members m WHERE m.conversation = $1::uuid "
    "ON CONFLICT (conversation) DO UPDATE SET member_count = excluded.member_count";
static const char analyze[] = "ANALYZE banter.users, banter.conversations, banter.members";

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
    struct buf handles;                  /* one item per player */
    struct buf stages, kinds, creators;  /* one item per conversation */
    struct buf memberships, uids, roles; /* one item per membership */
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

static void add_membership(struct lists *l, const struct cast *c, unsigned stage,
                           const struct player *p, enum role role)
{
    add(&l->memberships, c->stages[stage].id_text);
    add_number(&l->uids, p->uid);
    add_number(&l->roles, role);
}

static bool seed_stages(PGconn *db, const struct cast *c, struct lists *l)
{
    for (unsigned i = 0; i < c->stage_count; i++) {
        add(&l->stages, c->stages[i].id_text);
        add_number(&l->kinds, c->stages[i].kind);
        add_number(&l->creators, c->players[c->stages[i].first].uid);
    }
    for (unsigned i = 0; i < c->player_count; i++) {
        const struct player *p = &c->players[i];

        add_membership(l, c, p->conversation, p, p->role);
    }
    for (unsigned i = 0; i < c->side_role_count; i++) {
        const struct side_role *side = &c->side_roles[i];

        add_membership(l, c, side->stage, &c->players[side->player], ROLE_MEMBER);
    }
    if (!close_list(&l->stages) || !close_list(&l->kinds) || !close_list(&l->creators) ||
        !close_list(&l->memberships) || !close_list(&l->uids) || !close_list(&l->roles))
        return false;

    const char *stages[] = {l->stages.data, l->kinds.data, l->creators.data};
    const char *members[] = {l->memberships.data, l->uids.data, l->roles.data};

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
    struct buf *all[] = {&l.handles,     &l.stages, &l.kinds, &l.creators,
                         &l.memberships, &l.uids,   &l.roles};
    size_t count = sizeof(all) / sizeof(all[0]);

    for (size_t i = 0; i < count; i++)
        buf_init(all[i], LIST_MAX_BYTES);

    bool done = seed_users(db, c, &l) && seed_stages(db, c, &l) && read_heads(db, c, &l) &&
                run_insert(db, analyze, 0, NULL);

    for (size_t i = 0; i < count; i++)
        buf_finish(all[i]);
    if (!done)
        fprintf(stderr, "banter-bench: cannot put the users of the run into the database\n");
    return done;
}

bool seed_channel(PGconn *db, const struct cast *c, unsigned members)
{
    const char role[] = {(char)('0' + ROLE_READER), '\0'};
    const char *handle = c->players[0].handle;
    const char *conversation = c->stages[0].id_text;
    char start[HANDLE_MAX_LENGTH + 1];
    char count[24];

    assert(c->stage_count == 1 && c->stages[0].kind == CONVERSATION_CHANNEL);
    snprintf(start, sizeof(start), "%.*s", (int)(strrchr(handle, '-') + 1 - handle), handle);
    snprintf(count, sizeof(count), "%u", members);

    const char *crowd[] = {start, count, conversation, role};
    const char *channel[] = {conversation, role};

    return run_insert(db, insert_crowd, 2, crowd) &&
           run_insert(db, insert_crowd_members, 4, crowd) &&
           run_insert(db, insert_channel, 2, channel) && run_insert(db, analyze, 0, NULL);
}

bool seed_history(PGconn *db, struct cast *c, unsigned count, unsigned text_bytes)
{
    struct buf stages, senders;
    char upto[24], bytes[24];
    bool done = false;

    buf_init(&stages, LIST_MAX_BYTES);
    buf_init(&senders, LIST_MAX_BYTES);
    for (unsigned i = 0; i < c->stage_count; i++) {
        add(&stages, c->stages[i].id_text);
        add_number(&senders, c->players[c->stages[i].first].uid);
    }
    snprintf(upto, sizeof(upto), "%u", count);
    snprintf(bytes, sizeof(bytes), "%u", text_bytes);
    if (close_list(&stages) && close_list(&senders)) {
        const char *values[] = {stages.data, senders.data, upto, bytes};

        done = run_insert(db, insert_history, 4, values) &&
               run_insert(db, insert_progress, 1, values) &&
               run_insert(db, "ANALYZE banter.messages", 0, NULL);
    }
    for (unsigned i = 0; done && i < c->stage_count; i++) {
        if (c->stages[i].last_seq < count)
            c->stages[i].last_seq = count;
    }
    buf_finish(&stages);
    buf_finish(&senders);
    return done;
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
