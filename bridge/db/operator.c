/* SPDX-License-Identifier: MIT */
/* operator.c - see operator.h. Each action is one statement; what it means is told in
 * 0012_push.sql and 0020_audit.sql. */
#include "db/operator.h"

#include "base/log.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <string.h>

struct action {
    const char *name;
    const char *sql;
    int parameter_count; /* $1: what it is done to, or NULL; $2: who does it */
    const char *done;    /* after the number that the statement gives; NULL: it gives a table */
};

static const struct action push_actions[] = {
    {"drop", "SELECT banter.push_drop($1::uuid), banter.audit_add($2, 'push_drop', NULL, $1::text)",
     2, "dropped"},
    {"list",
     "SELECT registration, conversation, \"user\", provider, seq, attempts, reason,"
     "       to_char(died_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') AS died_at"
     "  FROM banter.push_dead_letters WHERE $1::uuid IS NULL OR registration = $1::uuid"
     " ORDER BY died_at DESC, registration, conversation LIMIT 1000",
     1, NULL},
    {"requeue",
     "SELECT banter.push_requeue($1::uuid), banter.audit_add($2, 'push_requeue', NULL, $1::text)",
     2, "requeued"},
    {NULL, NULL, 0, NULL},
};

static const struct action audit_actions[] = {
    {"list",
     "SELECT id, to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"') AS at, node,"
     "       by, actor, action, \"user\", object, address, result, detail"
     "  FROM banter.audit_page(coalesce($1::bigint, 9223372036854775807), 100, NULL, NULL)",
     1, NULL},
    {"note", "SELECT 1, banter.audit_add($2, $1::text, NULL, NULL)", 2, "noted"},
    {NULL, NULL, 0, NULL},
};

static const struct action *find(const struct action *actions, const char *name)
{
    for (const struct action *a = actions; a->name; a++) {
        if (strcmp(a->name, name) == 0)
            return a;
    }
    return NULL;
}

/* One line a row, the columns between tabs, their names first. */
static void print_table(const PGresult *r)
{
    for (int row = -1; row < PQntuples(r); row++) {
        for (int column = 0; column < PQnfields(r); column++)
            printf("%s%s", column > 0 ? "\t" : "",
                   row < 0 ? PQfname(r, column) : PQgetvalue(r, row, column));
        putchar('\n');
    }
}

static bool act(const char *dsn, const struct action *a, const char *who, const char *subject)
{
    const char *const values[] = {subject, who};
    PGconn *pg = PQconnectdb(dsn);
    PGresult *r = NULL;
    bool ok = a && PQstatus(pg) == CONNECTION_OK;

    if (ok) {
        r = PQexecParams(pg, a->sql, a->parameter_count, NULL, values, NULL, NULL, 0);
        ok = PQresultStatus(r) == PGRES_TUPLES_OK;
    }
    if (!ok)
        log_error("operator", "%s", PQerrorMessage(pg));
    else if (a->done)
        printf("%s %s\n", PQgetvalue(r, 0, 0), a->done);
    else
        print_table(r);
    PQclear(r);
    PQfinish(pg);
    return ok;
}

bool operator_push_has(const char *action)
{
    return find(push_actions, action) != NULL;
}

bool operator_push(const char *dsn, const char *who, const char *action, const char *registration)
{
    return act(dsn, find(push_actions, action), who, registration);
}

bool operator_audit_has(const char *action)
{
    return find(audit_actions, action) != NULL;
}

bool operator_audit(const char *dsn, const char *who, const char *action, const char *subject)
{
    return act(dsn, find(audit_actions, action), who, subject);
}

bool operator_note(const char *dsn, const char *who, const char *action, const char *object)
{
    const char *const values[] = {who, action, object};
    PGconn *pg = PQconnectdb(dsn);
    PGresult *r = PQexecParams(pg, "SELECT banter.audit_add($1, $2, NULL, $3)", 3, NULL, values,
                               NULL, NULL, 0);
    bool ok = PQresultStatus(r) == PGRES_TUPLES_OK;

    if (!ok)
        log_error("operator", "%s", PQerrorMessage(pg));
    PQclear(r);
    PQfinish(pg);
    return ok;
}
