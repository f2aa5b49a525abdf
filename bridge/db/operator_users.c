/* SPDX-License-Identifier: MIT */
/* operator_users.c - see operator.h: what an operator does with a user's data. The bridges that run
 * do the erasing; here it is begun, and watched. */
#include "db/operator.h"

#include "base/log.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { LOOK_MS = 500 };

/* False after logging why not. */
static bool ask(PGconn *pg, const char *sql, int count, const char *const *values, PGresult **r)
{
    *r = PQexecParams(pg, sql, count, NULL, values, NULL, NULL, 0);
    if (PQresultStatus(*r) == PGRES_TUPLES_OK)
        return true;
    log_error("operator", "users: %s", PQerrorMessage(pg));
    PQclear(*r);
    *r = NULL;
    return false;
}

/* The first value of the first row into `out`; `who` may be NULL, then there is no $2. False after
 * logging, also if there is no row. */
static bool ask_one(PGconn *pg, const char *sql, const char *subject, const char *who, char *out,
                    size_t capacity, const char *missing)
{
    const char *const values[] = {subject, who};
    PGresult *r;
    bool ok;

    if (!ask(pg, sql, who ? 2 : 1, values, &r))
        return false;
    ok = PQntuples(r) > 0 && strlen(PQgetvalue(r, 0, 0)) < capacity;
    if (ok)
        memcpy(out, PQgetvalue(r, 0, 0), strlen(PQgetvalue(r, 0, 0)) + 1);
    else
        log_error("operator", "%s: %s", missing, subject);
    PQclear(r);
    return ok;
}

/* Pages until there is no place to go on from, or nobody to give them to. */
static bool export_all(PGconn *pg, const char *who, const char *handle)
{
    char uid[24], place[96] = "";
    const char *values[] = {uid, place};

    if (!ask_one(pg,
                 "SELECT u.id FROM banter.users u, banter.audit_add($2, 'user_export', u.id, NULL)"
                 " WHERE u.handle = $1",
                 handle, who, uid, sizeof uid, "no such user"))
        return false;
    do {
        PGresult *r;
        int rows;

        if (!ask(pg, "SELECT line, place FROM banter.export_page($1::bigint, $2, 500)", 2, values,
                 &r))
            return false;
        rows = PQntuples(r);
        for (int row = 0; row < rows; row++) {
            if (!PQgetisnull(r, row, 0))
                puts(PQgetvalue(r, row, 0));
        }
        snprintf(place, sizeof place, "%s", PQgetvalue(r, rows - 1, 1));
        PQclear(r);
    } while (place[0] && !ferror(stdout));
    if (!ferror(stdout))
        puts("{\"type\":\"end\"}");
    return true;
}

static bool print_receipt(PGconn *pg, const char *who, const char *erasure)
{
    char text[512];

    (void)who;
    if (!ask_one(pg,
                 "SELECT row_to_json(r) FROM banter.erasure_receipts r WHERE erasure = $1::uuid",
                 erasure, NULL, text, sizeof text, "no such erasure"))
        return false;
    puts(text);
    return true;
}

/* Until it is finished, which it will be without us, too. */
static bool watch(PGconn *pg, const char *erasure)
{
    const struct timespec pause = {.tv_nsec = LOOK_MS * 1000000L};
    char progress[256];

    fprintf(stderr, "erasure %s\n", erasure);
    while (ask_one(pg,
                   "SELECT CASE WHEN finished_at IS NULL THEN entries || ' entries in '"
                   "       || conversations || ' conversations' ELSE '' END"
                   "  FROM banter.erasures WHERE id = $1::uuid",
                   erasure, NULL, progress, sizeof progress, "no such erasure")) {
        if (!progress[0])
            return print_receipt(pg, NULL, erasure);
        fprintf(stderr, "erased: %s\n", progress);
        nanosleep(&pause, NULL);
    }
    return false;
}

static bool erase(PGconn *pg, const char *who, const char *handle)
{
    char erasure[40];

    return ask_one(pg,
                   "WITH begun AS MATERIALIZED ("
                   "  SELECT DISTINCT u.id, e.erasure"
                   "    FROM banter.users u, banter.begin_erasure(u.id) e WHERE u.handle = $1)"
                   "SELECT b.erasure FROM begun b, banter.audit_add($2, 'user_erase', b.id, NULL)",
                   handle, who, erasure, sizeof erasure, "no such user") &&
           watch(pg, erasure);
}

static bool set_right(PGconn *pg, const char *who, const char *handle, const char *sql,
                      const char *article)
{
    char uid[24];

    if (!ask_one(pg, sql, handle, who, uid, sizeof uid, "no such user"))
        return false;
    printf("%s is %s administrator\n", handle, article);
    return true;
}

static bool appoint(PGconn *pg, const char *who, const char *handle)
{
    return set_right(pg, who, handle,
                     "SELECT u FROM banter.appoint($1, true, $2) u WHERE u IS NOT NULL", "an");
}

static bool dismiss(PGconn *pg, const char *who, const char *handle)
{
    return set_right(pg, who, handle,
                     "SELECT u FROM banter.appoint($1, false, $2) u WHERE u IS NOT NULL", "no");
}

bool operator_create_user(const char *dsn, const char *who, const char *handle,
                          const char *password_hash)
{
    const char *const values[] = {handle, who, password_hash};
    PGconn *pg = PQconnectdb(dsn);
    PGresult *r = NULL;
    bool ok;

    ok = ask(pg,
             "WITH made AS MATERIALIZED (SELECT banter.new_user($1, NULL, NULL, $3) AS id)"
             "SELECT m.id FROM made m, banter.audit_add($2, 'user_create', m.id, NULL)"
             " WHERE m.id IS NOT NULL",
             3, values, &r);
    if (ok && PQntuples(r) == 0) {
        log_error("operator", "users: %s: this handle is taken", handle);
        ok = false;
    }
    PQclear(r);
    PQfinish(pg);
    return ok;
}

static const struct {
    const char *name;
    bool (*act)(PGconn *pg, const char *who, const char *subject);
} actions[] = {{"admin", appoint},
               {"erase", erase},
               {"export", export_all},
               {"noadmin", dismiss},
               {"receipt", print_receipt}};

bool operator_users_has(const char *action)
{
    for (size_t i = 0; i < sizeof actions / sizeof *actions; i++) {
        if (strcmp(actions[i].name, action) == 0)
            return true;
    }
    return false;
}

bool operator_users_appoints(const char *action)
{
    return strcmp(action, "admin") == 0 || strcmp(action, "noadmin") == 0;
}

bool operator_users(const char *dsn, const char *who, const char *action, const char *subject)
{
    PGconn *pg = PQconnectdb(dsn);
    bool ok = false;

    if (PQstatus(pg) != CONNECTION_OK)
        log_error("operator", "users: %s", PQerrorMessage(pg));
    for (size_t i = 0; i < sizeof actions / sizeof *actions; i++) {
        if (PQstatus(pg) == CONNECTION_OK && strcmp(actions[i].name, action) == 0)
            ok = actions[i].act(pg, who, subject);
    }
    PQfinish(pg);
    return ok;
}
